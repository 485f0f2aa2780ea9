package dev.ember.session.contract

import java.util.concurrent.atomic.{AtomicInteger, AtomicLong}

/** Makes sessions on workers of one sort, and counts them. What it needs to know of a session is its own affair. */
abstract class Dispatcher {
  private val all = new AtomicLong
  private val running = new AtomicInteger

  /** How many sessions it has made. */
  final def made: Long = all.get

  /** How many of them are not closed. */
  final def open: Int = running.get

  /** Counts a session that was just made. It is its user's, who closes it. */
  protected final def counted[S <: Session[?, ?]](session: S): S = {
    all.incrementAndGet(): Unit
    running.incrementAndGet(): Unit
    session.whenClosed(_ => running.decrementAndGet(): Unit)
    session
  }
}
