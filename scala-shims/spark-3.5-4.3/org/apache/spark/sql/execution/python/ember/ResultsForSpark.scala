package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow

import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.OutputPage
import dev.ember.rows.PageReader

/** Batches of results that Spark's own code makes rows of, each readable until the next is asked for. */
private[ember] final class ResultsForSpark(opened: OpenedSession, form: RowForm, output: RowOutput)
    extends AutoCloseable {
  private val columns = new OutputColumns(opened)
  private lazy val inputs = new PageReader(form.input.length)

  /** A batch that is not joined. */
  def alone(layout: Array[Long]): Iterator[InternalRow] =
    convert(layout, None)

  /** A batch that has nulls where the declared types have none, with the input rows of its page. */
  def of(layout: Array[Long], page: OutputPage): Iterator[InternalRow] = {
    val before = if (form.joined) Some(inputs.over(page.address, page.bytes)) else None
    convert(layout, before)
  }

  private def convert(
      layout: Array[Long],
      before: Option[Iterator[InternalRow]]): Iterator[InternalRow] = {
    opened.count(EmberMetrics.BatchesForSpark, 1)
    output.convert(columns.show(layout), before)
  }

  override def close(): Unit = columns.close()
}
