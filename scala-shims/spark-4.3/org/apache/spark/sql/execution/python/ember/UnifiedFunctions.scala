package org.apache.spark.sql.execution.python.ember

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.{Expression, PythonUDF}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}
import org.apache.spark.sql.execution.{SparkPlan, SparkStrategy}
import org.apache.spark.sql.execution.externalUDF.{
  ClassicExternalUDFPlanner,
  ExternalUDFPlanner,
  UnifiedExternalUDFPlanner
}
import org.apache.spark.sql.execution.python.ember.external.{ExternalMaps, ExternalWorkers}
import org.apache.spark.sql.internal.{SessionState, SQLConf}

import dev.ember.config.{EmberConf, InvalidSetting}
import dev.ember.session.Admission

/**
 * `mapInPandas` with `spark.sql.execution.udf.unified.execution.enabled`, which Spark 4.3.0 plans as a node that cannot
 * run. Where protobuf is, the node stays Spark's and loses nothing, and Ember runs it; `mapInArrow` becomes one too.
 * Elsewhere both are planned as they are without that setting, and then embedded like any other.
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

object UnifiedFunctions {

  /** Why a map of this session is not Spark's own node, if unified functions are asked for. */
  def whyClassic(conf: SQLConf): Option[String] =
    if (!conf.getConfString(Flag, "false").toBoolean) None
    else if (!ExternalWorkers.available)
      Some("protobuf-java is not on the class path, and Spark's node cannot be had without it")
    else Option.when(!EmberConf.current.unifiedNode)(s"${EmberConf.UnifiedNode.key} is false")

  private val Flag = "spark.sql.execution.udf.unified.execution.enabled"

  /** Where Ember is turned off, Spark's node stays as it is. */
  private final class Planner(sparks: ExternalUDFPlanner) extends ExternalUDFPlanner {
    private val classic = new ClassicExternalUDFPlanner

    override def planPythonMapInPandas(
        function: Expression,
        child: LogicalPlan,
        isBarrier: Boolean,
        profile: Option[ResourceProfile]): LogicalPlan =
      if (!EmberConf.current.enabled)
        sparks.planPythonMapInPandas(function, child, isBarrier, profile)
      else
        unified(function, child, isBarrier, profile)
          .getOrElse(classic.planPythonMapInPandas(function, child, isBarrier, profile))

    override def planPythonMapInArrow(
        function: Expression,
        child: LogicalPlan,
        isBarrier: Boolean,
        profile: Option[ResourceProfile]): LogicalPlan =
      Option
        .when(EmberConf.current.enabled)(())
        .flatMap(_ => unified(function, child, isBarrier, profile))
        .getOrElse(sparks.planPythonMapInArrow(function, child, isBarrier, profile))

    /** Spark's planner of maps in pandas asks only what every map has. */
    private def unified(
        function: Expression,
        child: LogicalPlan,
        isBarrier: Boolean,
        profile: Option[ResourceProfile]): Option[LogicalPlan] = function match {
      case python: PythonUDF if EmberConf.current.unifiedNode && ExternalWorkers.available =>
        Some(
          ExternalMaps
            .unified(sparks.planPythonMapInPandas(python, child, isBarrier, profile), python))
      case _ => None
    }
  }
}

/** Plans such a node; where the settings keep Ember out, as the map that it is without unified functions. */
object UnifiedPlans extends SparkStrategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] =
    if (!ExternalMaps.isUnified(plan)) Nil
    else Seq(ExternalMaps.physical(plan, mayEmbed)(planLater))

  /** What is wrong with a setting is said where the classic node is judged. */
  private def mayEmbed: Boolean =
    try Admission.ofSettings(EmberConf.current).isEmpty
    catch { case _: InvalidSetting => false }
}
