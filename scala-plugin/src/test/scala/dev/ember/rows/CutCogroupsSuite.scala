package dev.ember.rows

import scala.util.Using

import org.apache.arrow.memory.RootAllocator
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types.StructType

class CutCogroupsSuite extends AnyFunSuite {
  private val both = StructType.fromDDL("a long, b long")
  private val unlimited = RowBatches.Limits(Int.MaxValue, Int.MaxValue.toLong)
  private type Cogroup = (Seq[Long], Seq[Long])

  private def rows(values: Seq[Long]): Iterator[InternalRow] = values.iterator.map(InternalRow(_))

  /** The pieces of each batch, and its rows. */
  private def batches(
      cogroups: Seq[Cogroup],
      limits: RowBatches.Limits = unlimited): Seq[(Seq[Int], Seq[(Any, Any)])] = {
    val allocator = new RootAllocator
    Using.resources(allocator, new NativePages) { (_, pages) =>
      val toUnsafe = UnsafeProjection.create(both)
      def side(place: Int): CogroupSide = {
        val schema = ArrowSchemas.of(StructType(Seq(both(place))))
        val size = new WrittenSize(
          schema,
          wrapped = false,
          allocator,
          2,
          row => InternalRow(row.getLong(place)))
        val others = (value: InternalRow) => {
          val own = value.getLong(0)
          toUnsafe(if (place == 0) InternalRow(own, null) else InternalRow(null, own))
        }
        new CogroupSide(others, size)
      }
      val (input, arguments) = (pages.writer(), pages.writer())
      val each = cogroups.iterator.map { case (left, right) => (rows(left), rows(right)) }
      Using.resource(new CutCogroups(each, limits, side(0), side(1))) { cut =>
        Iterator
          .continually(cut.fill(input, arguments))
          .takeWhile(_.nonEmpty)
          .map { filled =>
            val values = input.rows(2).map(pair).toList
            assert(filled.contains(values.length) && cut.cut.exists(_.joined == values.length))
            (cut.cut.get.pieces.toSeq, values)
          }
          .toList
      }
    }
  }

  private def pair(row: UnsafeRow): (Any, Any) = {
    def value(at: Int): Any = if (row.isNullAt(at)) null else row.getLong(at)
    (value(0), value(1))
  }

  test("the left rows of a cogroup stand before the right ones, with nulls for the other side") {
    val cut = batches(Seq((Seq(1, 2), Seq(3)), (Seq(4), Seq(5, 6, 7))))
    assert(cut.map(_._1) == Seq(Seq(-4, 3, -2, 7)))
    assert(cut.head._2.take(4) == Seq((1L, null), (2L, null), (null, 3L), (4L, null)))
  }

  test("a side without rows has no piece") {
    assert(batches(Seq((Seq(1), Nil), (Nil, Seq(2, 3)))).map(_._1) == Seq(Seq(2, 5)))
  }

  test("each side is cut for itself, by rows and by bytes") {
    val cogroups = Seq((1L to 5L, 1L to 3L), (Nil, 1L to 3L))
    for (limits <- Seq(
        RowBatches.Limits(2, Int.MaxValue.toLong),
        RowBatches.Limits(Int.MaxValue, 16))) {
      assert(batches(cogroups, limits).flatMap(_._1) == Seq(-4, -4, -2, -5, 3, -5, 3))
    }
  }

  test("a batch ends with a piece, and the cogroup goes on in the next") {
    val large = 1L to 10000L
    val cut = batches(Seq((large, large), (Seq(1), Nil)))
    assert(cut.map(_._1) == Seq(Seq(-20000), Seq(20001), Seq(2)))
    assert(cut.map(_._2.length) == Seq(10000, 10000, 1))
  }

  test("no cogroup is no batch") {
    assert(batches(Nil).isEmpty)
  }
}
