package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.python.RowInputArrowPythonRunner
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * A runner of Spark 4.1 holds the vectors that it writes its input from as soon as it is made, and frees them when it
 * has written all. Where it never writes because Ember runs the function, they are freed with the task.
 */
private[ember] trait UnusedInput extends RowInputArrowPythonRunner {
  private var writes = false

  TaskContext.get().addTaskCompletionListener[Unit] { _ =>
    if (!writes) {
      root.close()
      allocator.close()
    }
  }: Unit

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = {
    writes = true
    super.compute(input, partition, context)
  }
}
