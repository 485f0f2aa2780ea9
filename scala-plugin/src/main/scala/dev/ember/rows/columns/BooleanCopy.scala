package dev.ember.rows.columns

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.vectorized.ColumnVector
import org.apache.spark.unsafe.Platform

/** A bit for each value. */
private[columns] final class BooleanCopy(allocator: BufferAllocator) extends ColumnCopy(allocator) {
  private val data = new GrowingBuffer(allocator)

  override protected def reserve(wanted: Int): Unit = {
    val used = ColumnCopy.bytesOfBits(rows)
    val bytes = ColumnCopy.bytesOfBits(wanted)
    data.reserve(bytes.toLong, used.toLong)
    Platform.setMemory(data.address + used, 0, (bytes - used).toLong)
  }

  override protected def appendAll(from: ColumnVector, first: Int, count: Int): Unit = {
    var at = 0
    while (at < count) {
      if (from.getBoolean(first + at)) setTrue(rows + at)
      at += 1
    }
  }

  override protected def appendSome(from: ColumnVector, first: Int, count: Int): Unit = {
    var at = 0
    while (at < count) {
      if (from.isNullAt(first + at)) setNull(rows + at)
      else if (from.getBoolean(first + at)) setTrue(rows + at)
      at += 1
    }
  }

  private def setTrue(row: Int): Unit = {
    val at = data.address + (row >> 3)
    Platform.putByte(null, at, (Platform.getByte(null, at) | (1 << (row & 7))).toByte)
  }

  override protected def valueBytes(rows: Int, text: Long): Long =
    ColumnCopy.bytesOfBits(rows).toLong

  override protected def values: Seq[(GrowingBuffer, Long)] =
    Seq(data -> ColumnCopy.bytesOfBits(rows).toLong)
}
