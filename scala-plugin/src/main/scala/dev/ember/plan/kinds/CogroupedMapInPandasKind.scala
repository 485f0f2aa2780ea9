package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.FlatMapCoGroupsInPandasExec

import dev.ember.exec.{FlatMapCoGroupsInPandasExec => EmberFlatMapCoGroupsInPandasExec}

/** `applyInPandas` over cogroups: eval type 206. */
object CogroupedMapInPandasKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: FlatMapCoGroupsInPandasExec
        if node.getClass == classOf[FlatMapCoGroupsInPandasExec] =>
      new EmberFlatMapCoGroupsInPandasExec(
        node.leftGroup,
        node.rightGroup,
        node.func,
        node.output,
        node.left,
        node.right)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberFlatMapCoGroupsInPandasExec]
}
