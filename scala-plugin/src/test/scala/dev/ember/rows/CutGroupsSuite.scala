package dev.ember.rows

import scala.util.Using

import org.apache.arrow.memory.RootAllocator
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types.StructType

class CutGroupsSuite extends AnyFunSuite {
  private val schema = StructType.fromDDL("a long")
  private val unlimited = RowBatches.Limits(Int.MaxValue, Int.MaxValue.toLong)

  private def row(value: Long): UnsafeRow =
    UnsafeProjection.create(schema)(InternalRow(value)).copy()

  private def group(key: Option[Long], values: Seq[Long]): RowGroup =
    RowGroup(key.map(row), values.iterator.map(row(_): InternalRow))

  /** What a batch is: its rows, its pieces, what waits in the input's page, and what was asked. */
  private type Batch = (Int, Seq[Int], Seq[Long], Seq[Long])

  private def batches(
      groups: Seq[RowGroup],
      limits: RowBatches.Limits = unlimited,
      keyed: Boolean = false): Seq[Batch] = {
    val allocator = new RootAllocator
    Using.resources(allocator, new NativePages) { (_, pages) =>
      val size =
        new WrittenSize(ArrowSchemas.of(schema), wrapped = false, allocator, 1, identity)
      val (input, arguments) = (pages.writer(), pages.writer())
      val toUnsafe: InternalRow => UnsafeRow = _.asInstanceOf[UnsafeRow]
      val cut = new CutGroups(
        groups.iterator,
        limits,
        Option.when(!keyed)(toUnsafe),
        Option.when(keyed)(toUnsafe),
        size)
      Using.resource(cut) { _ =>
        Iterator
          .continually(cut.fill(input, arguments))
          .takeWhile(_.nonEmpty)
          .map { rows =>
            val told = cut.cut.get
            val kept = longs(input)
            assert(told.joined == kept.size)
            (rows.get, told.pieces.toSeq, kept, if (keyed) longs(arguments) else Nil)
          }
          .toList
      }
    }
  }

  private def longs(page: PageWriter): Seq[Long] = page.rows(1).map(_.getLong(0)).toList

  test("many groups are one batch, and a piece each") {
    val groups = Seq(group(None, Seq(1, 2)), group(None, Seq(3)), group(None, Seq(4, 5, 6)))
    assert(batches(groups) == Seq((6, Seq(2, 1, 3), Seq[Long](1, 2, 3, 4, 5, 6), Nil)))
  }

  test("a group beyond the limit of rows comes in pieces, of which the last ends it") {
    val groups = Seq(group(None, 1L to 5L), group(None, Seq(6)))
    val cut = batches(groups, RowBatches.Limits(2, Int.MaxValue.toLong))
    assert(cut.flatMap(_._2) == Seq(-2, -2, 1, 1))
  }

  test(
    "a group beyond the limit of bytes comes in pieces, counted from the piece's own beginning") {
    val groups = Seq(group(None, Seq(0)), group(None, 1L to 5L))
    val cut = batches(groups, RowBatches.Limits(Int.MaxValue, 16))
    assert(cut.flatMap(_._2) == Seq(1, -2, -2, 1))
  }

  test("keys wait once for each group, with the batch in which it begins") {
    val large = 1L to 20000L
    val groups = Seq(group(Some(7), Seq(1)), group(Some(8), large), group(Some(9), Seq(2)))
    val cut = batches(groups, RowBatches.Limits(9000, Int.MaxValue.toLong), keyed = true)
    assert(cut.map(_._2) == Seq(Seq(1, -9000), Seq(-9000), Seq(2000, 1)))
    assert(cut.map(_._3) == Seq(Seq(7L, 8L), Nil, Seq(9L)))
    assert(cut.flatMap(_._4) == 1L +: large :+ 2L)
  }

  test("no group is no batch") {
    assert(batches(Nil).isEmpty)
  }
}
