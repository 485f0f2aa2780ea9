package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.ArrowUtils

/** Arrow's schema of Spark's. */
private[ember] object InputSchema {
  def of(schema: StructType, timeZone: String, largeVarTypes: Boolean): Schema =
    ArrowUtils.toArrowSchema(schema, timeZone, largeVarTypes)

  /** Throws where two fields of a struct have the same name. */
  def checked(schema: StructType, timeZone: String, largeVarTypes: Boolean): Schema = {
    ArrowUtils.failDuplicatedFieldNames(schema)
    of(schema, timeZone, largeVarTypes)
  }
}
