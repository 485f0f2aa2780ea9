package dev.ember.session

import scala.collection.mutable

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.{Scope, WorkerSpec}

/** What an interpreter is started for. */
final case class LaneKey(python: String, scope: Scope, includes: Set[String], application: String)

object LaneKey {
  def of(worker: WorkerSpec): LaneKey =
    LaneKey(worker.executable, worker.scope, worker.files, worker.application)
}

/**
 * Why there is no interpreter.
 *
 * @param forGood
 *   whether it was tried, which it is once; what was not found may come
 */
final case class NotStarted(why: FallbackReason, forGood: Boolean)

/** Starts the interpreter for the first key that comes, in production from the jar's libraries. */
trait LaneStarter {
  def start(key: LaneKey, environment: Map[String, String]): Either[NotStarted, Native]

  /** The book of what `native` was lent. */
  def lent(native: Native): LentBatches = new LentBatches(native)
}

/**
 * The one interpreter of this process, and the gate before it.
 *
 * {{{
 *   not started --first session--> running --native failure--> closed for good
 *        |---start failed: remembered, every later session with that Python falls back
 *        `---nothing to start: asked again
 * }}}
 *
 * While cancelled functions hold too many threads, it lets nobody in. It serves one application after another, as long
 * as none has left code in the interpreter that a worker of the next one would not have.
 */
class EmbeddedLane(starter: LaneStarter) {
  private val sessionsOfTask = mutable.Map.empty[Long, Int]
  @volatile private var running: Option[EmbeddedLane.Running] = None
  private val refused = mutable.Map.empty[String, FallbackReason]
  private var served = ""
  private var includes: Set[String] = Set.empty // of the application that is served
  private val shutOut = mutable.Set.empty[String] // applications
  @volatile private var closed: Option[FallbackReason] = None
  private val startLock = new Object

  /**
   * A place for one session of `task`, beside an interpreter that fits `key`. All sessions of a task share one
   * of the `places`, or functions chained in a task would wait for each other. With `mostAbandoned` threads of
   * functions that do not stop, each with its stack and its share of the GIL, nobody gets in.
   */
  def enter(
      key: LaneKey,
      environment: Map[String, String],
      task: Long,
      places: Int,
      mostAbandoned: Int): Either[FallbackReason, Place] =
    if (!take(task, places)) Left(FallbackReason.LaneBusy)
    else {
      val entered =
        try
          closed
            .toLeft(())
            .flatMap(_ => interpreter(key, environment))
            .filterOrElse(_.native.abandoned() < mostAbandoned, FallbackReason.LaneAbandoned)
        catch {
          case error: Throwable =>
            leave(task)
            throw error
        }
      if (entered.isLeft) leave(task)
      entered.map(lane => new OwnPlace(lane, task))
    }

  private final class OwnPlace(lane: EmbeddedLane.Running, task: Long)
      extends Place(lane.native, lane.lent) {
    override def apart: Boolean = false
    override def broke(reason: FallbackReason): Unit = close(reason)
    override protected def giveSeat(): Unit = EmbeddedLane.this.leave(task)
    override protected def giveBack(): Unit = ()
  }

  /** Lets no further session in. */
  def close(reason: FallbackReason): Unit = if (closed.isEmpty) closed = Some(reason)

  def isOpen: Boolean = closed.isEmpty

  /** Threads of functions that did not stop when they were cancelled. */
  def abandoned: Int = running.fold(0)(_.native.abandoned())

  private def take(task: Long, places: Int): Boolean = sessionsOfTask.synchronized {
    val free = sessionsOfTask.contains(task) || sessionsOfTask.size < places
    if (free) sessionsOfTask.update(task, sessionsOfTask.getOrElse(task, 0) + 1)
    free
  }

  private def leave(task: Long): Unit = sessionsOfTask.synchronized {
    sessionsOfTask.get(task).foreach {
      case 1 => sessionsOfTask.remove(task): Unit
      case many => sessionsOfTask.update(task, many - 1)
    }
  }

  private def interpreter(
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, EmbeddedLane.Running] =
    startLock.synchronized {
      val lane = running.toRight(()).left.flatMap { _ =>
        refused.get(key.python).toLeft(()).flatMap(_ => start(key, environment))
      }
      lane.flatMap(fits(_, key, environment))
    }

  private def start(
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, EmbeddedLane.Running] = {
    val started = starter.start(key, environment).map { native =>
      val lent = starter.lent(native)
      SessionWatch.always(() => lent.collect())
      SessionWatch.always(() => native.trim())
      serve(key)
      EmbeddedLane.Running(key, EmbeddedLane.lasting(environment), native, lent)
    }
    started.fold(
      not => if (not.forGood) refused(key.python) = not.why,
      lane => running = Some(lane))
    started.left.map(_.why)
  }

  private def fits(
      lane: EmbeddedLane.Running,
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, EmbeddedLane.Running] =
    if (lane.key.python != key.python) {
      Left(FallbackReason.OtherPython(lane.key.python, key.python))
    } else if (lane.key.scope != key.scope) {
      Left(FallbackReason.OtherScope(lane.key.scope.toString, key.scope.toString))
    } else if (!serves(lane, key, environment)) {
      Left(FallbackReason.OtherApplication)
    } else if (EmbeddedLane.lasting(environment) != lane.environment) {
      Left(FallbackReason.OtherEnvironment)
    } else if (key.includes.subsetOf(includes) || includes.subsetOf(key.includes)) {
      // As in a reused worker, files may be added; their folders only grow Python's path.
      includes = includes ++ key.includes
      Right(lane)
    } else Left(FallbackReason.OtherIncludes)

  /**
   * Whether the application has the interpreter. A worker would have ended with the application before it, with every
   * module that this one may have changed since; the interpreter cannot forget one.
   */
  private def serves(
      lane: EmbeddedLane.Running,
      key: LaneKey,
      environment: Map[String, String]): Boolean = {
    def isAsNew = EmbeddedLane.lasting(environment) == lane.environment && lane.native.isAsNew()
    if (served != key.application && !shutOut(key.application)) {
      if (isAsNew) serve(key) else shutOut += key.application
    }
    served == key.application
  }

  private def serve(key: LaneKey): Unit = {
    served = key.application
    includes = key.includes
  }
}

object EmbeddedLane {
  private final case class Running(
      key: LaneKey,
      environment: Map[String, String],
      native: Native,
      lent: LentBatches)

  /** Spark's own, which not all functions have, and which differ by a stage's cores or by where they were made. */
  private val ofSpark =
    Set(
      "SPARK_LOCAL_DIRS",
      "OMP_NUM_THREADS",
      "PYTHONHASHSEED",
      "PYTHON_WORKER_UNIFIED_EXECUTION_ENABLED")

  /** The variables that libraries may have read when they were loaded, and that do not name the application. */
  private def lasting(environment: Map[String, String]): Map[String, String] =
    (environment -- ProcessLane.ofOneQuery -- ofSpark).map {
      case ("PYTHONPATH", path) => "PYTHONPATH" -> path.split(':').distinct.mkString(":")
      case other => other
    }
}
