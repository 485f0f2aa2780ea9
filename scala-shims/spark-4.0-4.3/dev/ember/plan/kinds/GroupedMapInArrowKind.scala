package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.FlatMapGroupsInArrowExec

import dev.ember.exec.{FlatMapGroupsInArrowExec => EmberFlatMapGroupsInArrowExec}

/** `applyInArrow` over groups: eval types 209 and, over iterators, 215. */
object GroupedMapInArrowKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: FlatMapGroupsInArrowExec if node.getClass == classOf[FlatMapGroupsInArrowExec] =>
      new EmberFlatMapGroupsInArrowExec(node.groupingAttributes, node.func, node.output, node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberFlatMapGroupsInArrowExec]
}
