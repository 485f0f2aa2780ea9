package dev.ember.rows

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeRow

/**
 * One side of cogroups.
 *
 * @param toRow
 *   the row as it crosses: the columns of both sides, those of the other one null
 * @param size
 *   tells what Spark's writer would make of the rows of a piece
 */
final class CogroupSide(val toRow: InternalRow => UnsafeRow, val size: WrittenSize)

/**
 * Rows of cogroups in batches of many: of each cogroup the left rows and then the right ones. Pieces are cut as
 * those of groups, each side for itself, and a side without rows has none. A piece is told as twice its rows, and
 * one more on the right; negative where the cogroup goes on with the next.
 *
 * @param cogroups
 *   left rows and right rows of each; there is a row on one side at least
 * @param limits
 *   of a piece
 */
final class CutCogroups(
    cogroups: Iterator[(Iterator[InternalRow], Iterator[InternalRow])],
    limits: RowBatches.Limits,
    left: CogroupSide,
    right: CogroupSide)
    extends InputRows {
  private val most = math.min(limits.rows, Int.MaxValue / 2)
  private val pieces = new IntsBuilder
  private var rows = 0
  private var leftRows: Iterator[InternalRow] = Iterator.empty
  private var rightRows: Iterator[InternalRow] = Iterator.empty

  override def fill(input: PageWriter, arguments: PageWriter): Option[Int] = {
    input.begin()
    pieces.clear()
    rows = 0
    while (rows < CutGroups.Rows && input.bytes < CutGroups.Bytes && begun()) nextPiece(input)
    if (rows > 0) Some(rows) else None
  }

  override def cut: Option[Pieces] = Some(Pieces(pieces.result(), rows))

  /** Whether there is a row left, in the cogroup at hand or in the next. */
  private def begun(): Boolean = atHand || (cogroups.hasNext && {
    val (nextLeft, nextRight) = cogroups.next()
    leftRows = nextLeft
    rightRows = nextRight
    true
  })

  private def atHand: Boolean = leftRows.hasNext || rightRows.hasNext

  private def nextPiece(input: PageWriter): Unit = {
    val told =
      if (leftRows.hasNext) 2 * piece(leftRows, left, input)
      else 2 * piece(rightRows, right, input) + 1
    pieces += (if (atHand) -told else told)
  }

  private def piece(group: Iterator[InternalRow], side: CogroupSide, input: PageWriter): Int = {
    side.size.begin(input)
    var count = 0
    while (count < most && group.hasNext && side.size.allows(limits.bytes, input)) {
      val row = side.toRow(group.next())
      input.append(row)
      side.size.add(row)
      count += 1
    }
    rows += count
    count
  }

  override def close(): Unit =
    try left.size.close()
    finally right.size.close()
}
