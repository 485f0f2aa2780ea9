package dev.ember.rows

import java.io.OutputStream

import scala.collection.mutable

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.ipc.ArrowStreamWriter

/**
 * Batches that a writer of Spark's own fills and ends as it likes, taken where it would send them.
 *
 * @param root
 *   the vectors that it fills; closed by whoever made them
 * @param lent
 *   what batches belong to once they are taken: they may outlive the session
 * @param write
 *   lets the writer go on with its input, which may end no batch, or several; false when it has ended
 */
final class WrittenBatches(
    root: VectorSchemaRoot,
    lent: BufferAllocator,
    write: ArrowStreamWriter => Boolean)
    extends InputBatches {
  private val taken = mutable.Queue.empty[InputBatch]
  private val vectors = new LentVectors(root, lent)
  private var more = true

  private val end = new ArrowStreamWriter(root, null, OutputStream.nullOutputStream()) {
    override def writeBatch(): Unit = {
      taken += vectors.take()
      vectors.renew()
    }
  }

  override def next(): Option[InputBatch] = {
    while (taken.isEmpty && more) more = write(end)
    if (taken.nonEmpty) Some(taken.dequeue()) else None
  }

  override def close(): Unit = taken.dequeueAll(_ => true).foreach(_.memory.close())
}
