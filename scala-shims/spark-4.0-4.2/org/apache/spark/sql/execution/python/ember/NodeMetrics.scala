package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}
import org.apache.spark.sql.execution.python.PythonSQLMetrics

import dev.ember.metrics.EmberMetrics

/** A Python node of Spark's that counts what Ember does, too, among the metrics that every such node has. */
trait NodeMetrics extends PythonSQLMetrics { self: SparkPlan =>
  override protected val pythonMetrics: Map[String, SQLMetric] =
    PythonSQLMetrics.pythonSizeMetricsDesc.map { case (key, words) =>
      key -> SQLMetrics.createSizeMetric(sparkContext, words)
    } ++ PythonSQLMetrics.pythonTimingMetricsDesc.map { case (key, words) =>
      key -> SQLMetrics.createTimingMetric(sparkContext, words)
    } ++ PythonSQLMetrics.pythonOtherMetricsDesc.map { case (key, words) =>
      key -> SQLMetrics.createMetric(sparkContext, words)
    } ++ EmberMetrics.create(sparkContext)
}
