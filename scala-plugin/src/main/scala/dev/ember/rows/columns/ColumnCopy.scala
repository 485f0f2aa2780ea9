package dev.ember.rows.columns

import org.apache.arrow.memory.{ArrowBuf, BufferAllocator}

import org.apache.spark.sql.types._
import org.apache.spark.sql.vectorized.ColumnVector
import org.apache.spark.unsafe.Platform

import dev.ember.rows.LongsBuilder

/**
 * One column of a batch in the making, in Arrow's form: validity bits, then values. What lies under a null is
 * zero, as in Spark's `ArrowWriter`.
 */
private[columns] abstract class ColumnCopy(allocator: BufferAllocator) extends AutoCloseable {
  private val validity = new GrowingBuffer(allocator)
  private var bits = 0
  private var nulls = 0
  private var appended = 0

  protected final def rows: Int = appended

  /** Appends `count` values from `first` on. */
  final def append(from: ColumnVector, first: Int, count: Int): Unit = {
    reserve(appended + count)
    if (from.hasNull) appendSome(from, first, count) else appendAll(from, first, count)
    appended += count
  }

  /** Room for that many rows. */
  protected def reserve(rows: Int): Unit

  /** Appends values none of which is null. */
  protected def appendAll(from: ColumnVector, first: Int, count: Int): Unit

  /** Appends values of which some are null. */
  protected def appendSome(from: ColumnVector, first: Int, count: Int): Unit

  protected final def setNull(row: Int): Unit = {
    if (row >= bits) growBits(row + 1)
    val at = validity.address + (row >> 3)
    Platform.putByte(null, at, (Platform.getByte(null, at) & ~(1 << (row & 7))).toByte)
    nulls += 1
  }

  /** Bits are there from the first null on, and each is one until a null is set. */
  private def growBits(wanted: Int): Unit = {
    val used = ColumnCopy.bytesOfBits(bits)
    val bytes = ColumnCopy.bytesOfBits(math.max(wanted, math.max(bits * 2, 512)))
    validity.reserve(bytes.toLong, used.toLong)
    Platform.setMemory(validity.address + used, 0xff.toByte, (bytes - used).toLong)
    bits = bytes * 8
  }

  /** What `ArrowWriter` would say of a vector with that many more rows and bytes of text. */
  final def bytesWith(more: Int, text: Long): Long = {
    val all = appended + more
    if (all == 0) 0 else ColumnCopy.bytesOfBits(all).toLong + valueBytes(all, text)
  }

  /** The values' share in `bytesWith`. */
  protected def valueBytes(rows: Int, text: Long): Long

  /** Bytes of text that these values have at most; cheap. */
  def textAtMost(from: ColumnVector, first: Int, count: Int): Long = 0

  /** Bytes of text that these values have. */
  def text(from: ColumnVector, first: Int, count: Int): Long = 0

  /** Writes the record of the column; see `ArrowLayout`. */
  final def describe(record: LongsBuilder): Unit = {
    if (nulls > 0) growBitsTo(appended)
    val buffers = values
    record += appended.toLong
    record += nulls.toLong
    record += 1L + buffers.length
    record += 0
    record += (if (nulls > 0) validity.address else 0L)
    record += (if (nulls > 0) ColumnCopy.bytesOfBits(appended).toLong else 0L)
    buffers.foreach { case (buffer, bytes) =>
      record += (if (bytes > 0) buffer.address else 0L)
      record += bytes
    }
  }

  private def growBitsTo(rows: Int): Unit = if (rows > bits) growBits(rows)

  /** The buffers behind the validity, and how much of them counts. */
  protected def values: Seq[(GrowingBuffer, Long)]

  /** Gives the memory away; the column is empty then. */
  final def take(): Seq[ArrowBuf] = {
    val taken = (validity +: values.map(_._1)).flatMap(_.take())
    bits = 0
    nulls = 0
    appended = 0
    taken
  }

  override def close(): Unit = {
    validity.close()
    values.foreach(_._1.close())
  }
}

private[columns] object ColumnCopy {

  def bytesOfBits(bits: Int): Int = ((bits.toLong + 7) / 8).toInt

  /** Whether columns of this type are copied; all others stay rows. */
  def copies(of: DataType): Boolean = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType =>
      true
    case DateType | TimestampType | TimestampNTZType | BinaryType => true
    case _: StringType | _: DecimalType | _: YearMonthIntervalType | _: DayTimeIntervalType => true
    case _ => false
  }

  def of(dataType: DataType, large: Boolean, allocator: BufferAllocator): ColumnCopy =
    dataType match {
      case BooleanType => new BooleanCopy(allocator)
      case ByteType => new ByteCopy(allocator)
      case ShortType => new ShortCopy(allocator)
      case IntegerType | DateType | _: YearMonthIntervalType => new IntCopy(allocator)
      case FloatType => new FloatCopy(allocator)
      case DoubleType => new DoubleCopy(allocator)
      case decimal: DecimalType => new DecimalCopy(decimal, allocator)
      case BinaryType => new BinaryCopy(large, allocator)
      case _: StringType => new StringCopy(large, allocator)
      case LongType | TimestampType | TimestampNTZType | _: DayTimeIntervalType =>
        new LongCopy(allocator)
      case other => throw new IllegalArgumentException(s"columns of ${other.sql} are not copied")
    }
}
