package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.InputFileBlockHolder

import dev.ember.rows.{InputBatch, InputBatches, InputRows, PageWriter, Pieces}

/**
 * Keeps the upstream's idea of the current input file apart from the downstream's, as Spark's reader of worker
 * output does around each pull: `input_file_name()` above a Python node tells the same as without Ember.
 */
private[ember] final class UpstreamFiles {
  private var upstream: AnyRef = _

  def around[T](pull: => T): T = {
    val downstream = InputFileBlockHolder.getThreadLocalValue().asInstanceOf[AnyRef]
    if (upstream != null) InputFileBlockHolder.setThreadLocalValue(upstream)
    try pull
    finally {
      val now = InputFileBlockHolder.getThreadLocalValue().asInstanceOf[AnyRef]
      if (upstream != null || (now ne downstream)) {
        upstream = now
        InputFileBlockHolder.setThreadLocalValue(downstream)
      }
    }
  }
}

private[ember] object UpstreamFiles {
  def apart(batches: InputBatches): InputBatches = new InputBatches {
    private val files = new UpstreamFiles
    override def next(): Option[InputBatch] = files.around(batches.next())
    override def close(): Unit = batches.close()
  }

  def apart(rows: InputRows): InputRows = new InputRows {
    private val files = new UpstreamFiles
    override def fill(input: PageWriter, arguments: PageWriter): Option[Int] =
      files.around(rows.fill(input, arguments))
    override def cut: Option[Pieces] = rows.cut
    override def close(): Unit = rows.close()
  }
}
