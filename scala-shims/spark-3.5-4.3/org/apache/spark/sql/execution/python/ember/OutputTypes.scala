package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, JoinedRow}
import org.apache.spark.sql.types.{ArrayType, DataType, MapType, StructType, UserDefinedType}
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics

/** The check that Spark makes on each batch a scalar function returns, with Spark's error. */
private[ember] final class OutputTypes(results: Seq[Attribute]) extends Serializable {
  val expected: Seq[DataType] = results.map(it => OutputTypes.stored(it.dataType))

  /** Checks the columns of a batch that are results. */
  def check(batch: ColumnarBatch, from: Int = 0): Unit =
    check((from until batch.numCols()).map(batch.column(_).dataType()))

  /** The rows of a batch that Spark's own code reads, once its types are checked. */
  def rows(batch: ColumnarBatch, node: NodeConf): Iterator[InternalRow] = {
    check(batch)
    node.count(EmberMetrics.BatchesForSpark, 1)
    batch.rowIterator.asScala
  }

  def check(actual: Seq[DataType]): Unit =
    if (!SameTypes.are(expected, actual)) {
      throw OtherTypes.error("pandas_udf()", expected, actual)
    }
}

private[ember] object OutputTypes {

  /** The type with that of their values in the place of user-defined ones. */
  def stored(of: DataType): DataType = of match {
    case userDefined: UserDefinedType[?] => userDefined.sqlType
    case ArrayType(element, nulls) => ArrayType(stored(element), nulls)
    case MapType(key, value, nulls) => MapType(stored(key), stored(value), nulls)
    case struct: StructType => stored(struct)
    case other => other
  }

  def stored(of: StructType): StructType =
    StructType(of.map(field => field.copy(dataType = stored(field.dataType))))
}

/**
 * The output of functions whose columns have the declared types, or fail.
 *
 * @param asSpark
 *   what Spark's node does with rows of its worker's columns, behind those of the input if they are joined
 */
private[ember] final class CheckedRows(
    types: OutputTypes,
    asSpark: Iterator[InternalRow] => Iterator[InternalRow])
    extends RowOutput {
  override def comesAsRows(actual: Seq[DataType]): Boolean = {
    types.check(actual)
    true
  }

  override def convert(
      batch: ColumnarBatch,
      inputs: Option[Iterator[InternalRow]]): Iterator[InternalRow] = {
    val results = batch.rowIterator.asScala
    val both = new JoinedRow
    asSpark(inputs.fold(results)(_.zip(results).map { case (input, result) =>
      both(input, result)
    }))
  }
}
