package org.apache.spark.sql.execution.python.ember

import org.apache.spark.SparkEnv
import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.MapInBatchExec

/** Functions of any language in nodes of their own begin with Spark 4.3; here there are none. */
object External {
  def install(extensions: SparkSessionExtensions): Unit = ()

  def serve(env: SparkEnv): Unit = ()

  def isSparks(plan: SparkPlan): Boolean = false

  def isEmbers(plan: SparkPlan): Boolean = false

  def embed(plan: SparkPlan): SparkPlan =
    throw new IllegalStateException(s"$plan is no node of Spark's for such functions")

  def whyNotUnified(map: MapInBatchExec): Option[String] = None
}
