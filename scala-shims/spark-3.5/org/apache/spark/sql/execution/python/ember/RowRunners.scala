package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{ContextAwareIterator, TaskContext}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, BatchIterator}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.RowBatches

/** A runner of Spark's that gets rows. */
private[ember] trait RowRunner extends ArrowPythonRunner

/**
 * One whose rows are cut into batches; in 3.5 by whoever calls it, and by their number alone. Spark's writer is a
 * thread that its task does not wait for, so the rows end with the task.
 */
private[ember] trait BatchedRows extends RowRunner {
  private[ember] def limits: RowBatches.Limits = {
    val rows = SQLConf.get.arrowMaxRecordsPerBatch
    RowBatches.Limits(if (rows > 0) rows else Int.MaxValue, Int.MaxValue.toLong)
  }

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = {
    val batches = input.flatMap { rows =>
      new BatchIterator(new ContextAwareIterator(context, rows), limits.rows)
    }
    super.compute(batches, partition, context)
  }
}

/** One that gets them by groups: in 3.5 each is one batch, however large. */
private[ember] trait GroupedRows extends RowRunner {
  private[ember] def limits: RowBatches.Limits = GroupLimits.current
}

/** Where batches end within a group, and on a side of a cogroup. */
private[ember] object GroupLimits {
  val current: RowBatches.Limits = RowBatches.Limits(Int.MaxValue, Int.MaxValue.toLong)
}
