package org.apache.spark.sql.execution.python.ember

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}
import org.apache.spark.sql.execution.externalUDF.{
  ClassicExternalUDFPlanner,
  ExternalUDFPlanner,
  UnifiedExternalUDFPlanner
}
import org.apache.spark.sql.execution.python.ember.external.ExternalWorkers
import org.apache.spark.sql.internal.SessionState

import dev.ember.config.EmberConf

/**
 * `mapInPandas` with `spark.sql.execution.udf.unified.execution.enabled`, which Spark 4.3.0 plans as a node that cannot
 * run. With Ember it is planned as it is without that setting, and then embedded like any other.
 *
 * It is the check of an analysed plan, since a session checks the plan of a frame before the frame can be mapped. It
 * finds nothing wrong with any.
 */
final class UnifiedFunctions(session: SparkSession) extends (LogicalPlan => Unit) with Logging {
  private lazy val planned: Unit = session match {
    case classic: ClassicSession => planIn(classic)
    case _ => ()
  }

  override def apply(plan: LogicalPlan): Unit = planned

  /** The session's planner is chosen with its state, and no extension can replace it. */
  private def planIn(session: ClassicSession): Unit =
    try {
      val state = session.sessionState
      state.externalUDFPlanner match {
        case sparks: UnifiedExternalUDFPlanner =>
          val field = classOf[SessionState].getDeclaredField("externalUDFPlanner")
          field.setAccessible(true)
          field.set(state, new UnifiedFunctions.Planner(sparks))
        case _ => ()
      }
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember cannot run mapInPandas as a unified function", error)
    }
}

private object UnifiedFunctions {

  /** Where Ember is turned off, or Spark's node is asked for, the node stays. */
  private final class Planner(sparks: ExternalUDFPlanner) extends ExternalUDFPlanner {
    private val classic = new ClassicExternalUDFPlanner

    override def planPythonMapInPandas(
        function: Expression,
        child: LogicalPlan,
        isBarrier: Boolean,
        profile: Option[ResourceProfile]): LogicalPlan =
      chosen.planPythonMapInPandas(function, child, isBarrier, profile)

    override def planPythonMapInArrow(
        function: Expression,
        child: LogicalPlan,
        isBarrier: Boolean,
        profile: Option[ResourceProfile]): LogicalPlan =
      chosen.planPythonMapInArrow(function, child, isBarrier, profile)

    private def chosen: ExternalUDFPlanner = {
      val conf = EmberConf.current
      if (conf.enabled && !(conf.unifiedNode && ExternalWorkers.available)) classic else sparks
    }
  }
}
