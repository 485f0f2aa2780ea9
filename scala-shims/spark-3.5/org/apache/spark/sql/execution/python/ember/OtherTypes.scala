package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.types.DataType

/** What Spark says of results of other types than were declared. */
private[ember] object OtherTypes {

  /** In the words of 3.5, which are the same for every function. */
  def error(@unused function: String, expected: Seq[DataType], actual: Seq[DataType]): Throwable =
    new AssertionError(
      "assertion failed: Invalid schema from pandas_udf: " +
        s"expected ${expected.mkString(", ")}, got ${actual.mkString(", ")}")

  /** 3.5 does not look at the types of maps. */
  def checkMap(@unused evalType: Int, @unused expected: DataType, @unused actual: DataType): Unit =
    ()
}
