package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.execution.ColumnarToRowExec
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkExec
import org.apache.spark.sql.execution.window.{WindowEvaluatorFactoryBase, WindowFunctionFrame}
import org.apache.spark.sql.vectorized.ColumnarBatch

/** Members of Spark's nodes that have another name or form in another Spark. */
object NodeSeams {

  /** The columns that the function of such a node returns, as they were declared. */
  def declared(node: TransformWithStateInPySparkExec): Seq[Attribute] = node.outputAttrs

  /** The batch after `done` as a `ColumnarToRow` would read it, or null. */
  def next(
      input: Iterator[ColumnarBatch],
      done: ColumnarBatch,
      batches: SQLMetric,
      rows: SQLMetric): ColumnarBatch = ColumnarToRowExec.advanceBatch(input, done, batches, rows)
}

/** How long the run of rows of a window may be. */
trait LimitedRuns { self: WindowEvaluatorFactoryBase =>
  protected final def checkSize(rows: Long, frames: Array[WindowFunctionFrame]): Unit =
    checkPartitionSizeLimit(rows, frames)
}
