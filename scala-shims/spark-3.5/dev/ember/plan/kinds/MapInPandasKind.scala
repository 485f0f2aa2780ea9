package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.MapInPandasExec

import dev.ember.exec.{MapInPandasExec => EmberMapInPandasExec}

/** `mapInPandas`: eval type 205. */
object MapInPandasKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: MapInPandasExec if node.getClass == classOf[MapInPandasExec] =>
      new EmberMapInPandasExec(node.func, node.output, node.child, node.isBarrier)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberMapInPandasExec]
}
