package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ember.External

/** `mapInPandas` as Spark's unified function, where its node is kept. */
object ExternalMapKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node if External.isSparks(node) => External.embed(node)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = External.isEmbers(plan)
}
