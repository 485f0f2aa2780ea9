package dev.ember.session

import scala.collection.mutable

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.sampling.Sampling
import dev.ember.session.contract.{ClientSession, Scope}

/** Describes workers to the native library, in production those of the jar. */
trait WorkerStarter {
  def workers(key: LaneKey, environment: Map[String, String]): Either[FallbackReason, Native]
  def lent: LentBatches

  /** How many worker processes this executor has. */
  def processes: Int

  /** Keeps nothing that workers are made from; what they need ends with them. */
  def end(): Unit
}

/**
 * Sessions in worker processes: as many as there are, each with a worker to itself, so that functions chained in a
 * task cannot wait for each other. Workers are forked as they are needed and kept for the next session of their
 * scope, until this is known to be over: then they go, those with a session when it ends.
 */
class ProcessLane(starter: WorkerStarter, clock: () => Long) {
  private val known = mutable.Map.empty[(LaneKey, Map[String, String]), ProcessLane.Workers]

  /** A place for one session. `environment` is that of the session; what it varies by is no reason for another worker. */
  def enter(key: LaneKey, environment: Map[String, String]): Either[FallbackReason, Place] = {
    val lasting = environment -- ProcessLane.ofOneQuery
    val own = key.copy(includes = Set.empty)
    known
      .synchronized(known.get((own, lasting)).map(entered))
      .toRight(())
      .left
      .flatMap(_ => describe(own, lasting))
      .map(new WorkerPlace(_, starter.lent))
  }

  /** How many worker processes there are. */
  def processes: Int = starter.processes

  /** Sessions that have workers here, or may have. */
  def sessions: Set[Scope.Session] = known.synchronized {
    known.keysIterator.map(_._1.scope).collect { case session: Scope.Session => session }.toSet
  }

  /** These have ended: whatever is kept for them goes. */
  def ended(clients: Set[ClientSession]): Unit = letGo { case (session, _) =>
    session.client.exists(clients)
  }

  /** The same for sessions whose workers have had nothing to do for so long, whether they have ended or not. */
  def unused(ms: Long): Unit = {
    val now = clock()
    letGo { case (_, workers) => workers.open == 0 && now - workers.since >= ms }
  }

  /** The application has ended, and no process of it is to be left. */
  def end(): Unit = {
    remove((_, _) => true)
    starter.end()
  }

  private def letGo(leaves: (Scope.Session, ProcessLane.Workers) => Boolean): Unit =
    remove {
      case (session: Scope.Session, workers) => leaves(session, workers)
      case _ => false
    }

  private def remove(leaves: (Scope, ProcessLane.Workers) => Boolean): Unit = {
    val leaving = known.synchronized {
      val found = known.toSeq.filter { case ((key, _), workers) => leaves(key.scope, workers) }
      known --= found.map(_._1): Unit
      found.map(_._2.native)
    }
    leaving.foreach(_.letGo())
  }

  private def describe(
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, ProcessLane.Workers] =
    starter.workers(key, environment).map { native =>
      known.synchronized {
        entered(known.getOrElseUpdate((key, environment), new ProcessLane.Workers(native)))
      }
    }

  private def entered(workers: ProcessLane.Workers): ProcessLane.Workers = {
    workers.open += 1
    workers
  }

  private def left(workers: ProcessLane.Workers): Unit = known.synchronized {
    workers.open -= 1
    workers.since = clock()
  }

  private final class WorkerPlace(workers: ProcessLane.Workers, lent: LentBatches)
      extends Place(workers.native, lent) {
    override def apart: Boolean = true

    /** The next session gets another worker. */
    override def broke(reason: FallbackReason): Unit = ()

    override protected def giveBack(): Unit = left(workers)
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
    "PYTHON_UDF_BATCH_SIZE",
    Sampling.Variable)

  /** Workers that serve the same sessions: how many of these are open, and when the last one was left. */
  private final class Workers(val native: Native) {
    var open = 0
    var since = 0L
  }
}
