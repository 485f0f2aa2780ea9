package dev.ember.rows.columns

import scala.jdk.CollectionConverters._
import scala.util.{Random, Using}

import org.apache.arrow.memory.RootAllocator
import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.execution.python.ember.{ArrowSchemas, Vectors}
import org.apache.spark.sql.types._
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.{OutputVectors, RandomRows, RowBatches, Sizes}

class InputColumnsSuite extends AnyFunSuite with BeforeAndAfterEach {
  private var allocator: RootAllocator = _

  override def beforeEach(): Unit = allocator = new RootAllocator
  override def afterEach(): Unit = allocator.close()

  private val schema = StructType.fromDDL(
    "a boolean, b byte, c short, d int, e long, f float, g double, h string, i binary, j date, " +
      "k timestamp, l timestamp_ntz, m decimal(5,2), n decimal(18,3), o decimal(38,10)")
  private val solid = StructType(schema.map(_.copy(nullable = false)))
  private val everything = RowBatches.Limits(10000, Int.MaxValue.toLong)

  private type Source = (StructType, Seq[UnsafeRow]) => ColumnarBatch
  private def sources: Map[String, Source] = Map(
    "heap" -> (Vectors.onHeap(_, _)),
    "native" -> (Vectors.offHeap(_, _)),
    "Arrow" -> (Vectors.arrow(_, _, allocator)))

  private def shape(of: StructType, wrapped: Boolean = false): ColumnShape =
    ColumnShape(of, of.indices, of.indices, large = false, wrapped, joined = true)

  private def rows(of: StructType, count: Int, seed: Int): Seq[UnsafeRow] =
    new RandomRows(new Random(seed.toLong)).rows(of, count)

  /** Reads all batches; `read` is called while the memory of each is there. */
  private def each[T](input: InputColumns)(read: LentColumns => T): Seq[T] =
    Using.resource(input) { _ =>
      Iterator
        .continually(input.next())
        .takeWhile(_.nonEmpty)
        .flatten
        .map(lent => Using.resource(lent.memory)(_ => read(lent)))
        .toSeq
    }

  /** The rows of a layout, read by Spark's own Arrow columns. */
  private def read(of: StructType)(layout: Array[Long]): Seq[UnsafeRow] = {
    val project = UnsafeProjection.create(of)
    Using.resource(new OutputVectors(ArrowSchemas.of(of), allocator)) { vectors =>
      val batch = vectors.load(0L +: layout, _ => ()).batch
      batch.rowIterator.asScala.map(project(_).copy()).toSeq
    }
  }

  for {
    (name, source) <- sources
    (kind, of) <- Seq("with nulls" -> schema, "without nulls" -> solid)
  } {
    test(s"columns $kind from $name vectors hold what rows of them would") {
      val pieces = Seq(0, 1, 9, 300, 64, 8).zipWithIndex.map { case (n, i) => rows(of, n, i) }
      val batches = pieces.map(source(of, _))
      val whole = each(InputColumns.cut(shape(of), everything, batches.iterator, allocator)) {
        lent => (read(of)(lent.arguments), read(of)(lent.columns))
      }
      assert(whole == Seq((pieces.flatten, pieces.flatten)))
      val apart = each(InputColumns.asTheyAre(shape(of), batches.iterator, allocator)) { lent =>
        read(of)(lent.columns)
      }
      assert(apart == pieces)
      batches.foreach(_.close())
    }

    test(s"columns $kind from $name vectors are cut where Spark cuts rows") {
      val made = rows(of, 200, 5)
      val batches = made.grouped(33).map(source(of, _)).toSeq
      for {
        most <- Seq(1, 7, 50, 10000)
        bytes <- Seq[Long](1, 60, 300, 777, 5000, 20000, Int.MaxValue)
        wrapped <- Seq(false, true)
      } {
        val limits = RowBatches.Limits(most, bytes)
        val cut = InputColumns.cut(shape(of, wrapped), limits, batches.iterator, allocator)
        assert(
          each(cut)(_.rows) == sparks(of, limits, made, wrapped),
          s"within $limits, wrapped $wrapped")
      }
      batches.foreach(_.close())
    }
  }

  /** Rows in each batch of Spark's loop. */
  private def sparks(
      of: StructType,
      limits: RowBatches.Limits,
      made: Seq[UnsafeRow],
      wrapped: Boolean): Seq[Int] = {
    val written = if (wrapped) new StructType().add("struct", of) else of
    val wrap = (row: UnsafeRow) => if (wrapped) InternalRow(row) else row
    val input = Iterator(made.iterator.map(wrap))
    Using.resource(new RowBatches(ArrowSchemas.of(written), allocator, Some(limits), input))(
      Sizes.of(_).map(_.toInt))
  }

  test("a batch that is full does not ask for the next one") {
    val batches = Seq.fill(2)(Vectors.onHeap(solid, rows(solid, 10, 1)))
    var asked = 0
    val counted = batches.iterator.map { batch =>
      asked += 1
      batch
    }
    val limits = RowBatches.Limits(10, Int.MaxValue.toLong)
    Using.resource(InputColumns.cut(shape(solid), limits, counted, allocator)) { input =>
      input.next().foreach(_.memory.close())
      assert(asked == 1)
    }
  }

  test("arguments are some of the columns, in any order") {
    val of = StructType.fromDDL("a long, b string, c int")
    val made = rows(of, 20, 3)
    val two =
      ColumnShape(of, Seq(2, 0, 1), Seq(2, 0), large = false, wrapped = false, joined = true)
    val turned = StructType(Seq(of(1), of(2), of(0)))
    val source = Vectors.onHeap(
      turned,
      made.map { row =>
        UnsafeProjection
          .create(turned)(
            InternalRow(
              if (row.isNullAt(1)) null else row.getUTF8String(1),
              if (row.isNullAt(2)) null else row.getInt(2),
              if (row.isNullAt(0)) null else row.getLong(0)))
          .copy()
      })
    val arguments = StructType(Seq(of(2), of(0)))
    val input = InputColumns.asTheyAre(two, Iterator(source), allocator)
    val (asked, kept) = each(input) { lent =>
      (read(arguments)(lent.arguments), read(of)(lent.columns))
    }.head
    assert(kept == made)
    assert(asked.map(_.isNullAt(1)) == made.map(_.isNullAt(0)))
  }
}
