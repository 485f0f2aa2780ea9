package dev.ember.rows.columns

import org.apache.arrow.memory.{ArrowBuf, BufferAllocator}

import org.apache.spark.unsafe.Platform

/** Native memory that is written and then given away; the next begins as large as the last became. */
private[columns] final class GrowingBuffer(allocator: BufferAllocator) extends AutoCloseable {
  private var buffer: Option[ArrowBuf] = None
  private var room = 0L
  private var start = 0L

  def address: Long = start

  /** Room for `bytes`; the first `used` of them stay as they are. */
  def reserve(bytes: Long, used: Long): Unit =
    if (bytes > room || buffer.isEmpty) grow(bytes, used)

  private def grow(bytes: Long, used: Long): Unit = {
    val wanted = if (buffer.isEmpty) math.max(room, bytes) else math.max(room * 2, bytes)
    val larger = allocator.buffer(math.max(wanted, GrowingBuffer.Smallest))
    if (used > 0) Platform.copyMemory(null, start, null, larger.memoryAddress, used)
    close()
    buffer = Some(larger)
    start = larger.memoryAddress
    room = larger.capacity
  }

  /** Gives the memory away. */
  def take(): Option[ArrowBuf] = {
    val taken = buffer
    buffer = None
    taken
  }

  override def close(): Unit = {
    buffer.foreach(_.close())
    buffer = None
  }
}

private object GrowingBuffer {
  val Smallest = 64L
}
