package dev.ember.session.contract

import java.util.concurrent.atomic.{AtomicInteger, AtomicLong}

import dev.ember.reason.FallbackReason

/**
 * Makes sessions on workers of one sort, and counts them.
 *
 * @tparam Request
 *   what it needs to know of a session
 * @tparam S
 *   its sessions, by what they give
 */
abstract class Dispatcher[Request, S[out] <: Session[?, out]] {
  private val all = new AtomicLong
  private val running = new AtomicInteger

  /** A session that is not open yet, or why there is none. It is the caller's, who closes it. */
  final def session[Out](request: Request): Either[FallbackReason, S[Out]] =
    doSession[Out](request).map { made =>
      all.incrementAndGet(): Unit
      running.incrementAndGet(): Unit
      made.whenClosed(_ => running.decrementAndGet(): Unit)
      made
    }

  /** How many sessions it has made. */
  final def made: Long = all.get

  /** How many of them are not closed. */
  final def open: Int = running.get

  protected def doSession[Out](request: Request): Either[FallbackReason, S[Out]]
}
