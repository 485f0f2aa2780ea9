package dev.ember.session

import scala.annotation.tailrec
import scala.util.control.NonFatal

import dev.ember.nativeapi.{Native, NativeException}
import dev.ember.rows.InputBatches

/**
 * A session on the embedded lane. It gives the layouts of the output batches.
 *
 * No lane is held while the upstream computes: the lane's thread waits in its queue, so that functions chained
 * in one task, each with a lane of its own, cannot wait for each other.
 *
 * @param handle
 *   from `Native.open`; this object frees it
 * @param failIfKilled
 *   throws as Spark does if the task was killed
 * @param readTail
 *   takes what the worker wrote after its data; throws what it says
 */
final class EmbeddedSession(
    native: Native,
    handle: Long,
    lent: LentBatches,
    graceMs: Long,
    failIfKilled: () => Unit,
    readTail: Array[Byte] => Unit,
    whenClosed: EmbeddedSession.Ending => Unit)
    extends Session[InputBatches, Array[Long]] {

  override protected def doRun(input: InputBatches): Iterator[Array[Long]] = new Iterator[Array[Long]] {
    private var ready: Option[Array[Long]] = None

    override def hasNext: Boolean = {
      if (ready.isEmpty && outcome.isEmpty) ready = advance(input)
      ready.nonEmpty
    }

    override def next(): Array[Long] = {
      if (!hasNext) throw new NoSuchElementException("the session has ended")
      val batch = ready.get
      ready = None
      batch
    }
  }

  def outputSchema: Array[Byte] = guarded(native.outputSchema(handle))

  @tailrec private def advance(input: InputBatches): Option[Array[Long]] = {
    failIfKilled()
    guarded(native.next(handle)) match {
      case Native.WantsInput =>
        feed(input)
        advance(input)
      case Native.HasOutput => Some(guarded(native.output(handle)))
      case Native.Ended =>
        finish()
        None
    }
  }

  private def feed(input: InputBatches): Unit = {
    val batch =
      try input.next()
      catch {
        case failed: Throwable =>
          val first = settle(Outcome.InputFailed(failed))
          if (first) doCancel()
          throw failed
      }
    lent.collect()
    batch match {
      case None => guarded(native.endInput(handle))
      case Some(filled) =>
        lent.lend(filled.memory) { token =>
          guarded(native.offer(handle, filled.layout, filled.layout.length, token))
        }
    }
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
      case failed: NativeException =>
        val blame =
          if (failed.code == NativeException.MALFORMED) Outcome.FunctionFailed(failed)
          else Outcome.Broken(failed)
        settle(blame): Unit
        throw failed
    }

  override protected def doCancel(): Unit = native.cancel(handle)

  override protected def doClose(interrupted: Boolean): Unit = {
    val cameBack =
      try native.close(handle, graceMs)
      finally lent.collect()
    whenClosed(EmbeddedSession.Ending(outcome.get, cameBack))
  }
}

object EmbeddedSession {

  /** How a session ended, and whether its lane came back. */
  final case class Ending(outcome: Outcome, laneCameBack: Boolean)
}
