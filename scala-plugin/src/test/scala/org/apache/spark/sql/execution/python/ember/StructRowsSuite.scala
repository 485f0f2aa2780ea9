package org.apache.spark.sql.execution.python.ember

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.types._

class StructRowsSuite extends AnyFunSuite {

  private val solid = new StructType()
    .add("id", LongType, nullable = false)
    .add("scores", ArrayType(DoubleType, containsNull = false))

  private def comesAsRows(declared: StructType, actual: DataType): Boolean =
    new StructRows(DataTypeUtils.toAttributes(declared), _ => ()).comesAsRows(Seq(actual))

  test("results whose declared type forbids nulls come as rows, whatever their own type says") {
    assert(comesAsRows(solid, solid))
    assert(comesAsRows(solid, solid.asNullable))
    assert(comesAsRows(solid.asNullable, solid))
  }

  test("results of another type are read by Spark's own code") {
    assert(!comesAsRows(solid, new StructType().add("id", LongType)))
    assert(!comesAsRows(solid, LongType))
    assert(
      !comesAsRows(solid, new StructType().add("id", StringType).add("scores", solid(1).dataType)))
  }
}
