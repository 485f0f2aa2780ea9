package org.apache.spark.sql.execution.python.ember

import java.nio.file.Path

import org.apache.spark.{InterruptibleIterator, TaskContext}
import org.apache.spark.api.python.PythonWorkerException
import org.apache.spark.internal.Logging

import dev.ember.metrics.EmberMetrics
import dev.ember.reason.FallbackReason
import dev.ember.session.{
  Crossing,
  EmbeddedSession,
  Outcome,
  Patience,
  Place,
  SessionWatch,
  WorkerDied
}

/**
 * An open session as part of a task: it ends with its data or with the task, whichever is first.
 *
 * @param crossing
 *   how its batches get in and out
 * @param free
 *   called once, when the session is over and its output is no longer read
 */
private[ember] final class EmbeddedRun[In <: AutoCloseable, Out](
    opened: OpenedSession,
    crossing: Crossing[In, Out],
    free: () => Unit)
    extends Logging {
  import opened.{context, count, graceMs, handle, place, worker}

  private val session = new EmbeddedSession[In, Out](
    place.native,
    handle,
    crossing,
    place.lent,
    graceMs,
    () => failIfEnded(),
    worker.readTail,
    WorkerDied(opened.functions, _, opened.faultFolder),
    ended)

  def start(input: In): Iterator[Out] = {
    context.addTaskCompletionListener[Unit](_ => close(input)): Unit
    SessionWatch.watch(
      session,
      () => context.isInterrupted() || opened.patience.endsAfter(session.waitedMs))
    val batches = session.run(input)
    val outputs = new Iterator[Out] {
      private var produced = false

      override def hasNext: Boolean = {
        val more = batches.hasNext
        if (!more) close(input)
        more
      }

      override def next(): Out = {
        val batch = batches.next()
        if (!produced) {
          produced = true
          place.produced()
        }
        batch
      }
    }
    new InterruptibleIterator(context, outputs)
  }

  private def failIfEnded(): Unit = {
    context.killTaskIfInterrupted()
    opened.patience.verdict.foreach(words => throw new PythonWorkerException(words))
  }

  /** Python first: nothing may be freed below a function that runs. */
  private def close(input: In): Unit =
    try session.close()
    finally {
      free()
      input.close()
    }

  private def ended(ending: EmbeddedSession.Ending): Unit = {
    SessionWatch.forget(session)
    worker.close()
    ending.outcome match {
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
    if (!ending.laneCameBack) {
      count(EmberMetrics.Abandoned, 1)
      place.runsOnWithoutTask()
      logWarning(s"A cancelled function did not stop within $graceMs ms; its thread was abandoned")
    }
    place.leave()
  }
}

/** What a session has from its opening on. */
private[ember] final case class OpenedSession(
    place: Place,
    handle: Long,
    worker: StockWorker[?, ?],
    graceMs: Long,
    context: TaskContext,
    functions: Seq[String],
    patience: Patience,
    faultFolder: Option[Path],
    count: (String, Long) => Unit)
