package dev.ember.rows

import scala.util.Using

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.{VectorSchemaRoot, VectorUnloader}

/** Vectors whose batches are lent to Python, which may read them for ever. */
private[rows] final class LentVectors(root: VectorSchemaRoot, lent: BufferAllocator) {
  private val unloader = new VectorUnloader(root)

  /** What was written, as a batch of `lent`'s. The vectors have no memory until they get new. */
  def take(): InputBatch = {
    val rows = root.getRowCount.toLong
    val batch = Using.resource(unloader.getRecordBatch)(_.cloneWithTransfer(lent))
    val filled =
      InputBatch(ArrowLayout.of(root.getSchema, batch), rows, batch.computeBodyLength, batch)
    root.clear()
    filled
  }

  def renew(): Unit = root.getFieldVectors.forEach(_.allocateNew())
}
