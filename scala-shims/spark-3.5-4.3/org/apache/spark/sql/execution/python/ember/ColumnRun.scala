package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.Native
import dev.ember.rows.RowBatches
import dev.ember.rows.columns.{ColumnShape, InputColumns, LentColumns}
import dev.ember.session.ColumnCrossing

/** A session whose input crosses as columns, and whose output comes back as rows that point into pages. */
private[ember] final class ColumnRun(opened: OpenedSession, form: RowForm, output: RowOutput) {
  import opened.{context, count, handle, place}

  private val back = new SessionOutput(opened, form, output)
  private val files = new UpstreamFiles
  private val memory = new ColumnMemory(context.taskMemoryManager())
  private var largestPage = 0L
  private var shared = 0L

  def start(input: InputColumns): Iterator[InternalRow] =
    new RowRun.InTurn(goOn(counted(input), run => run.take))

  /** The output in Arrow's columns: each batch is readable until the next is asked for. */
  def startColumns(input: InputColumns): Iterator[ColumnarBatch] =
    goOn(counted(input), run => run.back.show)

  private def goOn[Out](
      input: InputColumns,
      take: ColumnRun => (Native, Long) => Out): Iterator[Out] = {
    // Before the session's own listener, so that it runs after it: rows are read until the task ends.
    context.addTaskCompletionListener[Unit] { _ =>
      place.native.freeColumns(handle)
      place.lent.collect()
      memory.release()
    }: Unit
    val relay =
      new Relay[InputColumns, Out](opened, new ColumnRun(_, form, output).goOn(_, take))
    val crossing = new ColumnCrossing(place.native, handle, place.lent, take(this))
    val run =
      new EmbeddedRun[InputColumns, Out](opened, crossing, () => back.close(), relay.takesOver)
    relay.after(run.start(input))
  }

  /** The buffers that are lent, the page being read with the one before it, and what a worker shares. */
  private def charge(): Unit = memory.hold(2 * largestPage + shared)

  private def take(native: Native, session: Long): Iterator[InternalRow] =
    back.take(native, session) {
      val page = native.outputColumns(session)
      largestPage = math.max(largestPage, page.bytes)
      shared = page.held
      charge()
      page
    }

  private def counted(input: InputColumns): InputColumns = new InputColumns {
    override def next(): Option[LentColumns] = {
      val batch = files.around(input.next()).map(tracked)
      charge()
      batch.foreach { lent =>
        count("pythonDataSent", lent.bytes)
        count(EmberMetrics.RowsSent, lent.rows.toLong)
        count(EmberMetrics.BatchesSent, 1)
      }
      batch
    }

    override def close(): Unit = input.close()
  }

  private def tracked(lent: LentColumns): LentColumns =
    lent.copy(memory = memory.lent(lent.memory, lent.held))
}

private[ember] object ColumnRun {

  /** Batches of columns with the boundaries of `limits`, or the child's own if there are none. */
  def input(
      shape: ColumnShape,
      limits: Option[RowBatches.Limits],
      batches: Iterator[ColumnarBatch],
      node: NodeConf): InputColumns = {
    val counted = batches.map { batch =>
      node.count(EmberMetrics.ColumnBatches, 1)
      batch
    }
    limits match {
      case Some(within) => InputColumns.cut(shape, within, counted, ArrowMemory.allocator)
      case None => InputColumns.asTheyAre(shape, counted, ArrowMemory.allocator)
    }
  }
}
