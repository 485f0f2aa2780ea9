package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.InputFileBlockHolder

import dev.ember.rows.{InputBatch, InputBatches}

/**
 * Keeps the upstream's idea of the current input file apart from the downstream's, as Spark's reader of worker
 * output does around each pull: `input_file_name()` above a Python node tells the same as without Ember.
 */
final class UpstreamFiles(batches: InputBatches) extends InputBatches {
  private var upstream: AnyRef = _

  override def next(): Option[InputBatch] = {
    val downstream = InputFileBlockHolder.getThreadLocalValue().asInstanceOf[AnyRef]
    if (upstream != null) InputFileBlockHolder.setThreadLocalValue(upstream)
    try batches.next()
    finally {
      val now = InputFileBlockHolder.getThreadLocalValue().asInstanceOf[AnyRef]
      if (upstream != null || (now ne downstream)) {
        upstream = now
        InputFileBlockHolder.setThreadLocalValue(downstream)
      }
    }
  }

  override def close(): Unit = batches.close()
}
