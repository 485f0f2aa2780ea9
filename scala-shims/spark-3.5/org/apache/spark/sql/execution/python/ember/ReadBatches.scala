package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/** How a `ColumnarToRow` of Spark's goes from one batch to the next. */
object ReadBatches {

  /** The batch after `done`, which 3.5 leaves to its reader, or null. */
  def next(
      input: Iterator[ColumnarBatch],
      @unused done: ColumnarBatch,
      batches: SQLMetric,
      rows: SQLMetric): ColumnarBatch = {
    val read = if (input.hasNext) input.next() else null
    if (read != null) {
      batches += 1
      rows += read.numRows().toLong
    }
    read
  }
}
