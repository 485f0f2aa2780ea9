package org.apache.spark.sql.execution.python.ember

/** How a worker is told that it is one: since 4.2 by a variable. */
trait NamedRuntime {
  protected final def runtimeVariables: Map[String, String] = Map(
    "SPARK_PYTHON_RUNTIME" -> "PYTHON_WORKER")
}
