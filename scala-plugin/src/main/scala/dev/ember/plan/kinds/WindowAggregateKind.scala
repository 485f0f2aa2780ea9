package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowWindowPythonExec
import org.apache.spark.sql.execution.python.ember.WindowOver

import dev.ember.exec.{ArrowWindowPythonExec => EmberArrowWindowPythonExec}

/** Aggregates over windows without bounds: eval types 203 and 253. Windows with bounds stay Spark's. */
object WindowAggregateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: ArrowWindowPythonExec
        if node.getClass == classOf[ArrowWindowPythonExec] && WindowOver.isUnbounded(node) =>
      new EmberArrowWindowPythonExec(
        node.windowExpression,
        node.partitionSpec,
        node.orderSpec,
        node.child,
        node.evalType)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberArrowWindowPythonExec]
}
