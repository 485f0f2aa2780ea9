package dev.ember.rows

import org.apache.spark.sql.catalyst.expressions.UnsafeRow
import org.apache.spark.unsafe.Platform

/**
 * Writes rows into a page of native memory: back to back, each behind its size in eight bytes.
 *
 * @param room
 *   the address of the page with room for that many bytes; what was written stays
 */
final class PageWriter(room: Long => Long) {
  private var address = 0L
  private var capacity = PageWriter.FirstPage
  private var written = 0L

  /** Bytes in the page. */
  def bytes: Long = written

  /** Begins a page, as large as the largest so far. */
  def begin(): Unit = {
    written = 0
    address = room(capacity)
  }

  def append(row: UnsafeRow): Unit = {
    val size = row.getSizeInBytes
    val end = written + 8 + size
    if (end > capacity) grow(end)
    Platform.putLong(null, address + written, size.toLong)
    copy(row, size, address + written + 8)
    written = end
  }

  /** The rows from byte `start` of the page on, one after the other in the same object. */
  def rows(fields: Int, start: Long = 0): Iterator[UnsafeRow] =
    new PageReader(fields).over(address + start, written - start)

  private def grow(needed: Long): Unit = {
    capacity = math.max(needed, capacity * 2)
    address = room(capacity)
  }

  private def copy(row: UnsafeRow, size: Int, to: Long): Unit =
    if (size > PageWriter.Short) {
      Platform.copyMemory(row.getBaseObject, row.getBaseOffset, null, to, size.toLong)
    } else {
      val base = row.getBaseObject
      val from = row.getBaseOffset
      var at = 0
      while (at < size) {
        Platform.putLong(null, to + at, Platform.getLong(base, from + at))
        at += 8
      }
    }
}

private object PageWriter {
  val FirstPage: Long = 64L << 10

  /** Up to here, words cost less than a call of the copy routine. */
  val Short = 128
}

/** Reads pages, in one row object that points into them. */
final class PageReader(fields: Int) {
  private val row = new UnsafeRow(fields)

  def over(address: Long, bytes: Long): Iterator[UnsafeRow] =
    new PageReader.Rows(row, address, address + bytes)
}

private object PageReader {
  private final class Rows(row: UnsafeRow, private var at: Long, end: Long)
      extends Iterator[UnsafeRow] {
    override def hasNext: Boolean = at < end

    override def next(): UnsafeRow = {
      val size = Platform.getLong(null, at).toInt
      row.pointTo(null, at + 8, size)
      at += 8 + size
      row
    }
  }
}
