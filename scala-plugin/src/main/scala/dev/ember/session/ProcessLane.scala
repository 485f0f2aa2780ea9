package dev.ember.session

import scala.collection.mutable

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason

/** Describes workers to the native library, in production those of the jar. */
trait WorkerStarter {
  def workers(key: LaneKey, environment: Map[String, String]): Either[FallbackReason, Native]
  def lent: LentBatches
}

/**
 * Sessions in worker processes: as many as there are, each with a worker to itself, so that functions chained in a
 * task cannot wait for each other. Workers are forked as they are needed and kept for the next session.
 */
class ProcessLane(starter: WorkerStarter) {
  private val known = mutable.Map.empty[(LaneKey, Map[String, String]), Native]

  /** A place for one session. `environment` is that of the session; what it varies by is no reason for another worker. */
  def enter(key: LaneKey, environment: Map[String, String]): Either[FallbackReason, Place] = {
    val lasting = environment -- ProcessLane.ofOneQuery
    val own = key.copy(includes = Set.empty)
    known
      .synchronized(known.get((own, lasting)))
      .toRight(())
      .left
      .flatMap(_ => describe(own, lasting))
      .map(new ProcessLane.WorkerPlace(_, starter.lent))
  }

  private def describe(
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, Native] = {
    val described = starter.workers(key, environment)
    described.foreach(native => known.synchronized(known.put((key, environment), native)))
    described
  }
}

object ProcessLane {

  /** Variables that Spark sets for a query; a worker gets them with its session and not at its start. */
  val ofOneQuery: Set[String] = Set(
    "SPARK_HIDE_TRACEBACK",
    "SPARK_SIMPLIFIED_TRACEBACK",
    "SPARK_TRACEBACK_WITH_LOCALS",
    "SPARK_PIPELINED_UDF",
    "SPARK_PIPELINED_UDF_QUEUE_DEPTH",
    "SPARK_AUTH_SOCKET_TIMEOUT",
    "SPARK_BUFFER_SIZE",
    "PYTHON_FAULTHANDLER_DIR",
    "PYTHON_TRACEBACK_DUMP_INTERVAL_SECONDS",
    "SPARK_JOB_ARTIFACT_UUID",
    "PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE",
    "PYTHON_UDF_BATCH_SIZE")

  private final class WorkerPlace(native: Native, lent: LentBatches) extends Place(native, lent) {
    override def apart: Boolean = true

    /** The next session gets another worker. */
    override def broke(reason: FallbackReason): Unit = ()

    override protected def giveBack(): Unit = ()
  }
}
