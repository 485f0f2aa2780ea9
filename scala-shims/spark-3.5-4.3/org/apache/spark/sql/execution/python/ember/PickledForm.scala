package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types._

/** How Spark would pickle rows, at most so many at a time. */
final case class PickleConf(groupRows: Int, groupBytes: Long, binaryAsBytes: Boolean)

object PickleConf {
  def of(conf: SQLConf): PickleConf =
    PickleConf(Pickles.groupRows(conf), Pickles.groupBytes(conf), Pickles.binaryAsBytes(conf))
}

/**
 * What crosses for functions whose rows Spark pickles.
 *
 * @param rows
 *   the columns that cross; the results', and the pickles of those that have no column
 * @param pickled
 *   the arguments, if Spark's own pickles of them cross
 */
private[ember] final case class PickledForm(rows: RowForm, pickled: Option[StructType]) {

  /** The columns that Python gets. */
  def sent: StructType = rows.arguments
}

private[ember] object PickledForm {

  /** The one column of an input that is made of pickles: each stands in the first row of its group. */
  val OfPickles = new StructType().add("pickles", BinaryType)

  /** The same where results leave in pickles alone, which the name tells. */
  private val BothWays = new StructType().add("pickles both ways", BinaryType)

  /** Nothing if a column beside the arguments has no native form. */
  def of(
      inputAttributes: Seq[Attribute],
      arguments: FunctionArguments,
      results: Seq[Attribute],
      conf: PickleConf): Option[PickledForm] =
    RowForm
      .stored(FunctionArguments.struct(inputAttributes.map(_.dataType)))
      .filter(_ => results.forall(_.nullable))
      .map { input =>
        val columns = areColumns(arguments.schema, conf.binaryAsBytes)
        val returned = results.map(result => column(result.dataType))
        val pickles = if (returned.contains(NullType)) BothWays else OfPickles
        val ordinals = arguments.columnIndices(inputAttributes).map(_.toSeq)
        val form = RowForm(
          input,
          if (columns) arguments.schema else pickles,
          ordinals.filter(_ => columns && !TableOrder.holdsMap(arguments.schema)),
          FunctionArguments.struct(returned),
          large = false,
          wrapped = false,
          joined = true,
          pickles = true)
        PickledForm(form, if (columns) None else Some(arguments.schema))
      }

  /** Whether native code makes the objects that Spark's pickles of these rows stand for. */
  def areColumns(rows: StructType, binaryAsBytes: Boolean): Boolean =
    rows.forall(column => isPart(column.dataType, binaryAsBytes))

  /** A time that Python has not is an error where Spark makes the row: of a struct, before all others. */
  private def isPart(of: DataType, binaryAsBytes: Boolean, times: Boolean = true): Boolean =
    of match {
      case BooleanType | ByteType | ShortType | IntegerType | LongType => true
      case FloatType | DoubleType | StringType | _: DecimalType => true
      case DateType | TimestampType | TimestampNTZType => times
      case BinaryType => binaryAsBytes
      case ArrayType(element, _) => isPart(element, binaryAsBytes, times)
      case MapType(key, value, _) => isKey(key, times) && isPart(value, binaryAsBytes, times)
      case struct: StructType =>
        areNamed(struct) && struct.forall(field =>
          isPart(field.dataType, binaryAsBytes, times = false))
      case _ => false
    }

  /** Whether it has a place of its own in a table of Java's; Java finds one for bytes by their address. */
  private def isKey(of: DataType, times: Boolean): Boolean =
    isPart(of, binaryAsBytes = false, times) && !of.existsRecursively(_.isInstanceOf[ArrayType])

  /** The type of the column that holds results which need no pickle; without them it is empty. */
  private def column(of: DataType): DataType = part(of).getOrElse(NullType)

  private def part(of: DataType): Option[DataType] = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType =>
      Some(of)
    case BinaryType | StringType | DateType | TimestampType | TimestampNTZType => Some(of)
    case ArrayType(element, nulls) => part(element).map(ArrayType(_, nulls))
    case MapType(key, value, nulls) if isReturnedKey(key) => part(value).map(MapType(key, _, nulls))
    case struct: StructType if areNamed(struct) =>
      val fields = struct.flatMap(field =>
        part(field.dataType).map(StructField(field.name, _, field.nullable)))
      if (fields.length == struct.length) Some(StructType(fields)) else None
    case _ => None
  }

  /** Whether its place in a table of Java's is that of the pickled value: not of a number that was rounded. */
  private def isReturnedKey(of: DataType): Boolean = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | DoubleType => true
    case StringType | DateType | TimestampNTZType => true
    case _ => false
  }

  private def areNamed(struct: StructType): Boolean =
    struct.nonEmpty && struct.names.distinct.length == struct.length
}
