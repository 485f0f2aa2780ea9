package dev.ember.golden

import java.io.{ByteArrayOutputStream, DataOutputStream}
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.{FieldVector, VectorSchemaRoot, ViewVarBinaryVector, ViewVarCharVector}
import org.apache.arrow.vector.ipc.ArrowStreamWriter

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{JoinedRow, UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.catalyst.util.{ArrayBasedMapData, GenericArrayData}
import org.apache.spark.sql.execution.arrow.ArrowWriter
import org.apache.spark.sql.types._
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnVector, ColumnarBatch}
import org.apache.spark.unsafe.types.{CalendarInterval, TimestampNanosVal, UTF8String, VariantVal}

/**
 * Writes what Spark itself makes of each case: the one oracle of the golden test.
 *
 * A file is a run of sections, each a big-endian int and that many bytes: schema of the input rows, schema of the
 * results (JSON), page of the input rows, their Arrow stream, the results' Arrow stream, page of the joined rows, page of
 * the results alone. A page is rows back to back, each behind its length in eight little-endian bytes.
 *
 * Compile with the Scala compiler among Spark's own jars (`scala.tools.nsc.Main -usejavacp -d classes Golden.scala`), then run
 * `dev.ember.golden.Golden` with the folder to write to.
 */
object Golden {

  private val allocator = new RootAllocator(Long.MaxValue)

  def main(args: Array[String]): Unit = {
    val folder = Paths.get(args(0))
    Cases.all.foreach(write(folder, _))
  }

  private def write(folder: Path, c: Case): Unit = {
    val rows = c.rows.map(row => c.arrange(unsafe(c.input, row)))
    val results = c.results.map(unsafe(c.output, _))
    val (in, out) = (arrow(c.input, rows, c.large), c.vectors(arrow(c.output, results, c.large)))
    val columns = out.getFieldVectors.asScala.map(v => new ArrowColumnVector(v): ColumnVector).toArray
    val read = new ColumnarBatch(columns, results.size).rowIterator.asScala
    // One row object serves the whole batch, so each row is projected before the next is asked for.
    val (joined, alone) = rows.iterator
      .zip(read)
      .map { case (row, result) =>
        // A projection of its own for each row: a null interval keeps whatever its buffer held before.
        val both = StructType(c.input.fields ++ c.output.fields)
        (UnsafeProjection.create(both)(new JoinedRow(row, result)).copy(), UnsafeProjection.create(c.output)(result).copy())
      }
      .toSeq
      .unzip
    val sections = Seq(c.input.json.getBytes(UTF_8), c.output.json.getBytes(UTF_8), page(rows), stream(in), stream(out), page(joined), page(alone))
    val bytes = new ByteArrayOutputStream
    val data = new DataOutputStream(bytes)
    sections.foreach { section => data.writeInt(section.length); data.write(section) }
    Files.write(folder.resolve(s"${c.name}.golden"), bytes.toByteArray)
  }

  private def unsafe(schema: StructType, row: InternalRow): UnsafeRow = UnsafeProjection.create(schema)(row).copy()

  private def arrow(schema: StructType, rows: Seq[UnsafeRow], large: Boolean): VectorSchemaRoot = {
    val writer = ArrowWriter.create(schema, "UTC", true, large)
    rows.foreach(writer.write)
    writer.finish()
    writer.root
  }

  private def stream(root: VectorSchemaRoot): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    val writer = new ArrowStreamWriter(root, null, bytes)
    writer.writeBatch()
    writer.end()
    bytes.toByteArray
  }

  private def page(rows: Seq[UnsafeRow]): Array[Byte] = {
    val page = ByteBuffer.allocate(rows.map(8 + _.getSizeInBytes).sum).order(ByteOrder.LITTLE_ENDIAN)
    rows.foreach(row => page.putLong(row.getSizeInBytes).put(row.getBytes))
    page.array
  }

  /** The same text and bytes as views, which only Python makes. */
  def views(root: VectorSchemaRoot): VectorSchemaRoot = {
    val rows = root.getRowCount
    val vectors = root.getFieldVectors.asScala.map { from =>
      val bytes = (0 until rows).map(i => Option(from.getObject(i)).map { case b: Array[Byte] => b; case o => o.toString.getBytes(UTF_8) })
      val view: FieldVector = from.getField.getType match {
        case _: org.apache.arrow.vector.types.pojo.ArrowType.Utf8 =>
          val view = new ViewVarCharVector(from.getName, allocator)
          view.allocateNew()
          bytes.zipWithIndex.foreach { case (b, i) => b.fold(view.setNull(i))(view.setSafe(i, _)) }
          view
        case _ =>
          val view = new ViewVarBinaryVector(from.getName, allocator)
          view.allocateNew()
          bytes.zipWithIndex.foreach { case (b, i) => b.fold(view.setNull(i))(view.setSafe(i, _)) }
          view
      }
      view.setValueCount(rows)
      view
    }
    val copy = new VectorSchemaRoot(vectors.asJava)
    copy.setRowCount(rows)
    copy
  }
}

/** One file: input rows, results for them, and what is peculiar about either. */
final case class Case(
    name: String,
    input: StructType,
    output: StructType,
    rows: Seq[InternalRow],
    results: Seq[InternalRow],
    large: Boolean = false,
    arrange: UnsafeRow => UnsafeRow = identity,
    vectors: VectorSchemaRoot => VectorSchemaRoot = identity)

object Cases {

  def all: Seq[Case] = singles.flatMap { case (name, dt, values) => single(name, dt, values) } ++
    Seq(larges, views, swapped, mixed, wide, none)

  /** A column of one type: with nulls, and (as the results) in reverse, then without any null. */
  private def single(name: String, dt: DataType, values: Seq[Any]): Seq[Case] = {
    val input = new StructType().add("k", IntegerType).add("v", dt)
    val output = new StructType().add("r", dt)
    val padded = values.patch(values.size / 2, Seq(null), 0) :+ null
    val rows = padded.zipWithIndex.map { case (v, i) => InternalRow(i, v) }
    Seq(Case(name, input, output, rows, padded.reverse.map(InternalRow(_))))
  }

  private def text(s: String): UTF8String = UTF8String.fromString(s)
  private def array(values: Any*): GenericArrayData = new GenericArrayData(values.toArray[Any])
  private def map(keys: Any*)(values: Any*): ArrayBasedMapData = new ArrayBasedMapData(array(keys: _*), array(values: _*))
  private def decimal(s: String, dt: DecimalType): Decimal = Decimal(BigDecimal(s), dt.precision, dt.scale)
  private def variant(value: Int*): VariantVal = new VariantVal(value.map(_.toByte).toArray, Array[Byte](1, 0, 0))

  private val small = DecimalType(10, 2)
  private val eighteen = DecimalType(18, 0)
  private val nineteen = DecimalType(19, 3)
  private val great = DecimalType(38, 10)
  private val words = Seq("", "a", "1234567", "12345678", "123456789", "twenty characters!!!", "é√𝄞", "x" * 40)
  private val pair = new StructType().add("a", ShortType).add("b", StringType).add("c", great)

  private val singles: Seq[(String, DataType, Seq[Any])] = Seq(
    ("boolean", BooleanType, Seq(true, false, true, true, false, false, true, true, false)),
    ("byte", ByteType, Seq[Byte](0, -1, 127, -128)),
    ("short", ShortType, Seq[Short](0, -1, 32767, -32768)),
    ("int", IntegerType, Seq(0, -1, Int.MaxValue, Int.MinValue)),
    ("long", LongType, Seq(0L, -1L, Long.MaxValue, Long.MinValue)),
    ("float", FloatType, Seq(0f, -0f, Float.NaN, Float.NegativeInfinity, 1.5f, java.lang.Float.intBitsToFloat(0x7fc00001))),
    ("double", DoubleType, Seq(0d, -0d, Double.NaN, Double.PositiveInfinity, 1.5, java.lang.Double.longBitsToDouble(0x7ff8000000000001L))),
    ("decimal_10_2", small, Seq("0", "-0.01", "99999999.99", "-99999999.99").map(decimal(_, small))),
    ("decimal_18_0", eighteen, Seq("0", "999999999999999999", "-999999999999999999").map(decimal(_, eighteen))),
    ("decimal_19_3", nineteen, Seq("0", "-0.001", "9999999999999999.999", "0.128", "-0.128", "-0.129", "32.768").map(decimal(_, nineteen))),
    ("decimal_38_10", great, Seq("0", "-1", "9" * 28 + "." + "9" * 10, "-" + "9" * 28 + "." + "9" * 10).map(decimal(_, great))),
    ("string", StringType, words.map(text) :+ UTF8String.fromBytes(Array[Byte](-1, -2, 0))),
    ("binary", BinaryType, words.map(_.getBytes("UTF-8"))),
    ("date", DateType, Seq(0, -719162, 2932896)),
    ("timestamp", TimestampType, Seq(0L, -1L, 253402300799999999L)),
    ("timestamp_ntz", TimestampNTZType, Seq(0L, -1L, 253402300799999999L)),
    ("timestamp_ntz_nanos", TimestampNTZNanosType(9), Seq(new TimestampNanosVal(0, 0), new TimestampNanosVal(-1, 999), new TimestampNanosVal(9000000000000000L, 1))),
    ("timestamp_ltz_nanos", TimestampLTZNanosType(8), Seq(new TimestampNanosVal(5, 10), new TimestampNanosVal(-9000000000000000L, 990))),
    ("time", TimeType(6), Seq(0L, 86399999999000L, 1000L)),
    ("year_month", YearMonthIntervalType(), Seq(0, -13, Int.MaxValue)),
    ("day_time", DayTimeIntervalType(), Seq(0L, -1L, Long.MaxValue)),
    ("interval", CalendarIntervalType, Seq(new CalendarInterval(0, 0, 0), new CalendarInterval(-1, 2, -3), new CalendarInterval(Int.MaxValue, Int.MinValue, 9000000000000000L))),
    ("null", NullType, Seq(null, null)),
    ("variant", VariantType, Seq(variant(12, 5), variant(0), variant(12, 1, 2, 3, 4, 5, 6, 7, 8))),
    ("udt", new PointUdt, Seq(array(1.0, 2.0))),
    ("array_boolean", ArrayType(BooleanType), Seq(array(), array(true, null, false), array(Seq.fill(70)(true): _*))),
    ("array_byte", ArrayType(ByteType), Seq(array(), array(1.toByte, null, 3.toByte))),
    ("array_int", ArrayType(IntegerType), Seq(array(), array(1, null, 3), array(1 to 65: _*))),
    ("array_int_solid", ArrayType(IntegerType, containsNull = false), Seq(array(), array(1, 2, 3))),
    ("array_long", ArrayType(LongType), Seq(array(null), array(1L, null, Long.MinValue))),
    ("array_date", ArrayType(DateType), Seq(array(1, null, -3))),
    ("array_string", ArrayType(StringType), Seq(array(), array((words.map(text) :+ null): _*))),
    ("array_decimal_10_2", ArrayType(small), Seq(array(decimal("1.25", small), null))),
    ("array_decimal_38_10", ArrayType(great), Seq(array(decimal("1.25", great), null, decimal("9" * 28, great), decimal("-1", great)))),
    ("array_interval", ArrayType(CalendarIntervalType), Seq(array(new CalendarInterval(1, 2, 3), null, new CalendarInterval(4, 5, 6)))),
    ("array_nanos", ArrayType(TimestampNTZNanosType(9)), Seq(array(new TimestampNanosVal(1, 2), null))),
    ("array_variant", ArrayType(VariantType), Seq(array(variant(12, 5), null))),
    ("array_null", ArrayType(NullType), Seq(array(null, null), array())),
    ("array_array", ArrayType(ArrayType(ShortType)), Seq(array(array(1.toShort, null), null, array()), array())),
    ("array_struct", ArrayType(pair), Seq(array(InternalRow(1.toShort, text("one"), null), null, InternalRow(null, null, decimal("2", great))))),
    ("struct", pair, Seq(InternalRow(1.toShort, text("one"), decimal("-1.5", great)), InternalRow(null, null, null))),
    ("struct_deep", new StructType().add("s", pair).add("l", ArrayType(pair)).add("i", CalendarIntervalType).add("b", BooleanType).add("v", VariantType),
      Seq(InternalRow(InternalRow(1.toShort, text("x"), null), array(InternalRow(null, text("y"), null)), null, true, variant(1)), InternalRow(null, null, new CalendarInterval(1, 2, 3), null, null))),
    ("map", MapType(StringType, IntegerType), Seq(map()(), map(text("a"), text("bcdefghij"))(1, null))),
    ("map_deep", MapType(IntegerType, MapType(LongType, pair)), Seq(map(1, 2)(map(5L)(InternalRow(null, text("z"), null)), null), map()()))
  )

  private val pieces = new StructType().add("s", StringType).add("b", BinaryType)
  private def pieceRows: Seq[InternalRow] = words.zip(words.reverse).map { case (s, b) => InternalRow(text(s), b.getBytes("UTF-8")) } :+ InternalRow(null, null)
  private def nested = new StructType().add("l", ArrayType(StringType)).add("m", MapType(StringType, BinaryType)).add("v", VariantType)

  private def larges: Case = {
    val rows = pieceRows.map(r => InternalRow(r.getUTF8String(0), r.getBinary(1), array(r.getUTF8String(0)), map(text("k"))(r.getBinary(1)), variant(7)))
    val schema = StructType(pieces.fields ++ nested.fields)
    Case("large_text", schema, schema, rows, rows.reverse, large = true)
  }

  private def views: Case = Case("view_text", pieces, pieces, pieceRows, pieceRows.reverse, vectors = Golden.views)

  /** Rows as no writer of today lays them out: the second text stands before the first. */
  private def swapped: Case = {
    val schema = new StructType().add("a", StringType).add("b", StringType).add("d", great)
    val rows = Seq(InternalRow(text("first"), text("the second of two"), decimal("3", great)), InternalRow(text("12345678"), text("x"), null))
    Case("swapped", schema, new StructType().add("r", LongType), rows, Seq(InternalRow(1L), InternalRow(null)), arrange = swap)
  }

  private def swap(row: UnsafeRow): UnsafeRow = {
    val (a, b) = (row.getBinary(0), row.getBinary(1))
    val rounded = (n: Int) => (n + 7) / 8 * 8
    val start = 8 + 3 * 8
    val bytes = ByteBuffer.wrap(row.getBytes).order(ByteOrder.LITTLE_ENDIAN)
    bytes.position(start).put(new Array[Byte](rounded(a.length) + rounded(b.length)))
    bytes.position(start).put(b)
    bytes.position(start + rounded(b.length)).put(a)
    bytes.putLong(8, (start + rounded(b.length)).toLong << 32 | a.length).putLong(16, start.toLong << 32 | b.length)
    val swapped = new UnsafeRow(3)
    swapped.pointTo(bytes.array, bytes.array.length)
    swapped
  }

  private def mixed: Case = {
    val schema = new StructType().add("a", IntegerType).add("b", DoubleType).add("c", StringType).add("d", DecimalType(12, 2)).add("e", TimestampType)
    val rows = (0 until 12).map { i =>
      val values = Seq(i * 7 - 3, i / 3.0, text("row " + "x" * i), Decimal(BigDecimal(i) - 5, 12, 2), i * 1000L)
      InternalRow.fromSeq(values.zipWithIndex.map { case (v, column) => if ((i + column) % 6 == 5) null else v })
    }
    Case("mixed", schema, schema, rows, rows.reverse)
  }

  private def wide: Case = {
    val fields = (0 until 66).map(i => StructField(s"c$i", if (i % 2 == 0) LongType else StringType))
    val rows = (0 until 3).map(r => InternalRow.fromSeq((0 until 66).map(i => if ((i + r) % 5 == 0) null else if (i % 2 == 0) i.toLong else text("v" * (i % 11)))))
    Case("wide", StructType(fields), StructType(fields.take(63)), rows, rows.map(r => InternalRow.fromSeq(r.toSeq(StructType(fields)).take(63))))
  }

  private def none: Case = Case("no_rows", pieces, nested, Nil, Nil)
}

class PointUdt extends UserDefinedType[Any] {
  override def sqlType: DataType = ArrayType(DoubleType, containsNull = false)
  override def serialize(obj: Any): Any = obj
  override def deserialize(datum: Any): Any = datum
  override def userClass: Class[Any] = classOf[Any]
}
