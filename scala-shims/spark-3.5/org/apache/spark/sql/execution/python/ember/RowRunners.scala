package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, BatchIterator}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.RowBatches

/** A runner of Spark's that gets rows. */
private[ember] trait RowRunner extends ArrowPythonRunner

/** One whose rows are cut into batches; in 3.5 by whoever calls it, and by their number alone. */
private[ember] trait BatchedRows extends RowRunner {
  private[ember] def limits: RowBatches.Limits = {
    val rows = SQLConf.get.arrowMaxRecordsPerBatch
    RowBatches.Limits(if (rows > 0) rows else Int.MaxValue, Int.MaxValue.toLong)
  }

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] =
    super.compute(input.flatMap(new BatchIterator(_, limits.rows)), partition, context)
}

/** One that gets them by groups: in 3.5 each is one batch, however large. */
private[ember] trait GroupedRows extends RowRunner {
  private[ember] def limits: RowBatches.Limits = GroupLimits.current
}

/** Where batches end within a group, and on a side of a cogroup. */
private[ember] object GroupLimits {
  val current: RowBatches.Limits = RowBatches.Limits(Int.MaxValue, Int.MaxValue.toLong)
}
