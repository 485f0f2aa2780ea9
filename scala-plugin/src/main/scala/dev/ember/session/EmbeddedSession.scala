package dev.ember.session

import scala.annotation.tailrec
import scala.util.control.NonFatal

import dev.ember.nativeapi.{Native, NativeException}
import dev.ember.session.contract.{Outcome, Session, WorkerFunction}

/**
 * A session on a lane of Ember's. Each turn of its iterator takes a batch of results, which the feed then has.
 *
 * No lane is held while the upstream computes: the lane's thread waits in its queue, so that functions chained
 * in one task, each with a lane of its own, cannot wait for each other.
 *
 * @param begin
 *   opens the function at the native library, and gives the handle that this object frees
 */
final class EmbeddedSession(
    val place: Place,
    begin: WorkerFunction => Long,
    task: TaskSide,
    graceMs: Long)
    extends Session[Feed[?, ?], Unit] {
  import place.{lent, native}

  @volatile private var opened: Option[Long] = None
  @volatile private var waitingSince: Option[Long] = None
  @volatile private var ended = false
  private var left = false
  private var used = EmbeddedSession.Ending(laneCameBack = true, Effort.none, 0L)

  /** The native library's number of it, once it is open. */
  def handle: Long = opened.getOrElse(throw new IllegalStateException("the session is not open"))

  /** Whether another session has the rest of the input. */
  def hasLeft: Boolean = left

  /** How long the task's thread has been waiting for the function, if it is. */
  def waitedMs: Long = waitingSince.fold(0L)(since => (System.nanoTime() - since) / 1000000L)

  /** Known when it is closed. */
  def ending: EmbeddedSession.Ending = used

  override protected def doInit(function: WorkerFunction): Unit = opened = Some(begin(function))

  override protected def doProcess(feed: Feed[?, ?]): Iterator[Unit] = new Iterator[Unit] {
    private var ready = false

    override def hasNext: Boolean = {
      if (!ready && !ended) ready = advance(feed)
      ready
    }

    override def next(): Unit = {
      if (!hasNext) throw new NoSuchElementException("the session has ended")
      ready = false
    }
  }

  @tailrec private def advance(feed: Feed[?, ?]): Boolean = {
    failIfEnded()
    guarded(next()) match {
      case Native.WantsInput =>
        nourish(feed)
        advance(feed)
      case Native.HasOutput =>
        guarded(feed.take())
        true
      case Native.Ended =>
        finish()
        false
    }
  }

  private def next(): Int = {
    waitingSince = Some(System.nanoTime())
    try native.next(handle)
    finally waitingSince = None
  }

  private def nourish(feed: Feed[?, ?]): Unit =
    if (feed.isLeft) {
      left = true
      guarded(native.endInput(handle))
    } else give(feed)

  private def give(feed: Feed[?, ?]): Unit = {
    val more =
      try feed.pull()
      catch {
        case failed: NativeException => guarded(throw failed)
        case failed: Throwable =>
          settle(Outcome.InputFailed(failed)): Unit
          throw failed
      }
    lent.collect()
    guarded(if (more) feed.offer() else native.endInput(handle))
  }

  private def finish(): Unit = {
    ended = true
    failIfEnded()
    task.readTail(guarded(native.tail(handle)))
  }

  private def failIfEnded(): Unit =
    try task.failIfEnded()
    catch {
      case killed: Throwable =>
        settle(Outcome.Cancelled): Unit
        throw killed
    }

  /** Native calls: a batch that cannot be read is the function's fault, everything else is ours. */
  private def guarded[T](call: => T): T =
    try call
    catch {
      case failed: NativeException if failed.code == NativeException.DIED =>
        ended = true
        failIfEnded()
        throw task.died(failed)
      case failed: NativeException if failed.code == NativeException.MALFORMED => throw failed
      case failed: NativeException =>
        settle(Outcome.Broken(failed)): Unit
        throw task.broke(failed)
    }

  override protected def blame(error: Throwable): Outcome = Outcome.FunctionFailed(error)

  override protected def interruption: Throwable =
    try {
      task.failIfEnded()
      super.interruption
    } catch { case NonFatal(killed) => killed }

  override protected def doCancel(): Unit = if (!ended) native.cancel(handle)

  override protected def doClose(end: Outcome): Unit = opened.foreach { open =>
    val effort =
      try Effort.of(native, open)
      catch { case _: NativeException => Effort.none }
    used = EmbeddedSession.Ending(laneCameBack = false, effort, graceMs)
    val patience = patienceMs(end)
    try used = EmbeddedSession.Ending(native.close(open, patience), effort, patience)
    finally lent.collect()
  }

  /**
   * A task that has failed, or wants no more rows, is over at once: Spark does not wait for a function that does not
   * stop. Nor does anybody wait for a worker process.
   */
  private def patienceMs(end: Outcome): Long = end match {
    case _ if place.apart => graceMs
    case Outcome.InputFailed(_) | Outcome.FunctionFailed(_) => hasted
    case Outcome.Cancelled if !task.givesGrace => hasted
    case _ => graceMs
  }

  private def hasted: Long = math.min(graceMs, EmbeddedSession.HastedMs)
}

object EmbeddedSession {

  /** A function in Python is interrupted after 100 ms, and needs a moment to fall. */
  private val HastedMs = 300L

  /** Whether a session's lane came back, what its function used, and how long its task would have waited for it. */
  final case class Ending(laneCameBack: Boolean, effort: Effort, waitedMs: Long)
}

/** What a session asks of its task. */
trait TaskSide {

  /** Throws as Spark does if the task was killed. */
  def failIfEnded(): Unit

  /** Whether it was killed, and its function has the time that Spark gives it then. */
  def givesGrace: Boolean

  /** Takes what the worker wrote after its data; throws what it says. */
  def readTail(tail: Array[Byte]): Unit

  /** The task's error when the process of the function has gone. */
  def died(how: NativeException): Throwable

  /** What a task is thrown when the way to its function broke, which is not the function's doing. */
  def broke(how: NativeException): Throwable
}
