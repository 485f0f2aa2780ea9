package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.FlatMapCoGroupsInArrowExec

import dev.ember.exec.{FlatMapCoGroupsInArrowExec => EmberFlatMapCoGroupsInArrowExec}

/** `applyInArrow` over cogroups: eval type 210. */
object CogroupedMapInArrowKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: FlatMapCoGroupsInArrowExec if node.getClass == classOf[FlatMapCoGroupsInArrowExec] =>
      new EmberFlatMapCoGroupsInArrowExec(
        node.leftGroup,
        node.rightGroup,
        node.func,
        node.output,
        node.left,
        node.right)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberFlatMapCoGroupsInArrowExec]
}
