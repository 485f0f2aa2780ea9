package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.types.{DataType, VariantType}

/** Types that not every Spark has. */
private[ember] object NewerTypes {
  def has(of: DataType): Boolean = of == VariantType
}
