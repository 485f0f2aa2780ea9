package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.types.{DataType, UserDefinedType}
import org.apache.spark.sql.vectorized.ColumnarBatch

/** The check that Spark makes on each batch a scalar function returns, with Spark's error. */
private[ember] final class OutputTypes(results: Seq[Attribute]) {
  val expected: Seq[DataType] = results.map(_.dataType.transformRecursively {
    case userDefined: UserDefinedType[?] => userDefined.sqlType
  })

  def check(batch: ColumnarBatch): Unit =
    check((0 until batch.numCols()).map(batch.column(_).dataType()))

  def check(actual: Seq[DataType]): Unit =
    if (!DataType.equalsIgnoreCompatibleCollation(expected, actual)) {
      throw QueryExecutionErrors.arrowDataTypeMismatchError("pandas_udf()", expected, actual)
    }
}
