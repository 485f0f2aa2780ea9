package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowWindowPythonExec

import dev.ember.exec.{ArrowWindowPythonExec => EmberArrowWindowPythonExec}

/** Aggregates over windows, with bounds and without: eval types 203 and 253. */
object WindowAggregateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: ArrowWindowPythonExec if node.getClass == classOf[ArrowWindowPythonExec] =>
      new EmberArrowWindowPythonExec(
        node.windowExpression,
        node.partitionSpec,
        node.orderSpec,
        node.child,
        node.evalType)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberArrowWindowPythonExec]
}
