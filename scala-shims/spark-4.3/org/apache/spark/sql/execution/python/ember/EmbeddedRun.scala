package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.internal.Logging
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.reason.FallbackReason
import dev.ember.rows.{InputBatch, InputBatches, OutputVectors}
import dev.ember.session.{EmbeddedLane, EmbeddedSession, ExecutorLane, Outcome, SessionWatch}

/** An open session as part of a task: it ends with its data or with the task, whichever is first. */
private[ember] final class EmbeddedRun(
    place: EmbeddedLane.Place,
    handle: Long,
    worker: StockWorker[Iterator[InternalRow], ColumnarBatch],
    graceMs: Long,
    context: TaskContext,
    count: (String, Long) => Unit)
    extends Logging {

  private val session = new EmbeddedSession(
    place.native,
    handle,
    place.lent,
    graceMs,
    () => context.killTaskIfInterrupted(),
    worker.readTail,
    ended)
  private var vectors: Option[OutputVectors] = None

  def start(input: InputBatches): Iterator[ColumnarBatch] = {
    context.addTaskCompletionListener[Unit](_ => close(input)): Unit
    SessionWatch.watch(session, () => context.isInterrupted())
    val layouts = session.run(counted(input))
    new Iterator[ColumnarBatch] {
      override def hasNext: Boolean = {
        val more = layouts.hasNext
        if (!more) close(input)
        more
      }

      override def next(): ColumnarBatch = show(layouts.next())
    }
  }

  private def show(layout: Array[Long]): ColumnarBatch = {
    val shown = vectors.getOrElse {
      val made = OutputVectors.of(session.outputSchema, ArrowMemory.allocator)
      vectors = Some(made)
      made
    }
    val loaded = shown.load(layout, place.native.releaseOutput)
    count("pythonNumRowsReceived", loaded.batch.numRows().toLong)
    count("pythonDataReceived", loaded.bytes)
    count(EmberMetrics.BatchesReceived, 1)
    loaded.batch
  }

  private def counted(input: InputBatches): InputBatches = new InputBatches {
    override def next(): Option[InputBatch] = {
      val batch = input.next()
      batch.foreach { filled =>
        count("pythonDataSent", filled.bytes)
        count(EmberMetrics.RowsSent, filled.rows)
        count(EmberMetrics.BatchesSent, 1)
      }
      batch
    }

    override def close(): Unit = input.close()
  }

  /** Python first: nothing may be freed below a function that runs. */
  private def close(input: InputBatches): Unit =
    try session.close()
    finally {
      vectors.foreach(_.close())
      vectors = None
      input.close()
    }

  private def ended(ending: EmbeddedSession.Ending): Unit = {
    SessionWatch.forget(session)
    worker.close()
    ending.outcome match {
      case Outcome.Broken(cause) =>
        logError("Ember's embedded lane broke; this executor uses Spark's own runner from now on", cause)
        ExecutorLane.close(FallbackReason.LaneBroken(FallbackReason.oneLine(cause)))
      case _ => ()
    }
    if (!ending.laneCameBack) {
      count(EmberMetrics.Abandoned, 1)
      logWarning(s"A cancelled function did not stop within $graceMs ms; its thread was abandoned")
      ExecutorLane.close(FallbackReason.LaneAbandoned)
    }
    place.leave()
  }
}
