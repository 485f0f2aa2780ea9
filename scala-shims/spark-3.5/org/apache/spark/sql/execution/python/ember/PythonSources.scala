package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.execution.SparkPlan

/** Data sources in Python: they begin with Spark 4.0. */
private[ember] object PythonSources {
  def isOne(@unused plan: SparkPlan): Boolean = false
}
