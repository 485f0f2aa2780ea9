package org.apache.spark.sql.execution.python.ember

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.metrics.EmberMetrics
import dev.ember.session.{Effort, Place}

/**
 * One session's part of an input, and after it that of the session which takes over.
 *
 * {{{
 *   batches 1 .. n  --> session on this lane --ended, all output read, accumulators told--.
 *   batches n + 1 ..  --> session on the other lane, opened meanwhile                <------'
 * }}}
 *
 * @param goOn
 *   runs a session over the rest of the input
 */
private[ember] final class Relay[In, Out](
    opened: OpenedSession,
    goOn: (OpenedSession, In) => Iterator[Out]) {
  private var next: Option[Iterator[Out]] = None

  /** Whether another session takes over before the next batch of `input`. */
  def takesOver(input: In): Boolean = {
    next = opened.elsewhere().map(goOn(_, input))
    next.nonEmpty
  }

  /** `batches`, and then what the session gives that has taken over. */
  def after(batches: Iterator[Out]): Iterator[Out] =
    batches ++ next.getOrElse(Iterator.empty)
}

/**
 * Looks from time to time whether a session would do better on the other lane, and opens it there, once.
 *
 * @param open
 *   a session in a place; nothing if that cannot be done
 */
private[ember] final class Onward(
    place: Place,
    handle: Long,
    count: (String, Long) => Unit,
    open: Place => Option[OpenedSession])
    extends (() => Option[OpenedSession])
    with Logging {
  private var looked = System.nanoTime()
  private var tried = false

  override def apply(): Option[OpenedSession] = {
    val now = System.nanoTime()
    if (tried || now - looked < Onward.PeriodNanos) None
    else {
      looked = now
      try look()
      catch {
        case NonFatal(error) =>
          logWarning("A session of Ember's stays on its lane, for it could not leave it", error)
          None
      }
    }
  }

  private def look(): Option[OpenedSession] = {
    val effort = Effort.of(place.native, handle)
    Some(effort).filter(_.stateless).flatMap(place.elsewhere).flatMap { next =>
      tried = true
      val opened = open(next)
      if (opened.nonEmpty) count(EmberMetrics.MovesWithin, 1) else place.stay()
      opened
    }
  }
}

private object Onward {

  /** To ask for a session's figures takes about a microsecond. */
  private val PeriodNanos = 100L * 1000 * 1000
}
