package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.AnalysisException
import org.apache.spark.sql.types.DataType

/** What later Sparks say of arguments of a table function. */
private[ember] object TableArguments {
  def notFoldable(table: String, argument: String, of: DataType): Throwable =
    new AnalysisException(
      s"The function $table requires the parameter $argument to be a foldable expression of the type ${of.sql}")
}
