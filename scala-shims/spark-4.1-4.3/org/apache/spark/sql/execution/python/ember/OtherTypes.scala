package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.DataType

/** What Spark says of results of other types than were declared. */
private[ember] object OtherTypes {
  def error(function: String, expected: Seq[DataType], actual: Seq[DataType]): Throwable =
    QueryExecutionErrors.arrowDataTypeMismatchError(function, expected, actual)

  def checkMap(evalType: Int, expected: DataType, actual: DataType): Unit =
    if (SQLConf.get.pysparkArrowValidateSchema &&
      !DataType.equalsIgnoreCompatibleNullability(actual, expected)) {
      throw error(PythonEvalType.toString(evalType), Seq(expected), Seq(actual))
    }
}
