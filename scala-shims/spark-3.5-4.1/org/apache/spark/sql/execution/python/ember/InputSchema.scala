package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.ArrowUtils

/** Arrow's schema of Spark's; fields within one keep their names, where Spark 4.1 would number equal ones. */
private[ember] object InputSchema {
  def of(schema: StructType, timeZone: String, largeVarTypes: Boolean): Schema =
    new Schema(schema.map { field =>
      ArrowUtils.toArrowField(field.name, field.dataType, field.nullable, timeZone, largeVarTypes)
    }.asJava)

  /** Throws where two fields of a struct have the same name. */
  def checked(schema: StructType, timeZone: String, largeVarTypes: Boolean): Schema =
    ArrowUtils.toArrowSchema(schema, timeZone, errorOnDuplicatedFieldNames = true, largeVarTypes)
}
