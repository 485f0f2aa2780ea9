package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Expression, NamedExpression, SortOrder}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{WindowInPandasExec => SparkWindowInPandasExec}
import org.apache.spark.sql.execution.python.ember.{
  NodeMetrics,
  PythonNodes,
  SparkNodes,
  WindowFrames,
  WindowOver
}

/** Spark's node for aggregates over windows, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class WindowInPandasExec(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: SparkPlan)
    extends SparkWindowInPandasExec(windows, partition, order, input)
    with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts

  override protected def doExecute(): RDD[InternalRow] = {
    val node = PythonNodes.nodeConf(this, SparkNodes.WindowType, pythonMetrics, artifacts, None)
    val frames = new WindowFrames(
      windowExpression,
      partitionSpec,
      orderSpec,
      child.output,
      longMetric("spillSize"),
      node)
    WindowOver.run(child.execute(), frames, node)
  }

  override protected def withNewChildInternal(newChild: SparkPlan): WindowInPandasExec =
    new WindowInPandasExec(windowExpression, partitionSpec, orderSpec, newChild)

  override def nodeName: String = "EmberWindowInPandas"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[WindowInPandasExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
