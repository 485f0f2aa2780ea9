package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.AggregateInPandasExec

import dev.ember.exec.{AggregateInPandasExec => EmberAggregateInPandasExec}

/** Functions that make one value of a group: eval type 202. */
object GroupedAggregateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: AggregateInPandasExec if node.getClass == classOf[AggregateInPandasExec] =>
      new EmberAggregateInPandasExec(
        node.groupingExpressions,
        node.aggExpressions,
        node.resultExpressions,
        node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberAggregateInPandasExec]
}
