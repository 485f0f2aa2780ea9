package dev.ember.session

import java.util.concurrent.atomic.{AtomicBoolean, AtomicReference}

/**
 * One run of one function over one partition.
 *
 * {{{
 *   Fresh --run--> Running --(first Outcome)--> Settled --close--> Closed
 *     `-------------------------close (settles as Cancelled)--------^
 * }}}
 *
 * `run` and `close` belong to the task's thread; `cancel` may come from any.
 */
abstract class Session[In, Out] extends AutoCloseable {
  private val settled = new AtomicReference[Option[Outcome]](None)
  private val started = new AtomicBoolean(false)
  private val closing = new Object
  private var closed = false

  final def run(input: In): Iterator[Out] = {
    require(started.compareAndSet(false, true), "run may be called once")
    require(!closing.synchronized(closed), "run may not be called after close")
    doRun(input)
  }

  final def outcome: Option[Outcome] = settled.get

  /** Asks the function to stop; does nothing when it has ended. */
  final def cancel(): Unit = closing.synchronized {
    if (settled.get.isEmpty && !closed) doCancel()
  }

  override final def close(): Unit =
    if (firstToClose()) {
      val interrupted = settle(Outcome.Cancelled)
      doClose(interrupted)
    }

  /** Settles the session; false if another outcome was first. */
  protected final def settle(end: Outcome): Boolean = settled.compareAndSet(None, Some(end))

  protected def doRun(input: In): Iterator[Out]

  /** Never called after `doClose` has begun. */
  protected def doCancel(): Unit

  /** Gives everything back. `interrupted` tells that the session had not ended. */
  protected def doClose(interrupted: Boolean): Unit

  private def firstToClose(): Boolean = closing.synchronized {
    val first = !closed
    closed = true
    first
  }
}
