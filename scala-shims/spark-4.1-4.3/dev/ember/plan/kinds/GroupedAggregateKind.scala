package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowAggregatePythonExec

import dev.ember.exec.{ArrowAggregatePythonExec => EmberArrowAggregatePythonExec}

/** Functions that make one value of a group: eval types 202 and 252 and, over iterators, 217 and 254. */
object GroupedAggregateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: ArrowAggregatePythonExec if node.getClass == classOf[ArrowAggregatePythonExec] =>
      new EmberArrowAggregatePythonExec(
        node.groupingExpressions,
        node.aggExpressions,
        node.resultExpressions,
        node.child,
        node.evalType)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberArrowAggregatePythonExec]
}
