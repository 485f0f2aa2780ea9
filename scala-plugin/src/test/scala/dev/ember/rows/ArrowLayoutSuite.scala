package dev.ember.rows

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.types.pojo.Schema
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{GenericInternalRow, UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.catalyst.util.{ArrayBasedMapData, GenericArrayData}
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.UTF8String

class ArrowLayoutSuite extends AnyFunSuite {
  private val struct = StructType(Seq(StructField("a", LongType), StructField("b", StringType)))
  private val types: Seq[DataType] = Seq(
    LongType,
    IntegerType,
    BooleanType,
    DoubleType,
    StringType,
    BinaryType,
    DecimalType(20, 3),
    TimestampType,
    DateType,
    ArrayType(StringType),
    MapType(LongType, StringType),
    struct,
    ArrayType(struct),
    NullType)
  private val schema = StructType(types.zipWithIndex.map { case (of, index) =>
    StructField(s"_$index", of)
  })

  test("rows of every shape survive the way out and back") {
    withAllocator { allocator =>
      val rows = Seq(row(0), row(1), InternalRow.fromSeq(types.map(_ => null)), row(3))
      val arrow = ArrowSchemas.of(schema)
      val batches = new RowBatches(
        arrow,
        allocator,
        Some(RowBatches.Limits(10, Int.MaxValue)),
        Iterator(rows.iterator))
      val sent = batches.next().get
      assert(batches.next().isEmpty)
      val vectors = new OutputVectors(arrow, allocator)
      val back = vectors.load(fromPython(sent, handle = 77), _ => ())
      assert(back.bytes == bytesOf(arrow, sent))
      assert(unsafe(back.batch.rowIterator.asScala) == unsafe(rows.iterator))
      vectors.close()
      sent.memory.close()
      batches.close()
    }
  }

  test("a batch goes back to its owner once, when the next is loaded or the vectors are closed") {
    withAllocator { allocator =>
      val arrow = ArrowSchemas.of(schema)
      val runs = Iterator(Seq(row(1)).iterator, Seq(row(2), row(3)).iterator)
      val batches = new RowBatches(arrow, allocator, None, runs)
      val (first, second) = (batches.next().get, batches.next().get)
      val returned = new ArrayBuffer[Long]
      val vectors = new OutputVectors(arrow, allocator)
      vectors.load(fromPython(first, handle = 1), returned += _)
      assert(returned.isEmpty)
      val loaded = vectors.load(fromPython(second, handle = 2), returned += _)
      assert(returned == Seq(1L))
      assert(loaded.batch.numRows() == 2)
      vectors.close()
      assert(returned == Seq(1L, 2L))
      Seq(first, second).foreach(_.memory.close())
      batches.close()
    }
  }

  test("bits of validity are there where a value is null, and nowhere else") {
    withAllocator { allocator =>
      val arrow = ArrowSchemas.of(StructType(Seq("a", "b").map(StructField(_, LongType))))
      val rows = Iterator(InternalRow(1L, 2L), InternalRow(3L, null))
      val batches = new RowBatches(arrow, allocator, None, Iterator(rows))
      val sent = batches.next().get
      val sizes = ArrowLayout.read(arrow, fromPython(sent, 0)).buffers.map(_.size)
      assert(sizes == Seq(0L, 16L, 1L, 16L))
      sent.memory.close()
      batches.close()
    }
  }

  test("a batch of no rows, and one of no columns, are whole batches") {
    withAllocator { allocator =>
      val none = ArrowSchemas.of(StructType(Nil))
      val empty = new RowBatches(
        none,
        allocator,
        None,
        Iterator(Iterator(InternalRow.empty, InternalRow.empty)))
      val sent = empty.next().get
      assert(sent.layout.toSeq == Seq(2L, 0L))
      sent.memory.close()
      empty.close()

      val arrow = ArrowSchemas.of(schema)
      val noRows = new RowBatches(arrow, allocator, None, Iterator(Iterator.empty))
      val zero = noRows.next().get
      val returned = new ArrayBuffer[Long]
      val vectors = new OutputVectors(arrow, allocator)
      assert(vectors.load(fromPython(zero, handle = 3), returned += _).batch.numRows() == 0)
      vectors.close()
      assert(returned == Seq(3L))
      zero.memory.close()
      noRows.close()
    }
  }

  test("a layout that does not fit the announced schema is refused and given back") {
    withAllocator { allocator =>
      val arrow = ArrowSchemas.of(StructType(Seq(StructField("_0", LongType))))
      val vectors = new OutputVectors(arrow, allocator)
      val returned = new ArrayBuffer[Long]
      for (layout <- Seq(Array(5L, 1L, 2L), Array(6L, 1L, 1L, 1L, 0L, 2L, 1L, 0L, 0L, 0L, 0L))) {
        intercept[IllegalArgumentException](vectors.load(layout, returned += _))
      }
      assert(returned == Seq(5L, 6L))
      vectors.close()
    }
  }

  private def row(seed: Int): InternalRow = {
    val string = UTF8String.fromString(s"text é $seed")
    val inner = new GenericInternalRow(Array[Any](seed.toLong, if (seed % 2 == 0) null else string))
    InternalRow(
      seed.toLong << 33,
      seed,
      seed % 2 == 0,
      seed / 3.0,
      string,
      Array.fill(seed)(seed.toByte),
      Decimal(BigDecimal(seed) / 8, 20, 3),
      seed * 1000000L,
      seed,
      new GenericArrayData(Array[Any](string, null)),
      ArrayBasedMapData(Array[Any](1L, 2L), Array[Any](string, null)),
      inner,
      new GenericArrayData(Array.fill[Any](seed)(inner)),
      null)
  }

  private def fromPython(sent: InputBatch, handle: Long): Array[Long] = handle +: sent.layout

  private def bytesOf(arrow: Schema, sent: InputBatch): Long =
    ArrowLayout.read(arrow, fromPython(sent, 0)).buffers.map(_.size).sum

  /** As Spark's own row format, in which equal rows have equal bytes. */
  private def unsafe(rows: Iterator[InternalRow]): Seq[UnsafeRow] = {
    val toUnsafe = UnsafeProjection.create(schema)
    rows.map(toUnsafe(_).copy()).toSeq
  }

  private def withAllocator(body: RootAllocator => Unit): Unit = {
    val allocator = new RootAllocator
    body(allocator)
    assert(allocator.getAllocatedMemory == 0)
    allocator.close()
  }
}
