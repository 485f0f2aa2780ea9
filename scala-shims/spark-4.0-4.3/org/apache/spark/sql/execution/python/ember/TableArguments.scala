package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.errors.QueryCompilationErrors
import org.apache.spark.sql.types.DataType

/** What Spark says of arguments of a table function. */
private[ember] object TableArguments {
  def notFoldable(table: String, argument: String, of: DataType): Throwable =
    QueryCompilationErrors.nonFoldableArgumentError(table, argument, of)
}
