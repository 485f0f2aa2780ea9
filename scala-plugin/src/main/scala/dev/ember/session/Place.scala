package dev.ember.session

import java.util.concurrent.atomic.AtomicBoolean

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason

/** The right to run one session on a lane; to be given back, once. */
abstract class Place(val native: Native, val lent: LentBatches) {
  private val left = new AtomicBoolean(false)

  /** Whether the session runs in a process of its own. */
  def apart: Boolean

  /** The session broke in a way that was not the function's doing. */
  def broke(reason: FallbackReason): Unit

  final def leave(): Unit = if (left.compareAndSet(false, true)) giveBack()

  protected def giveBack(): Unit
}
