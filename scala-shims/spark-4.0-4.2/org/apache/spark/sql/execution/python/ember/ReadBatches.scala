package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/** How a `ColumnarToRow` of Spark's goes from one batch to the next. */
object ReadBatches {

  /** The batch after `done`, or null. */
  def next(
      input: Iterator[ColumnarBatch],
      done: ColumnarBatch,
      batches: SQLMetric,
      rows: SQLMetric): ColumnarBatch = {
    if (done != null) done.closeIfFreeable()
    val read = if (input.hasNext) input.next() else null
    if (read != null) {
      batches += 1
      rows += read.numRows().toLong
    }
    read
  }
}
