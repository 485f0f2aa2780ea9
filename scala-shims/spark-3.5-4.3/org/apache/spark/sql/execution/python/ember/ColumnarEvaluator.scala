package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

/** A partition of a columnar child through scalar functions. */
trait ColumnarEvaluator extends Serializable {

  /** For a row-based parent. */
  def rows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow]

  /** For a columnar parent. */
  def batches(partition: Int, input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch]
}
