package dev.ember.rows

import scala.util.{Random, Using}

import org.apache.arrow.memory.RootAllocator
import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{BoundReference, UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types._

class CutRowsSuite extends AnyFunSuite with BeforeAndAfterEach {
  private var allocator: RootAllocator = _

  override def beforeEach(): Unit = allocator = new RootAllocator
  override def afterEach(): Unit = allocator.close()

  private val schemas = Seq(
    "a boolean",
    "a long",
    "a byte, b double",
    "a string",
    "a string, b binary, c int",
    "a decimal(10,2), b decimal(38,3)",
    "a array<boolean>, b array<string>",
    "a map<string,array<int>>",
    "a struct<x:int,y:string,z:struct<v:decimal(38,0)>>",
    "a void, b timestamp, c interval",
    "a array<struct<x:string,y:date>>, b float").map(StructType.fromDDL)

  /** A null of it has eight bytes in a row and three hundred in Arrow. */
  private val wide =
    StructType.fromDDL(s"a struct<${(0 until 40).map(i => s"f$i:long").mkString(",")}>")

  private val wideElements =
    StructType.fromDDL(
      "a map<int,array<struct<x:string,y:struct<p:interval,q:interval,r:double>>>>")

  private val byteLimits =
    Seq[Long](1, 2, 9, 17, 64, 65, 200, 777, 4096, 20000, 100000, Int.MaxValue)

  /** Rows in each batch of Spark's loop. */
  private def sparks(
      schema: StructType,
      limits: Option[RowBatches.Limits],
      runs: Seq[Seq[InternalRow]]): Seq[Long] =
    Using.resource(
      new RowBatches(ArrowSchemas.of(schema), allocator, limits, runs.map(_.iterator).iterator))(
      Sizes.of)

  /** Rows in each batch of ours. */
  private def ours(input: CutRows): Seq[Long] =
    Using.resource(new NativePages) { pages =>
      val (rows, arguments) = (pages.writer(), pages.writer())
      try {
        Iterator
          .continually(input.fill(rows, arguments))
          .takeWhile(_.nonEmpty)
          .flatten
          .map(_.toLong)
          .toSeq
      } finally input.close()
    }

  private def cut(
      schema: StructType,
      limits: Option[RowBatches.Limits],
      runs: Seq[Seq[UnsafeRow]],
      toInput: InternalRow => UnsafeRow = _.asInstanceOf[UnsafeRow],
      toArguments: Option[InternalRow => UnsafeRow] = None): CutRows =
    new CutRows(
      runs.map(_.iterator).iterator,
      limits,
      toInput,
      toArguments,
      new WrittenSize(ArrowSchemas.of(schema), wrapped = false, allocator, schema.length, identity))

  private def limits: Seq[RowBatches.Limits] =
    for {
      rows <- Seq(1, 3, 50, 10000)
      bytes <- byteLimits
    } yield RowBatches.Limits(rows, bytes)

  for ((schema, seed) <- (schemas ++ Seq(wide, wideElements)).zipWithIndex) {
    test(s"batches end where Spark ends them: ${schema.simpleString.take(70)}") {
      val rows = new RandomRows(new Random(seed.toLong)).rows(schema, 250)
      for (within <- limits) {
        val wanted = sparks(schema, Some(within), Seq(rows))
        assert(ours(cut(schema, Some(within), Seq(rows))) == wanted, s"within $within")
        assert(wanted.sum == rows.length)
      }
    }
  }

  test("arguments with rows of their own are measured, not the rows they are joined to") {
    val small = UnsafeProjection.create(Array[DataType](LongType))(InternalRow(1L)).copy()
    val schema = StructType.fromDDL("a string, b array<long>")
    val rows = new RandomRows(new Random(99)).rows(schema, 400)
    val separate = Some((row: InternalRow) => row.asInstanceOf[UnsafeRow])
    for (within <- limits) {
      val input = cut(schema, Some(within), Seq(rows), toInput = _ => small, toArguments = separate)
      assert(ours(input) == sparks(schema, Some(within), Seq(rows)), s"within $within")
    }
  }

  test("of a wide row only the columns that are arguments are measured") {
    val whole = StructType.fromDDL("a string, b long, c array<long>")
    val column = UnsafeProjection.create(Seq(BoundReference(1, LongType, nullable = true)))
    val schema = StructType(whole.fields.slice(1, 2))
    val rows = new RandomRows(new Random(5)).rows(whole, 400)
    for (within <- limits) {
      val measured = new WrittenSize(
        ArrowSchemas.of(schema),
        wrapped = false,
        allocator,
        whole.length,
        column(_))
      val input = new CutRows(
        Iterator(rows.iterator),
        Some(within),
        _.asInstanceOf[UnsafeRow],
        None,
        measured)
      val wanted = sparks(schema, Some(within), Seq(rows.map(column(_).copy())))
      assert(ours(input) == wanted, s"within $within")
    }
  }

  test("rows that are sent as one struct are measured as such") {
    for (fields <- Seq(schemas(4), wide)) {
      val schema = new StructType().add("struct", fields)
      val rows = new RandomRows(new Random(6)).rows(fields, 150)
      for (within <- limits) {
        val measured = new WrittenSize(
          ArrowSchemas.of(schema),
          wrapped = true,
          allocator,
          fields.length,
          InternalRow(_))
        val input = new CutRows(
          Iterator(rows.iterator),
          Some(within),
          _.asInstanceOf[UnsafeRow],
          None,
          measured)
        val wanted = sparks(schema, Some(within), Seq(rows.map(InternalRow(_))))
        assert(ours(input) == wanted, s"within $within")
      }
    }
  }

  test("rows in chunks of random limits end where Spark ends them") {
    val random = new Random(2024)
    for (round <- 1 to 60) {
      val schema = schemas(random.nextInt(schemas.length))
      val rows = new RandomRows(random).rows(schema, random.nextInt(300))
      val within =
        RowBatches.Limits(1 + random.nextInt(200), 1L + random.nextInt(1 << random.nextInt(16)))
      val wanted = sparks(schema, Some(within), Seq(rows))
      assert(
        ours(cut(schema, Some(within), Seq(rows))) == wanted,
        s"round $round: $schema, $within")
    }
  }

  test("without limits each inner iterator is a batch, an empty one too") {
    val schema = schemas(1)
    val rows = new RandomRows(new Random(1)).rows(schema, 8)
    val runs = Seq(rows.take(3), Nil, rows.drop(3))
    assert(ours(cut(schema, None, runs)) == Seq(3, 0, 5))
    assert(sparks(schema, None, runs) == Seq(3, 0, 5))
  }

  test("no rows are no batches when a run is cut") {
    val within = RowBatches.Limits(rows = 4, bytes = 100)
    assert(ours(cut(schemas(1), Some(within), Seq(Nil))).isEmpty)
  }

  test("the rows in the pages are the input's and the arguments', in order") {
    val schema = StructType.fromDDL("a long")
    val rows = new RandomRows(new Random(3)).rows(schema, 10)
    val twice = UnsafeProjection.create(Array[DataType](LongType, LongType))
    val separate = Some { (row: InternalRow) =>
      val value = if (row.isNullAt(0)) null else row.getLong(0)
      twice(InternalRow(value, value))
    }
    val within = RowBatches.Limits(rows = 4, bytes = Int.MaxValue)
    Using.resource(new NativePages) { pages =>
      val (page, arguments) = (pages.writer(), pages.writer())
      Using.resource(cut(schema, Some(within), Seq(rows), toArguments = separate)) { input =>
        for (batch <- rows.grouped(4)) {
          assert(input.fill(page, arguments).contains(batch.length))
          assert(page.rows(1).map(_.copy()).toSeq == batch)
          assert(arguments.rows(2).map(_.copy()).toSeq == batch.map(separate.get(_).copy()))
        }
        assert(input.fill(page, arguments).isEmpty)
      }
    }
  }

  test("an error of the upstream is thrown, and nothing is left allocated") {
    val schema = schemas(3)
    val rows = new RandomRows(new Random(3)).rows(schema, 3)
    val failing =
      rows.iterator ++ Iterator.continually[InternalRow](
        throw new IllegalStateException("upstream"))
    val within = RowBatches.Limits(rows = 10, bytes = 1000)
    val size = new WrittenSize(ArrowSchemas.of(schema), wrapped = false, allocator, 1, identity)
    val input =
      new CutRows(Iterator(failing), Some(within), _.asInstanceOf[UnsafeRow], None, size)
    assert(intercept[IllegalStateException](ours(input)).getMessage == "upstream")
    assert(allocator.getAllocatedMemory == 0)
  }
}
