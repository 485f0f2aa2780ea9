package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.{Native, OutputPage}
import dev.ember.rows.PageReader

/** What comes back from a session: rows that point into pages, or that Spark's own code makes, or columns. */
private[ember] final class SessionOutput(opened: OpenedSession, form: RowForm, output: RowOutput)
    extends AutoCloseable {
  import opened.count

  private val columns = new OutputColumns(opened, beside = form.beside)
  private val results = new ResultsForSpark(opened, form, output)
  private val reader = new PageReader(form.outputFields)
  private var inPages: Option[Boolean] = None

  /** The ready output in Arrow's columns, readable until the next is asked for. */
  def show(native: Native, session: Long): ColumnarBatch = columns.show(native.output(session))

  /**
   * The rows of the ready output.
   *
   * @param page
   *   takes it from the session as a page, if it comes as such
   */
  def take(native: Native, session: Long)(page: => OutputPage): Iterator[InternalRow] =
    if (comesInPages(native, session)) rows(page)
    else results.alone(native.output(session))

  private def comesInPages(native: Native, session: Long): Boolean = inPages.getOrElse {
    val fits = RowRun.fit(output, native.outputSchema(session))
    inPages = Some(fits)
    fits
  }

  private def rows(page: OutputPage): Iterator[InternalRow] =
    page.forSpark.fold(written(page))(results.of(_, page))

  private def written(page: OutputPage): Iterator[InternalRow] = {
    count("pythonNumRowsReceived", page.rows)
    count("pythonDataReceived", page.pythonBytes)
    count(EmberMetrics.BatchesReceived, page.batches)
    output.read(reader.over(page.address, page.bytes), page)
  }

  override def close(): Unit = {
    columns.close()
    results.close()
  }
}
