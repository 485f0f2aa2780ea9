package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Expression, NamedExpression, SortOrder}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{ArrowWindowPythonExec => SparkArrowWindowPythonExec}
import org.apache.spark.sql.execution.python.ember.{
  NodeMetrics,
  PythonNodes,
  WindowFrames,
  WindowOver
}

/** Spark's node for aggregates over windows, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class ArrowWindowPythonExec(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: SparkPlan,
    pythonEvalType: Int)
    extends SparkArrowWindowPythonExec(windows, partition, order, input, pythonEvalType)
    with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def doExecute(): RDD[InternalRow] = {
    val node = PythonNodes.nodeConf(this, evalType, pythonMetrics, artifacts, loggedSession)
    val frames = new WindowFrames(
      windowExpression,
      partitionSpec,
      orderSpec,
      child.output,
      longMetric("spillSize"),
      node)
    WindowOver.run(child.execute(), frames, node)
  }

  override protected def withNewChildInternal(newChild: SparkPlan): ArrowWindowPythonExec =
    new ArrowWindowPythonExec(windowExpression, partitionSpec, orderSpec, newChild, evalType)

  override def nodeName: String = "EmberArrowWindowPython"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ArrowWindowPythonExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
