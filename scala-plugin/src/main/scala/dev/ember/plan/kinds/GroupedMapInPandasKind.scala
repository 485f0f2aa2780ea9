package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.FlatMapGroupsInPandasExec

import dev.ember.exec.{FlatMapGroupsInPandasExec => EmberFlatMapGroupsInPandasExec}

/** `applyInPandas` over groups: eval types 201 and, over iterators, 216. */
object GroupedMapInPandasKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: FlatMapGroupsInPandasExec if node.getClass == classOf[FlatMapGroupsInPandasExec] =>
      new EmberFlatMapGroupsInPandasExec(
        node.groupingAttributes,
        node.func,
        node.output,
        node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberFlatMapGroupsInPandasExec]
}
