package org.apache.spark.sql.execution.python.ember.external

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec

/** Spark's nodes for external functions, as those ask who may not load protobuf. */
object ExternalMaps {
  private val Sparks = "org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec"
  private val Embers = getClass.getPackageName + ".ExternalMapExec"

  def isSparks(plan: SparkPlan): Boolean = plan.getClass.getName == Sparks

  def isEmbers(plan: SparkPlan): Boolean = plan.getClass.getName == Embers

  /** Ember's node in the place of Spark's. */
  def embed(plan: SparkPlan): SparkPlan = plan match {
    case node: MapPartitionsExternalUDFExec =>
      val expected = node.logicalLink.fold(node.output)(_.output)
      new ExternalMapExec(
        node.workerSpec,
        node.function,
        node.isBarrier,
        node.profile,
        node.child,
        expected)
    case other =>
      throw new IllegalStateException(s"$other is no node of Spark's for such functions")
  }
}
