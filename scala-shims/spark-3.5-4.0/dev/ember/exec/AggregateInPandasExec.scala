package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.NamedExpression
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{AggregateInPandasExec => SparkAggregateInPandasExec}
import org.apache.spark.sql.execution.python.ember.{
  AggregateOver,
  NodeMetrics,
  PythonNodes,
  SparkNodes
}

/** Spark's node for aggregates over groups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class AggregateInPandasExec(
    grouping: Seq[NamedExpression],
    aggregates: Seq[AggregateExpression],
    results: Seq[NamedExpression],
    input: SparkPlan)
    extends SparkAggregateInPandasExec(grouping, aggregates, results, input)
    with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts

  override protected def doExecute(): RDD[InternalRow] = {
    val node =
      PythonNodes.nodeConf(this, SparkNodes.AggregateType, pythonMetrics, artifacts, None)
    AggregateOver.run(child.execute(), this, node)
  }

  override protected def withNewChildInternal(newChild: SparkPlan): AggregateInPandasExec =
    new AggregateInPandasExec(groupingExpressions, aggExpressions, resultExpressions, newChild)

  override def nodeName: String = "EmberAggregateInPandas"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[AggregateInPandasExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
