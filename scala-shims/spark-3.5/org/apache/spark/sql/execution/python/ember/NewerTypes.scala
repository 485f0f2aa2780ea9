package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.types.DataType

/** Types that not every Spark has: 3.5 has none of them. */
private[ember] object NewerTypes {
  def has(@unused of: DataType): Boolean = false
}
