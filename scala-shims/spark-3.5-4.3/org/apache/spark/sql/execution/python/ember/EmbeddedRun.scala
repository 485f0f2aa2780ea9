package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{InterruptibleIterator, TaskContext}
import org.apache.spark.internal.Logging

import dev.ember.metrics.EmberMetrics
import dev.ember.reason.FallbackReason
import dev.ember.session.{Crossing, EmbeddedSession, Feed, Patience, Place, SessionWatch}
import dev.ember.session.contract.Outcome

/**
 * An open session as part of a task: it ends with its data or with the task, whichever is first.
 *
 * @param crossing
 *   how its batches get in and out
 * @param free
 *   called once, when the session is over and its output is no longer read
 * @param leaves
 *   whether another session takes over before the next batch of the input
 */
private[ember] final class EmbeddedRun[In <: AutoCloseable, Out](
    opened: OpenedSession,
    crossing: Crossing[In, Out],
    free: () => Unit,
    leaves: In => Boolean)
    extends Logging {
  import opened.{context, count, graceMs, place, session, worker}
  private val handle = opened.handle

  def start(input: In): Iterator[Out] = {
    // In this order, Python first: nothing may be freed below a function that runs.
    session.whenClosed(ended)
    session.whenClosed(_ => free())
    session.whenClosed(_ => if (!session.hasLeft) input.close())
    context.addTaskCompletionListener[Unit](_ => session.close()): Unit
    SessionWatch.watch(
      session,
      () => context.isInterrupted() || opened.patience.endsAfter(session.waitedMs))
    new InterruptibleIterator(context, outputs(new Feed(crossing, input, leaves)))
  }

  private def outputs(feed: Feed[In, Out]): Iterator[Out] = {
    val batches = session.process(feed)
    new Iterator[Out] {
      private var produced = false

      override def hasNext: Boolean = batches.hasNext

      override def next(): Out = {
        batches.next()
        if (!produced) {
          produced = true
          place.produced()
        }
        feed.last
      }
    }
  }

  private def ended(outcome: Outcome): Unit = {
    val ending = session.ending
    val left = graceMs - ending.waitedMs
    if (!ending.laneCameBack) count(EmberMetrics.Abandoned, 1)
    try tell(outcome, ending)
    finally
      if (ending.laneCameBack) place.leave()
      else if (left <= 0) leave()
      else {
        // Its task did not wait for it so long, but what is thought of it has the same time.
        place.stand()
        SessionWatch.after(left)(() => leave())
      }
  }

  /** Says what is to be said of a function that has not stopped in all its time, if this one has not. */
  private def leave(): Unit =
    try
      if (place.native.isOut(handle)) {
        place.runsOnWithoutTask()
        logWarning(
          s"A cancelled function did not stop within $graceMs ms; its thread was abandoned")
      }
    finally place.leave()

  private def tell(outcome: Outcome, ending: EmbeddedSession.Ending): Unit = {
    SessionWatch.forget(session)
    worker.close()
    outcome match {
      case Outcome.Broken(cause) =>
        logError(
          s"A session of Ember's broke in ${if (place.apart) "its worker" else "this executor"}",
          cause)
        place.broke(FallbackReason.LaneBroken(FallbackReason.oneLine(cause)))
      case _ => ()
    }
    place.used(ending.effort)
    count(EmberMetrics.FunctionTime, ending.effort.busyNanos)
    count(EmberMetrics.FunctionCpuTime, ending.effort.cpuNanos)
    count(EmberMetrics.LockWait, ending.effort.lockNanos)
    count(EmberMetrics.ConversionTime, ending.effort.convertNanos)
  }
}

/**
 * What a session has from its opening on.
 *
 * @param elsewhere
 *   asked before each batch: the session on the other lane that goes on in its place, open
 */
private[ember] final case class OpenedSession(
    session: EmbeddedSession,
    worker: StockWorker[?, ?],
    graceMs: Long,
    context: TaskContext,
    patience: Patience,
    count: (String, Long) => Unit,
    elsewhere: () => Option[OpenedSession]) {
  def place: Place = session.place
  def handle: Long = session.handle
}
