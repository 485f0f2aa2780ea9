package org.apache.spark.sql.execution.python.ember.external

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, MapPartitionsExternalUDF}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec
import org.apache.spark.sql.execution.python.{MapInArrowExec, MapInPandasExec}

/** Spark's nodes for external functions, as those ask who may not load protobuf. */
object ExternalMaps {
  private val Sparks = "org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec"
  private val Package = getClass.getPackageName
  private val OverProtocol = s"$Package.ExternalMapExec"
  private val Unified = s"$Package.UnifiedMapExec"
  private val UnifiedLogical = s"$Package.UnifiedMap"

  def isSparks(plan: SparkPlan): Boolean = plan.getClass.getName == Sparks

  def isEmbers(plan: SparkPlan): Boolean = isUnified(plan) || plan.getClass.getName == OverProtocol

  def isUnified(plan: SparkPlan): Boolean = plan.getClass.getName == Unified

  def isUnified(plan: LogicalPlan): Boolean = plan.getClass.getName == UnifiedLogical

  /** Spark's logical node, holding the function as Python has it. */
  def unified(planned: LogicalPlan, python: PythonUDF): LogicalPlan = planned match {
    case sparks: MapPartitionsExternalUDF => UnifiedMap.of(sparks, python)
    case classic => classic
  }

  /** Ember's node for that; where Ember may not run it, the node that Spark has for the function without unified ones. */
  def physical(plan: LogicalPlan, mayEmbed: Boolean)(below: LogicalPlan => SparkPlan): SparkPlan =
    plan match {
      case map: UnifiedMap if mayEmbed =>
        new UnifiedMapExec(
          map.workerSpec,
          map.function,
          map.isBarrier,
          map.profile,
          below(map.child),
          map.output)
      case map: UnifiedMap => classic(map, below(map.child))
      case other => throw new IllegalStateException(s"$other is no unified function of Ember's")
    }

  private def classic(map: UnifiedMap, child: SparkPlan): SparkPlan =
    map.python.evalType match {
      case PythonEvalType.SQL_MAP_ARROW_ITER_UDF =>
        MapInArrowExec(map.python, map.output, child, map.isBarrier, map.profile)
      case _ => MapInPandasExec(map.python, map.output, child, map.isBarrier, map.profile)
    }

  /** Ember's node in the place of Spark's that does not hold its function as Python has it: over Spark's protocol. */
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
