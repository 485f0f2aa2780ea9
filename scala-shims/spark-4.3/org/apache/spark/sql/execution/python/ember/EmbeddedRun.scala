package org.apache.spark.sql.execution.python.ember

import java.nio.file.Path

import org.apache.spark.{
  BarrierTaskContext,
  InterruptibleIterator,
  TaskContext,
  TaskKilledException
}
import org.apache.spark.api.python.{PythonException, PythonWorkerException}
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
 * @param leaves
 *   whether another session takes over before the next batch of the input
 */
private[ember] final class EmbeddedRun[In <: AutoCloseable, Out](
    opened: OpenedSession,
    crossing: Crossing[In, Out],
    free: () => Unit,
    leaves: In => Boolean)
    extends Logging {
  import opened.{context, count, graceMs, handle, place, worker}

  private val session = new EmbeddedSession[In, Out](
    place.native,
    handle,
    crossing,
    place.lent,
    graceMs,
    () => failIfEnded(),
    readTail(_),
    WorkerDied(opened.functions, _, opened.faultFolder),
    ended,
    leaves)

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
        if (!more && session.hasLeft) close()
        else if (!more) close(input)
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

  /** A task whose function needs a process is no failure: it is tried again, and finds one. */
  private def readTail(tail: Array[Byte]): Unit =
    try worker.readTail(tail)
    catch {
      case error: PythonException
          if error.getMessage.contains(EmbeddedRun.NeedsProcess) && !context
            .isInstanceOf[BarrierTaskContext] && place.refuse(EmbeddedRun.WhyProcess) =>
        throw new TaskKilledException(
          s"Ember runs the function again, in a worker process: ${EmbeddedRun.WhyProcess}")
    }

  private def failIfEnded(): Unit = {
    context.killTaskIfInterrupted()
    opened.patience.verdict.foreach(words => throw new PythonWorkerException(words))
  }

  /** Python first: nothing may be freed below a function that runs. */
  private def close(input: In): Unit =
    try close()
    finally input.close()

  private def close(): Unit =
    try session.close()
    finally free()

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

private object EmbeddedRun {

  /** The name of an exception of the worker package's. */
  private val NeedsProcess = "ember_worker.signals.NeedsProcess"
  private val WhyProcess =
    "it sets signal handlers, which Python runs on a process's main thread only"
}

/**
 * What a session has from its opening on.
 *
 * @param elsewhere
 *   asked before each batch: the session on the other lane that goes on in its place, open
 */
private[ember] final case class OpenedSession(
    place: Place,
    handle: Long,
    worker: StockWorker[?, ?],
    graceMs: Long,
    context: TaskContext,
    functions: Seq[String],
    patience: Patience,
    faultFolder: Option[Path],
    count: (String, Long) => Unit,
    elsewhere: () => Option[OpenedSession])
