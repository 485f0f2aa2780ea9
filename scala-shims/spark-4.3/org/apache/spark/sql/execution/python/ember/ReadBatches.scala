package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.ColumnarToRowExec
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/** How a `ColumnarToRow` of Spark's goes from one batch to the next. */
object ReadBatches {

  /** The batch after `done`, or null. */
  def next(
      input: Iterator[ColumnarBatch],
      done: ColumnarBatch,
      batches: SQLMetric,
      rows: SQLMetric): ColumnarBatch = ColumnarToRowExec.advanceBatch(input, done, batches, rows)
}
