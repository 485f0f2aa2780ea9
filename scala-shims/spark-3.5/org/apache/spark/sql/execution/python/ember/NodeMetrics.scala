package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}
import org.apache.spark.sql.execution.python.PythonSQLMetrics

import dev.ember.metrics.EmberMetrics

/** A Python node of Spark's that counts what Ember does, too, among the metrics that every such node has. */
trait NodeMetrics extends PythonSQLMetrics { self: SparkPlan =>
  override val pythonMetrics: Map[String, SQLMetric] = Map(
    "pythonDataSent" ->
      SQLMetrics.createSizeMetric(sparkContext, "data sent to Python workers"),
    "pythonDataReceived" ->
      SQLMetrics.createSizeMetric(sparkContext, "data returned from Python workers"),
    "pythonNumRowsReceived" ->
      SQLMetrics.createMetric(sparkContext, "number of output rows")) ++
    EmberMetrics.create(sparkContext)
}
