package org.apache.spark.sql.execution.python.ember

import java.io.OutputStream

import org.apache.arrow.vector.ipc.ArrowStreamWriter

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * A runner of Spark 4.0 holds the vectors that it writes its input from as soon as it is made, and frees them when it
 * has written all. Where it never writes because Ember runs the function, it is asked to when the task ends.
 */
private[ember] trait UnusedInput extends RowRunner {
  private var writes = false

  TaskContext.get().addTaskCompletionListener[Unit] { _ =>
    if (!writes) {
      writer = new ArrowStreamWriter(root, null, OutputStream.nullOutputStream())
      writer.start()
      close()
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
