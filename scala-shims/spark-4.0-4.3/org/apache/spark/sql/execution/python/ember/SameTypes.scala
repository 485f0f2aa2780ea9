package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.types.DataType

/** Which types of results Spark takes for those that were declared. */
private[ember] object SameTypes {
  def are(declared: Seq[DataType], actual: Seq[DataType]): Boolean =
    DataType.equalsIgnoreCompatibleCollation(declared, actual)
}
