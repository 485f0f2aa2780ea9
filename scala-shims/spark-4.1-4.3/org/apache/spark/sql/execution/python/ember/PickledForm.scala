package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types._

/** How Spark would pickle rows, at most so many at a time. */
final case class PickleConf(groupRows: Int, groupBytes: Long, binaryAsBytes: Boolean)

object PickleConf {
  def of(conf: SQLConf): PickleConf = PickleConf(
    conf.getConf(SQLConf.PYTHON_UDF_MAX_RECORDS_PER_BATCH),
    Pickles.groupBytes(conf),
    conf.pysparkBinaryAsBytes)
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
        val ordinals = arguments.columnIndices(inputAttributes).map(_.toSeq)
        val form = RowForm(
          input,
          if (columns) arguments.schema else OfPickles,
          ordinals.filter(_ => columns),
          FunctionArguments.struct(results.map(result => column(result.dataType))),
          large = false,
          wrapped = false,
          joined = true,
          pickles = true)
        PickledForm(form, Option.unless(columns)(arguments.schema))
      }

  /** Whether native code makes the objects that Spark's pickles of these rows stand for. */
  def areColumns(rows: StructType, binaryAsBytes: Boolean): Boolean = rows.map(_.dataType).forall {
    case BinaryType => binaryAsBytes
    case _: DecimalType => true
    case other => column(other) != NullType
  }

  /** The type of the column that holds results which need no pickle; without them it is empty. */
  private def column(of: DataType): DataType = of match {
    case BooleanType | ByteType | ShortType | IntegerType | LongType | FloatType | DoubleType => of
    case BinaryType | DateType | TimestampType | TimestampNTZType => of
    case StringType => of
    case _ => NullType
  }
}
