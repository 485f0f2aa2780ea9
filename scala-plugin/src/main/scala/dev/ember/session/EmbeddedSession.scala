package dev.ember.session

import scala.annotation.tailrec
import scala.util.control.NonFatal

import dev.ember.nativeapi.{Native, NativeException}

/**
 * A session on a lane of Ember's.
 *
 * No lane is held while the upstream computes: the lane's thread waits in its queue, so that functions chained
 * in one task, each with a lane of its own, cannot wait for each other.
 *
 * @param handle
 *   from `Native.open`; this object frees it
 * @param crossing
 *   how batches get in and out
 * @param failIfKilled
 *   throws as Spark does if the task was killed
 * @param readTail
 *   takes what the worker wrote after its data; throws what it says
 * @param died
 *   the task's error when the process of the function has gone
 * @param leaves
 *   asked before each batch of the input: whether another session takes it and those after it
 */
final class EmbeddedSession[In, Out](
    native: Native,
    handle: Long,
    crossing: Crossing[In, Out],
    lent: LentBatches,
    graceMs: Long,
    failIfKilled: () => Unit,
    readTail: Array[Byte] => Unit,
    died: NativeException => Throwable,
    whenClosed: EmbeddedSession.Ending => Unit,
    leaves: In => Boolean)
    extends Session[In, Out] {
  @volatile private var waitingSince: Option[Long] = None
  private var left = false

  /** Whether another session has the rest of the input. */
  def hasLeft: Boolean = left

  /** How long the task's thread has been waiting for the function, if it is. */
  def waitedMs: Long = waitingSince.fold(0L)(since => (System.nanoTime() - since) / 1000000L)

  override protected def doRun(input: In): Iterator[Out] =
    new Iterator[Out] {
      private var ready: Option[Out] = None

      override def hasNext: Boolean = {
        if (ready.isEmpty && outcome.isEmpty) ready = advance(input)
        ready.nonEmpty
      }

      override def next(): Out = {
        if (!hasNext) throw new NoSuchElementException("the session has ended")
        val batch = ready.get
        ready = None
        batch
      }
    }

  def outputSchema: Array[Byte] = guarded(native.outputSchema(handle))

  @tailrec private def advance(input: In): Option[Out] = {
    failIfKilled()
    guarded(next()) match {
      case Native.WantsInput =>
        feed(input)
        advance(input)
      case Native.HasOutput => Some(guarded(crossing.take()))
      case Native.Ended =>
        finish()
        None
    }
  }

  private def next(): Int = {
    waitingSince = Some(System.nanoTime())
    try native.next(handle)
    finally waitingSince = None
  }

  private def feed(input: In): Unit =
    if (leaves(input)) {
      left = true
      guarded(native.endInput(handle))
    } else give(input)

  private def give(input: In): Unit = {
    val more =
      try crossing.pull(input)
      catch {
        case failed: NativeException => guarded(throw failed)
        case failed: Throwable =>
          val first = settle(Outcome.InputFailed(failed))
          if (first) doCancel()
          throw failed
      }
    lent.collect()
    guarded(if (more) crossing.offer() else native.endInput(handle))
  }

  private def finish(): Unit = {
    failIfKilled()
    try {
      readTail(guarded(native.tail(handle)))
      settle(Outcome.Finished): Unit
    } catch {
      case NonFatal(error) =>
        settle(Outcome.FunctionFailed(error)): Unit
        throw error
    }
  }

  /** Native calls: a batch that cannot be read is the function's fault, everything else is ours. */
  private def guarded[T](call: => T): T =
    try call
    catch {
      case failed: NativeException if failed.code == NativeException.DIED =>
        failIfKilled()
        val error = died(failed)
        settle(Outcome.FunctionFailed(error)): Unit
        throw error
      case failed: NativeException =>
        val blame =
          if (failed.code == NativeException.MALFORMED) Outcome.FunctionFailed(failed)
          else Outcome.Broken(failed)
        settle(blame): Unit
        throw failed
    }

  override protected def doCancel(): Unit = native.cancel(handle)

  override protected def doClose(interrupted: Boolean): Unit = {
    val effort =
      try Effort.of(native, handle)
      catch { case _: NativeException => Effort.none }
    var cameBack = false
    try cameBack = native.close(handle, graceMs)
    finally {
      lent.collect()
      whenClosed(EmbeddedSession.Ending(outcome.get, cameBack, effort))
    }
  }
}

object EmbeddedSession {

  /** How a session ended, whether its lane came back, and what its function used. */
  final case class Ending(outcome: Outcome, laneCameBack: Boolean, effort: Effort)
}
