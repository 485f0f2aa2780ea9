package dev.ember.explain

import org.apache.spark.sql.ExtendedExplainGenerator
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.adaptive.{AdaptiveSparkPlanExec, QueryStageExec}
import org.apache.spark.sql.execution.python.MapInBatchExec
import org.apache.spark.sql.execution.python.ember.External

import dev.ember.plan.{Eligibility, Verdict}

/** A line of EXPLAIN for each Python node: embedded, or why not. */
class EmberExplain extends ExtendedExplainGenerator {
  override def title: String = "Ember"

  override def generateExtendedInfo(plan: SparkPlan): String = {
    val lines = nodes(plan).flatMap(line)
    if (lines.isEmpty) "no Python functions" else lines.mkString("\n")
  }

  private def line(node: SparkPlan): Option[String] = Eligibility.of(node) match {
    case Verdict.NotPython => None
    case Verdict.Embedded => Some(s"${node.nodeName}: embedded${notUnified(node)}")
    case Verdict.Embeddable(_) =>
      Some(s"${node.nodeName}: will be embedded${notUnified(node)}")
    case Verdict.Stays(reason) => Some(s"${node.nodeName}: on Spark's own runner. $reason")
  }

  private def notUnified(node: SparkPlan): String = node match {
    case map: MapInBatchExec =>
      External.whyNotUnified(map).fold("")(why => s", not as Spark's unified node. $why")
    case _ => ""
  }

  private def nodes(plan: SparkPlan): Seq[SparkPlan] = {
    val below = plan match {
      case adaptive: AdaptiveSparkPlanExec => Seq(adaptive.executedPlan)
      case stage: QueryStageExec => Seq(stage.plan)
      case other => other.children
    }
    plan +: (below ++ plan.subqueries).flatMap(nodes)
  }
}
