package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.PythonSQLMetrics

import dev.ember.metrics.EmberMetrics

/** A Python node of Spark's that counts what Ember does, too: Spark 4.3 asks nodes for more metrics. */
trait NodeMetrics extends PythonSQLMetrics { self: SparkPlan =>
  override def additionalMetrics: Map[String, SQLMetric] =
    super.additionalMetrics ++ EmberMetrics.create(sparkContext)
}
