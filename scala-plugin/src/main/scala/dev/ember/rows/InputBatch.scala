package dev.ember.rows

/**
 * A batch that is ready to be lent to Python.
 *
 * @param memory
 *   keeps the buffers where they are; to be closed when Python has given the batch back
 */
final case class InputBatch(layout: Array[Long], rows: Long, bytes: Long, memory: AutoCloseable)

/** What a session reads. Used by one thread, the task's. */
trait InputBatches extends AutoCloseable {

  /** The next batch, or nothing when the input has ended. Throws whatever the upstream throws. */
  def next(): Option[InputBatch]
}
