package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ember.external.ExternalMaps

/** `mapInPandas` as Spark's unified function, where its node is kept. */
object ExternalMapKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node if ExternalMaps.isSparks(node) => ExternalMaps.embed(node)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = ExternalMaps.isEmbers(plan)
}
