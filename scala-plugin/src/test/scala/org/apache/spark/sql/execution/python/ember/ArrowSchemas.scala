package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.ArrowUtils

/** Arrow's schema of Spark's, as runners make it; Spark keeps the means to itself. */
object ArrowSchemas {
  def of(schema: StructType): Schema =
    ArrowUtils.toArrowSchema(schema, "UTC", largeVarTypes = false)
}
