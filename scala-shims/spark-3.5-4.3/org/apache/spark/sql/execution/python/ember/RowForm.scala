package org.apache.spark.sql.execution.python.ember

import java.nio.charset.StandardCharsets.UTF_8

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.node.TextNode
import org.apache.arrow.vector.types.pojo.Field

import org.apache.spark.sql.types._

/**
 * What a session whose rows cross as pages converts. All types are those that rows are stored by.
 *
 * @param ordinals
 *   where each argument stands in the input row; nothing if arguments have rows of their own
 * @param wrapped
 *   arguments and results are the fields of one struct column, as the map kinds have them
 * @param joined
 *   an output row begins with the fields of its input row
 * @param chosen
 *   which fields of an input row and its results make an output row, if not all in that order
 * @param pickles
 *   a batch of results has one column more, for what only the JVM can read
 * @param flat
 *   arguments are columns of their own, even where results are wrapped
 * @param grouped
 *   batches hold many groups and tell where they end
 */
private[ember] final case class RowForm(
    input: StructType,
    arguments: StructType,
    ordinals: Option[Seq[Int]],
    output: StructType,
    large: Boolean,
    wrapped: Boolean,
    joined: Boolean,
    chosen: Option[Seq[Int]] = None,
    pickles: Boolean = false,
    flat: Boolean = false,
    grouped: Boolean = false) {

  /** For native code; rows that wait for their results and are too many go to a file in `spillFolder`. */
  def plan(spillFolder: String): Array[Byte] = {
    def places(of: Option[Seq[Int]]) = of.fold("null")(_.mkString("[", ",", "]"))
    s"""{"input":${input.json},"arguments":${arguments.json},"ordinals":${places(ordinals)},""" +
      s""""chosen":${places(chosen)},""" +
      s""""output":${output.json},"large":$large,"wrapped":$wrapped,"flat":$flat,""" +
      s""""joined":$joined,"pickles":$pickles,"grouped":$grouped,""" +
      s""""spill_folder":${TextNode.valueOf(spillFolder)}}"""
  }.getBytes(UTF_8)

  def outputFields: Int = chosen.fold(output.length + before.length)(_.length)

  /** The columns of the input that stand before the results, as native code shows them. */
  def beside: Seq[Field] =
    InputSchema.of(StructType(before), "UTC", large).getFields.asScala.toSeq

  private def before: Seq[StructField] =
    if (joined) chosen.getOrElse(input.indices).filter(_ < input.length).map(input(_)) else Nil
}

private[ember] object RowForm {

  /** With user-defined types as they are stored; nothing if a type has no native conversion. */
  def stored(schema: StructType): Option[StructType] =
    Some(OutputTypes.stored(schema)).filter(_.forall(field => converts(field.dataType)))

  /** Where nulls may stand anywhere, native code needs none of the checks that Spark leaves out. */
  def nullsAllowed(of: DataType): Boolean = of match {
    case struct: StructType =>
      struct.forall(field => field.nullable && nullsAllowed(field.dataType))
    case ArrayType(element, nulls) => nulls && nullsAllowed(element)
    case MapType(key, value, nulls) => nulls && nullsAllowed(key) && nullsAllowed(value)
    case _ => true
  }

  private def converts(of: DataType): Boolean = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType =>
      true
    case DateType | TimestampType | TimestampNTZType | BinaryType | NullType => true
    case CalendarIntervalType => true
    case _: StringType | _: DecimalType | _: YearMonthIntervalType | _: DayTimeIntervalType => true
    case ArrayType(element, _) => converts(element)
    case MapType(key, value, _) => converts(key) && converts(value)
    case struct: StructType => struct.forall(field => converts(field.dataType))
    case other => NewerTypes.has(other)
  }
}
