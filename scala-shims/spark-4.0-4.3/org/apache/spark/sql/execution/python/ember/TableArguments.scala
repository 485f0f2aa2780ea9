package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.errors.QueryCompilationErrors
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.DataType

/** The arguments of a table function. */
private[ember] object TableArguments {

  /** Which columns they are, and what they are called. */
  type Columns = Array[ArgumentMetadata]

  def notFoldable(table: String, argument: String, of: DataType): Throwable =
    QueryCompilationErrors.nonFoldableArgumentError(table, argument, of)
}
