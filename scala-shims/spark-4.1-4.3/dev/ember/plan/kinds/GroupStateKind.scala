package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.streaming.FlatMapGroupsInPandasWithStateExec

import dev.ember.exec.{
  FlatMapGroupsInPandasWithStateExec => EmberFlatMapGroupsInPandasWithStateExec
}

/** `applyInPandasWithState`: eval type 208. */
object GroupStateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: FlatMapGroupsInPandasWithStateExec
        if node.getClass == classOf[FlatMapGroupsInPandasWithStateExec] =>
      EmberFlatMapGroupsInPandasWithStateExec(node)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberFlatMapGroupsInPandasWithStateExec]
}
