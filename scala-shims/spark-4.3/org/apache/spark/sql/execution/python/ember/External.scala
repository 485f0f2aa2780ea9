package org.apache.spark.sql.execution.python.ember

import org.apache.spark.SparkEnv
import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.MapInBatchExec
import org.apache.spark.sql.execution.python.ember.external.{ExternalMaps, ExternalWorkers}

/** What Spark has of functions of any language, in nodes of their own and over a protocol of their own. */
object External {

  /** The strategy knows unified functions alone; the check of plans is where every session passes first. */
  def install(extensions: SparkSessionExtensions): Unit = {
    extensions.injectCheckRule(new UnifiedFunctions(_))
    extensions.injectPlannerStrategy(_ => UnifiedPlans)
  }

  /** Makes Ember the one who makes workers for Spark's protocol, if Spark can speak it. */
  def serve(env: SparkEnv): Unit = ExternalWorkers.install(env): Unit

  def isSparks(plan: SparkPlan): Boolean = ExternalMaps.isSparks(plan)

  def isEmbers(plan: SparkPlan): Boolean = ExternalMaps.isEmbers(plan)

  def embed(plan: SparkPlan): SparkPlan = ExternalMaps.embed(plan)

  /** Why a map is not Spark's unified node, where one was asked for. */
  def whyNotUnified(map: MapInBatchExec): Option[String] =
    if (ExternalMaps.isUnified(map)) None else UnifiedFunctions.whyClassic(map.conf)
}
