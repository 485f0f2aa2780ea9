package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.MapInArrowExec

import dev.ember.exec.{MapInArrowExec => EmberMapInArrowExec}

/** `mapInArrow`: eval type 207. */
object MapInArrowKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: MapInArrowExec if node.getClass == classOf[MapInArrowExec] =>
      new EmberMapInArrowExec(node.func, node.output, node.child, node.isBarrier, node.profile)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberMapInArrowExec]
}
