package dev.ember.rows

import scala.util.Using

import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.arrow.ArrowWriter
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types._

class RowBatchesSuite extends AnyFunSuite with BeforeAndAfterEach {
  private val schema = ArrowSchemas.of(StructType(Seq(StructField("_0", LongType))))
  private var allocator: RootAllocator = _

  override def beforeEach(): Unit = allocator = new RootAllocator
  override def afterEach(): Unit = allocator.close()

  private def rows(count: Int): Iterator[InternalRow] =
    Iterator.tabulate(count)(i => InternalRow(i.toLong))

  private def sizes(batches: RowBatches): Seq[Long] = Using.resource(batches)(Sizes.of)

  test("a run of rows is cut at the row limit") {
    val limits = RowBatches.Limits(rows = 4, bytes = Int.MaxValue)
    assert(
      sizes(new RowBatches(schema, allocator, Some(limits), Iterator(rows(10)))) == Seq(4, 4, 2))
  }

  test(
    "a run of rows is cut once a batch has reached the byte limit, whatever was allocated for it") {
    for (bytes <- Seq[Long](1, 48, 49, 50, 80000, Int.MaxValue)) {
      val limits = RowBatches.Limits(rows = 15000, bytes)
      val batches = sizes(new RowBatches(schema, allocator, Some(limits), Iterator(rows(20000))))
      assert(batches.sum == 20000)
      assert(batches.init.forall(_ == firstCut(limits)), s"at $bytes bytes")
    }
  }

  /** Where Spark's own loop would cut first. */
  private def firstCut(limits: RowBatches.Limits): Long = {
    val root = VectorSchemaRoot.create(schema, allocator)
    val writer = ArrowWriter.create(root)
    val all = rows(limits.rows)
    var count = 0L
    while (all.hasNext && (limits.bytes == Int.MaxValue || writer.sizeInBytes() < limits.bytes)) {
      writer.write(all.next())
      count += 1
    }
    root.close()
    count
  }

  test("no rows are no batches when a run is cut") {
    val limits = RowBatches.Limits(rows = 4, bytes = Int.MaxValue)
    assert(sizes(new RowBatches(schema, allocator, Some(limits), Iterator(rows(0)))).isEmpty)
  }

  test("without limits each inner iterator is a batch, an empty one too") {
    assert(sizes(
      new RowBatches(schema, allocator, None, Iterator(rows(3), rows(0), rows(5)))) == Seq(3, 0, 5))
  }

  test("a lent batch stays as it was while the next are written") {
    val limits = RowBatches.Limits(rows = 2, bytes = Int.MaxValue)
    val batches = new RowBatches(schema, allocator, Some(limits), Iterator(rows(6)))
    val lent = Iterator.continually(batches.next()).takeWhile(_.nonEmpty).flatten.toSeq
    val values = lent.flatMap { batch =>
      val vectors = new OutputVectors(schema, allocator)
      val loaded = vectors.load(0L +: batch.layout, _ => ()).batch
      val column = (0 until loaded.numRows()).map(loaded.column(0).getLong)
      vectors.close()
      column
    }
    assert(values == Seq(0, 1, 2, 3, 4, 5))
    lent.foreach(_.memory.close())
    batches.close()
  }

  test("an error of the upstream leaves no memory behind") {
    val failing =
      rows(3) ++ Iterator.continually[InternalRow](throw new IllegalStateException("upstream"))
    val limits = RowBatches.Limits(rows = 10, bytes = Int.MaxValue)
    val batches = new RowBatches(schema, allocator, Some(limits), Iterator(failing))
    assert(intercept[IllegalStateException](batches.next()).getMessage == "upstream")
    batches.close()
    assert(allocator.getAllocatedMemory == 0)
  }
}
