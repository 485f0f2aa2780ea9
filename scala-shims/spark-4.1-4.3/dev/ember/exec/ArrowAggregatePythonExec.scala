package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.NamedExpression
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  ArrowAggregatePythonExec => SparkArrowAggregatePythonExec
}
import org.apache.spark.sql.execution.python.ember.{AggregateOver, NodeMetrics, PythonNodes}

/** Spark's node for aggregates over groups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class ArrowAggregatePythonExec(
    grouping: Seq[NamedExpression],
    aggregates: Seq[AggregateExpression],
    results: Seq[NamedExpression],
    input: SparkPlan,
    pythonEvalType: Int)
    extends SparkArrowAggregatePythonExec(grouping, aggregates, results, input, pythonEvalType)
    with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def doExecute(): RDD[InternalRow] = {
    val node = PythonNodes.nodeConf(this, evalType, pythonMetrics, artifacts, loggedSession)
    AggregateOver.run(child.execute(), this, node)
  }

  override protected def withNewChildInternal(newChild: SparkPlan): ArrowAggregatePythonExec =
    new ArrowAggregatePythonExec(
      groupingExpressions,
      aggExpressions,
      resultExpressions,
      newChild,
      evalType)

  override def nodeName: String = "EmberArrowAggregatePython"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ArrowAggregatePythonExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
