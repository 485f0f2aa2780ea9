package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.WindowInPandasExec

import dev.ember.exec.{WindowInPandasExec => EmberWindowInPandasExec}

/** Aggregates over windows, with bounds and without: eval type 203. */
object WindowAggregateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: WindowInPandasExec if node.getClass == classOf[WindowInPandasExec] =>
      new EmberWindowInPandasExec(
        node.windowExpression,
        node.partitionSpec,
        node.orderSpec,
        node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberWindowInPandasExec]
}
