package org.apache.spark.sql.execution.python.ember

/** How a worker is told that it is one: before 4.2 Spark does not. */
trait NamedRuntime {
  protected final def runtimeVariables: Map[String, String] = Map.empty
}
