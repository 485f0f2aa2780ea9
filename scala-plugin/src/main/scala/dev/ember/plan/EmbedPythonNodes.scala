package dev.ember.plan

import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.{ColumnarRule, SparkPlan}

import dev.ember.reason.ReasonLog

/**
 * Puts Ember's nodes in the place of Spark's Python nodes, one for one, and of projections that only rename what
 * they give. A plan that was rewritten before is left as it is.
 */
object EmbedPythonNodes extends Rule[SparkPlan] {
  override def apply(plan: SparkPlan): SparkPlan = PassRenamedRows(embedded(plan))

  private def embedded(plan: SparkPlan): SparkPlan = plan.transformUp { case node =>
    Eligibility.of(node) match {
      case Verdict.Embeddable(replacement) => replacement
      case Verdict.Stays(reason) =>
        ReasonLog.once(reason)
        node
      case Verdict.NotPython | Verdict.Embedded => node
    }
  }
}

/** The rule where every physical plan passes, adaptive or not: before Spark adds its row and column transitions. */
object EmbedBeforeTransitions extends ColumnarRule {
  override def preColumnarTransitions: Rule[SparkPlan] = EmbedPythonNodes
}
