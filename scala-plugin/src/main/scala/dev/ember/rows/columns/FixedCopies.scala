package dev.ember.rows.columns

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.execution.vectorized.{OffHeapColumnVector, WritableColumnVector}
import org.apache.spark.sql.types.{Decimal, DecimalType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnVector}
import org.apache.spark.unsafe.Platform

/** Values of `width` bytes each. */
private[columns] abstract class FixedCopy(width: Int, allocator: BufferAllocator)
    extends ColumnCopy(allocator) {
  private val data = new GrowingBuffer(allocator)

  override protected final def reserve(wanted: Int): Unit =
    data.reserve(wanted.toLong * width, rows.toLong * width)

  override protected final def appendAll(from: ColumnVector, first: Int, count: Int): Unit = {
    val to = data.address + rows.toLong * width
    from match {
      case flat: OffHeapColumnVector if !flat.hasDictionary && verbatim =>
        val start = flat.valuesNativeAddress + first.toLong * width
        Platform.copyMemory(null, start, null, to, count.toLong * width)
      case arrow: ArrowColumnVector if verbatim =>
        val start = arrow.getValueVector.getDataBuffer.memoryAddress + first.toLong * width
        Platform.copyMemory(null, start, null, to, count.toLong * width)
      case other => copy(other, first, count, to)
    }
  }

  override protected final def appendSome(from: ColumnVector, first: Int, count: Int): Unit = {
    var to = data.address + rows.toLong * width
    var at = 0
    while (at < count) {
      if (from.isNullAt(first + at) || !put(from, first + at, to)) {
        Platform.setMemory(to, 0, width.toLong)
        setNull(rows + at)
      }
      to += width
      at += 1
    }
  }

  /** Whether native vectors hold values of this type as Arrow does. */
  protected def verbatim: Boolean = true

  /** Values none of which is null. */
  protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit

  /** One value that is there; false if it cannot be held and counts as null. */
  protected def put(from: ColumnVector, row: Int, to: Long): Boolean

  override protected final def valueBytes(rows: Int, text: Long): Long = rows.toLong * width

  override protected final def values: Seq[(GrowingBuffer, Long)] =
    Seq(data -> rows.toLong * width)
}

private[columns] final class ByteCopy(allocator: BufferAllocator) extends FixedCopy(1, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getBytes(first, count),
      Platform.BYTE_ARRAY_OFFSET.toLong,
      null,
      to,
      count.toLong)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putByte(null, to, from.getByte(row))
    true
  }
}

private[columns] final class ShortCopy(allocator: BufferAllocator) extends FixedCopy(2, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getShorts(first, count),
      Platform.SHORT_ARRAY_OFFSET.toLong,
      null,
      to,
      count * 2L)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putShort(null, to, from.getShort(row))
    true
  }
}

private[columns] final class IntCopy(allocator: BufferAllocator) extends FixedCopy(4, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getInts(first, count),
      Platform.INT_ARRAY_OFFSET.toLong,
      null,
      to,
      count * 4L)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putInt(null, to, from.getInt(row))
    true
  }
}

private[columns] final class LongCopy(allocator: BufferAllocator) extends FixedCopy(8, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getLongs(first, count),
      Platform.LONG_ARRAY_OFFSET.toLong,
      null,
      to,
      count * 8L)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putLong(null, to, from.getLong(row))
    true
  }
}

private[columns] final class FloatCopy(allocator: BufferAllocator) extends FixedCopy(4, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getFloats(first, count),
      Platform.FLOAT_ARRAY_OFFSET.toLong,
      null,
      to,
      count * 4L)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putFloat(null, to, from.getFloat(row))
    true
  }
}

private[columns] final class DoubleCopy(allocator: BufferAllocator)
    extends FixedCopy(8, allocator) {
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    Platform.copyMemory(
      from.getDoubles(first, count),
      Platform.DOUBLE_ARRAY_OFFSET.toLong,
      null,
      to,
      count * 8L)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = {
    Platform.putDouble(null, to, from.getDouble(row))
    true
  }
}

/** Decimals in sixteen bytes, whatever Spark stores them in. */
private[columns] final class DecimalCopy(of: DecimalType, allocator: BufferAllocator)
    extends FixedCopy(16, allocator) {
  import of.{precision, scale}

  override protected def verbatim: Boolean = false

  /** Value by value: even where Spark stores no null, a decimal of too many digits is one. */
  override protected def copy(from: ColumnVector, first: Int, count: Int, to: Long): Unit =
    appendSome(from, first, count)

  override protected def put(from: ColumnVector, row: Int, to: Long): Boolean = from match {
    case stored: WritableColumnVector if precision <= Decimal.MAX_INT_DIGITS =>
      putLong(stored.getInt(row).toLong, to)
    case stored: WritableColumnVector if precision <= Decimal.MAX_LONG_DIGITS =>
      putLong(stored.getLong(row), to)
    case other =>
      val decimal = other.getDecimal(row, precision, scale)
      decimal.changePrecision(precision, scale) && putAny(decimal, to)
  }

  private def putLong(value: Long, to: Long): Boolean = {
    Platform.putLong(null, to, value)
    Platform.putLong(null, to + 8, value >> 63)
    true
  }

  private def putAny(decimal: Decimal, to: Long): Boolean =
    if (precision <= Decimal.MAX_LONG_DIGITS) putLong(decimal.toUnscaledLong, to)
    else {
      val value = decimal.toJavaBigDecimal.unscaledValue
      Platform.putLong(null, to, value.longValue)
      Platform.putLong(null, to + 8, value.shiftRight(64).longValue)
      true
    }
}
