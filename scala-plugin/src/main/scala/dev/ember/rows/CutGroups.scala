package dev.ember.rows

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeRow

/**
 * How the rows of a batch of many groups fall apart. A group that is larger than Spark's batches comes in pieces,
 * which may lie in several batches.
 *
 * @param pieces
 *   the rows of each piece; negative where the group of a piece goes on with the next
 * @param joined
 *   the rows of the input's page, if arguments have a page of their own
 */
final case class Pieces(pieces: Array[Int], joined: Int)

/** One group: the row its result is joined with, if there is one, and its rows, of which there is at least one. */
final case class RowGroup(key: Option[UnsafeRow], rows: Iterator[InternalRow])

/**
 * Rows in batches of many groups. Within a group, pieces end where Spark's own writer would end a batch; a batch
 * ends with a piece, when it has rows enough.
 *
 * @param limits
 *   of a piece
 * @param toInput
 *   the row as it is kept, unless what is kept are the keys
 * @param toArguments
 *   the row of arguments, if they are not all columns of the input
 * @param size
 *   tells what Spark's writer would make of the rows of a piece
 */
final class CutGroups(
    groups: Iterator[RowGroup],
    limits: RowBatches.Limits,
    toInput: Option[InternalRow => UnsafeRow],
    toArguments: Option[InternalRow => UnsafeRow],
    size: WrittenSize)
    extends InputRows {
  private val pieces = new IntsBuilder
  private var joined = 0
  private var group: Iterator[InternalRow] = Iterator.empty

  override def fill(input: PageWriter, arguments: PageWriter): Option[Int] = {
    input.begin()
    if (toArguments.nonEmpty) arguments.begin()
    val sent = if (toArguments.nonEmpty) arguments else input
    pieces.clear()
    joined = 0
    var rows = 0
    while (rows < CutGroups.Rows && sent.bytes < CutGroups.Bytes && begun(input)) {
      rows += piece(input, arguments, sent)
    }
    if (rows > 0) Some(rows) else None
  }

  override def cut: Option[Pieces] = Some(Pieces(pieces.result(), joined))

  /** Whether there is a row left, in the group at hand or in the next. */
  private def begun(input: PageWriter): Boolean =
    group.hasNext || (groups.hasNext && {
      val next = groups.next()
      group = next.rows
      next.key.foreach { key =>
        input.append(key)
        joined += 1
      }
      true
    })

  private def piece(input: PageWriter, arguments: PageWriter, sent: PageWriter): Int = {
    size.begin(sent)
    var rows = 0
    while (rows < limits.rows && group.hasNext && size.allows(limits.bytes, sent)) {
      val row = group.next()
      val kept = toInput.map(_(row))
      kept.foreach { written =>
        input.append(written)
        joined += 1
      }
      val asked = toArguments.fold(kept)(project => Some(project(row)))
      if (toArguments.nonEmpty) asked.foreach(arguments.append)
      asked.foreach(size.add)
      rows += 1
    }
    pieces += (if (group.hasNext) -rows else rows)
    rows
  }

  override def close(): Unit = size.close()
}

object CutGroups {

  /** A batch has about so many rows: enough for its fixed cost, few enough to be prepared ahead. */
  private[rows] val Rows = 8192

  /** And about so many bytes. */
  private[rows] val Bytes = 1L << 20
}

/** Ints without boxes. */
private final class IntsBuilder {
  private var ints = new Array[Int](64)
  private var size = 0

  def +=(value: Int): Unit = {
    if (size == ints.length) ints = java.util.Arrays.copyOf(ints, size * 2)
    ints(size) = value
    size += 1
  }

  def clear(): Unit = size = 0

  def result(): Array[Int] = java.util.Arrays.copyOf(ints, size)
}
