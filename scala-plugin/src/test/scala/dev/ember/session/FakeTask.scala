package dev.ember.session

import dev.ember.nativeapi.{Native, NativeException}
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.FakeSession

/** A task without Spark: it is killed when a test says so. */
final class FakeTask(
    killed: => Boolean = false,
    tail: Array[Byte] => Unit = _ => (),
    givesTime: => Boolean = false,
    isApart: Boolean = false)
    extends TaskSide {
  override def failIfEnded(): Unit = if (killed) throw new IllegalStateException("killed")
  override def givesGrace: Boolean = givesTime
  override def readTail(bytes: Array[Byte]): Unit = tail(bytes)
  override def died(how: NativeException): Throwable = how
  override def broke(how: NativeException): Throwable = how

  /** A session of this task's, open. */
  def session(native: Native, lent: LentBatches, graceMs: Long = 50): EmbeddedSession = {
    val place = new Place(native, lent) {
      override def apart: Boolean = isApart
      override def broke(reason: FallbackReason): Unit = ()
      override protected def giveBack(): Unit = ()
    }
    val session = (new LaneDispatcher).session(place, _ => 1L, this, graceMs)
    session.init(FakeSession.function)
    session
  }
}
