package org.apache.spark.sql.execution.python.ember

import java.nio.charset.StandardCharsets.UTF_8

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types._
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.Native
import dev.ember.rows.{InputRows, OutputVectors, PageReader, PageWriter}
import dev.ember.session.RowCrossing

/**
 * What a session whose rows cross as pages converts. All types are those that rows are stored by.
 *
 * @param ordinals
 *   where each argument stands in the input row; nothing if arguments have rows of their own
 * @param wrapped
 *   arguments and results are the fields of one struct column, as the map kinds have them
 * @param joined
 *   an output row begins with the fields of its input row
 */
private[ember] final case class RowForm(
    input: StructType,
    arguments: StructType,
    ordinals: Option[Seq[Int]],
    output: StructType,
    large: Boolean,
    wrapped: Boolean,
    joined: Boolean) {

  def plan: Array[Byte] = {
    val places = ordinals.fold("null")(_.mkString("[", ",", "]"))
    s"""{"input":${input.json},"arguments":${arguments.json},"ordinals":$places,""" +
      s""""output":${output.json},"large":$large,"wrapped":$wrapped,"joined":$joined}"""
  }.getBytes(UTF_8)

  def outputFields: Int = output.length + (if (joined) input.length else 0)
}

private[ember] object RowForm {

  /** With user-defined types as they are stored; nothing if a type has no native conversion. */
  def stored(schema: StructType): Option[StructType] = {
    val plain = schema.transformRecursively { case own: UserDefinedType[?] => own.sqlType }
    Some(plain).collect {
      case struct: StructType if struct.forall(f => converts(f.dataType)) => struct
    }
  }

  /** Where nulls may stand anywhere, native code needs none of the checks that Spark leaves out. */
  def nullsAllowed(of: DataType): Boolean = of match {
    case struct: StructType =>
      struct.forall(field => field.nullable && nullsAllowed(field.dataType))
    case ArrayType(element, nulls) => nulls && nullsAllowed(element)
    case MapType(key, value, nulls) => nulls && keyAllowed(key) && nullsAllowed(value)
    case _ => true
  }

  private def keyAllowed(key: DataType): Boolean = nullsAllowed(key)

  private def converts(of: DataType): Boolean = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType =>
      true
    case DateType | TimestampType | TimestampNTZType | BinaryType | NullType | VariantType => true
    case CalendarIntervalType => true
    case _: StringType | _: DecimalType | _: YearMonthIntervalType | _: DayTimeIntervalType => true
    case ArrayType(element, _) => converts(element)
    case MapType(key, value, _) => converts(key) && converts(value)
    case struct: StructType => struct.forall(field => converts(field.dataType))
    case _ => false
  }
}

/** A session whose rows cross as pages, and come back as rows that point into pages. */
private[ember] final class RowRun(opened: OpenedSession, form: RowForm, output: RowOutput) {
  import opened.{context, count, handle, place}

  private val columns = new OutputColumns(opened)
  private val reader = new PageReader(form.outputFields)
  private var inPages: Option[Boolean] = None
  private val run = new EmbeddedRun[InputRows, Iterator[InternalRow]](
    opened,
    new RowCrossing(place.native, handle, form.ordinals.isEmpty, take(_, _)),
    () => columns.close())

  def start(input: InputRows): Iterator[InternalRow] = {
    // Before the session's own listener, so that it runs after it: rows are read until the task ends.
    context.addTaskCompletionListener[Unit](_ => place.native.freeRows(handle)): Unit
    run.start(counted(input)).flatten
  }

  private def take(native: Native, session: Long): Iterator[InternalRow] = {
    val pages = inPages.getOrElse {
      val fits = output.comesAsRows(actualTypes(native.outputSchema(session)))
      inPages = Some(fits)
      fits
    }
    if (pages) rows(native.outputRows(session))
    else output.convert(columns.show(native.output(session)))
  }

  private def rows(page: Array[Long]): Iterator[InternalRow] = {
    count("pythonNumRowsReceived", page(2))
    count("pythonDataReceived", page(3))
    count(EmberMetrics.BatchesReceived, 1)
    reader.over(page(0), page(1))
  }

  private def actualTypes(message: Array[Byte]): Seq[DataType] =
    OutputVectors.schemaOf(message).getFields.asScala.toSeq.map(ArrowUtils.fromArrowField)

  private def counted(input: InputRows): InputRows = new InputRows {
    override def fill(rows: PageWriter, arguments: PageWriter): Option[Int] = {
      val filled = input.fill(rows, arguments)
      filled.foreach { number =>
        count("pythonDataSent", (if (form.ordinals.isEmpty) arguments else rows).bytes)
        count(EmberMetrics.RowsSent, number.toLong)
        count(EmberMetrics.BatchesSent, 1)
      }
      filled
    }

    override def close(): Unit = input.close()
  }
}

/** What a kind expects of its function's output. */
private[ember] trait RowOutput {

  /** Whether columns of these types come back as rows; throws Spark's error if the kind refuses them. */
  def comesAsRows(actual: Seq[DataType]): Boolean

  /** The rows of a batch of other types, as Spark reads them. */
  def convert(batch: ColumnarBatch): Iterator[InternalRow]
}

private[ember] object RowRun {

  /** Rows that Spark already stores in its own form are written as they are. */
  def toUnsafe(schema: StructType): InternalRow => UnsafeRow = {
    lazy val projection = UnsafeProjection.create(schema)

    {
      case unsafe: UnsafeRow => unsafe
      case other => projection(other)
    }
  }
}
