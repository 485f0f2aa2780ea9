package org.apache.spark.sql.execution.python.ember

import java.io.{DataOutputStream, OutputStream}

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.execution.python.PythonArrowInput
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.{InputBatch, InputBatches, WrittenBatches}

/**
 * A runner of functions that keep state. What goes with the rows of a group, and where its batches end, is
 * Spark's writer's to say: it writes into the vectors it always writes to, and they are taken from there.
 */
private[ember] trait StatefulRunner[IN, OUT]
    extends SessionRunner[IN, OUT]
    with PythonArrowInput[IN] {

  override protected def sentSchema: Schema = root.getSchema

  /** The function's batches from a lane of Ember's, or why it cannot run there. */
  protected final def embed(
      input: Iterator[IN],
      partition: Int,
      context: TaskContext): Either[FallbackReason, Iterator[ColumnarBatch]] =
    enter(partition, context)(_.open(_, _, _, _)).map { opened =>
      new ArrowRun(opened).start(UpstreamFiles.apart(written(input)))
    }

  private def written(input: Iterator[IN]): InputBatches = new InputBatches {
    private val bytes = new DataOutputStream(OutputStream.nullOutputStream())
    private var ended = false
    private val batches = new WrittenBatches(
      root,
      ArrowMemory.allocator,
      end => {
        writer = end // Spark's writer ends it when the input has ended, and frees the vectors
        ended = !writeNextBatchToArrowStream(root, end, bytes, input)
        !ended
      })

    override def next(): Option[InputBatch] = batches.next()

    override def close(): Unit = {
      batches.close()
      if (!ended) {
        ended = true
        root.close()
        allocator.close()
      }
    }
  }
}
