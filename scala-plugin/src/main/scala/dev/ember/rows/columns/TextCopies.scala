package dev.ember.rows.columns

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.execution.vectorized.{OffHeapColumnVector, WritableColumnVector}
import org.apache.spark.sql.vectorized.ColumnVector
import org.apache.spark.unsafe.Platform

/**
 * Text or bytes behind offsets. Values that lie one after the other, as Parquet's plain pages leave them, are
 * copied in one piece.
 *
 * @param large
 *   offsets of 64 bits
 */
private[columns] abstract class TextCopy(large: Boolean, allocator: BufferAllocator)
    extends ColumnCopy(allocator) {
  private val offsets = new GrowingBuffer(allocator)
  private val data = new GrowingBuffer(allocator)
  private val width = if (large) 8L else 4L
  private var used = 0L

  override protected final def reserve(wanted: Int): Unit = {
    if (rows == 0) used = 0
    offsets.reserve((wanted + 1L) * width, if (rows == 0) 0 else (rows + 1L) * width)
    if (rows == 0) ends(0)
  }

  override protected final def appendAll(from: ColumnVector, first: Int, count: Int): Unit =
    appendAny(from, first, count, nulls = false)

  override protected final def appendSome(from: ColumnVector, first: Int, count: Int): Unit =
    appendAny(from, first, count, nulls = true)

  private def appendAny(from: ColumnVector, first: Int, count: Int, nulls: Boolean): Unit =
    from match {
      case stored: WritableColumnVector if !stored.hasDictionary && !stored.isAllNull =>
        runs(stored, first, count, nulls)
      case other =>
        var at = 0
        while (at < count) {
          if (nulls && other.isNullAt(first + at)) setNull(rows + at) else one(other, first + at)
          ends(rows + at + 1)
          at += 1
        }
    }

  private def runs(from: WritableColumnVector, first: Int, count: Int, nulls: Boolean): Unit = {
    val (base, start) = from.arrayData() match {
      case native: OffHeapColumnVector => (null, native.valuesNativeAddress)
      case heap =>
        val bytes = heap.getByteBuffer(0, 0)
        (bytes.array, Platform.BYTE_ARRAY_OFFSET.toLong + bytes.arrayOffset)
    }
    var begin = 0
    var end = 0
    var at = 0
    while (at < count) {
      if (nulls && from.isNullAt(first + at)) setNull(rows + at)
      else {
        val offset = from.getArrayOffset(first + at)
        if (offset != end) {
          put(base, start + begin, end - begin)
          begin = offset
        }
        end = offset + from.getArrayLength(first + at)
      }
      putOffset(rows + at + 1, used + end - begin)
      at += 1
    }
    put(base, start + begin, end - begin)
  }

  /** Puts one value that is there. */
  protected def one(from: ColumnVector, row: Int): Unit

  protected final def put(base: AnyRef, offset: Long, size: Int): Unit = {
    data.reserve(used + size, used)
    val to = data.address + used
    if (size > TextCopy.Short) Platform.copyMemory(base, offset, null, to, size.toLong)
    else TextCopy.few(base, offset, to, size)
    used += size
  }

  private def ends(row: Int): Unit = putOffset(row, used)

  private def putOffset(row: Int, end: Long): Unit =
    if (large) Platform.putLong(null, offsets.address + row * 8L, end)
    else {
      if (end > Int.MaxValue) throw new TextCopy.TooLarge
      Platform.putInt(null, offsets.address + row * 4L, end.toInt)
    }

  override final def textAtMost(from: ColumnVector, first: Int, count: Int): Long = from match {
    case stored: WritableColumnVector if !stored.hasDictionary && !stored.isAllNull =>
      stored.arrayData().getElementsAppended.toLong
    case other => text(other, first, count)
  }

  override final def text(from: ColumnVector, first: Int, count: Int): Long = {
    var bytes = 0L
    var at = first
    while (at < first + count) {
      if (!from.isNullAt(at)) bytes += size(from, at)
      at += 1
    }
    bytes
  }

  /** Bytes of one value that is there. */
  protected def size(from: ColumnVector, row: Int): Int

  override protected final def valueBytes(rows: Int, text: Long): Long =
    (rows + 1L) * width + (if (this.rows == 0) 0 else used) + text

  override protected final def values: Seq[(GrowingBuffer, Long)] =
    Seq(
      offsets -> (if (rows == 0) 0 else (rows + 1L) * width),
      data -> (if (rows == 0) 0 else used))
}

private[columns] object TextCopy {

  /** Up to here, words cost less than a call of the copy routine. */
  private val Short = 64

  private def few(base: AnyRef, offset: Long, to: Long, size: Int): Unit = {
    var at = 0
    while (at + 8 <= size) {
      Platform.putLong(null, to + at, Platform.getLong(base, offset + at))
      at += 8
    }
    while (at < size) {
      Platform.putByte(null, to + at, Platform.getByte(base, offset + at))
      at += 1
    }
  }

  final class TooLarge
      extends IllegalStateException(
        "a column of one batch has more than 2 GiB of text or bytes; set " +
          "spark.sql.execution.arrow.useLargeVarTypes")
}

private[columns] final class StringCopy(large: Boolean, allocator: BufferAllocator)
    extends TextCopy(large, allocator) {
  override protected def one(from: ColumnVector, row: Int): Unit = {
    val text = from.getUTF8String(row)
    put(text.getBaseObject, text.getBaseOffset, text.numBytes)
  }

  override protected def size(from: ColumnVector, row: Int): Int =
    from.getUTF8String(row).numBytes
}

private[columns] final class BinaryCopy(large: Boolean, allocator: BufferAllocator)
    extends TextCopy(large, allocator) {
  override protected def one(from: ColumnVector, row: Int): Unit = {
    val bytes = from.getBinary(row)
    put(bytes, Platform.BYTE_ARRAY_OFFSET.toLong, bytes.length)
  }

  override protected def size(from: ColumnVector, row: Int): Int = from.getBinary(row).length
}
