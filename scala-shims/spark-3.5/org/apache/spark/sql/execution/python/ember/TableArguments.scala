package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.AnalysisException
import org.apache.spark.sql.types.DataType

/** The arguments of a table function. */
private[ember] object TableArguments {

  /** Which columns they are: those of Spark 3.5 have no names. */
  type Columns = Array[Int]

  /** What later Sparks say of them. */
  def notFoldable(table: String, argument: String, of: DataType): Throwable =
    new AnalysisException(
      s"The function $table requires the parameter $argument to be a foldable expression of the type ${of.sql}")
}
