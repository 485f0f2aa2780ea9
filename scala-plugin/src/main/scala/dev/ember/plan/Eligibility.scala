package dev.ember.plan

import scala.util.control.NonFatal

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ember.PythonNodes

import dev.ember.config.{EmberConf, InvalidSetting}
import dev.ember.plan.kinds.Kind
import dev.ember.reason.FallbackReason
import dev.ember.session.Admission

/** What becomes of a Python node. */
sealed trait Verdict

object Verdict {
  case object NotPython extends Verdict

  /** It is one of Ember's nodes already. */
  case object Embedded extends Verdict

  /** Proof that a node can be embedded: the node that takes its place. */
  final case class Embeddable(replacement: SparkPlan) extends Verdict
  final case class Stays(reason: FallbackReason) extends Verdict
}

object Eligibility {

  /** Never throws: whatever goes wrong is a reason to leave the node as it is. */
  def of(node: SparkPlan): Verdict =
    try {
      if (Kind.all.exists(_.isEmbedded(node))) Verdict.Embedded
      else if (!PythonNodes.isPython(node)) Verdict.NotPython
      else judge(node)
    } catch {
      case invalid: InvalidSetting => Verdict.Stays(FallbackReason.InvalidConf(invalid.getMessage))
      case error @ (NonFatal(_) | _: LinkageError) =>
        Verdict.Stays(FallbackReason.unexpected(error))
    }

  private def judge(node: SparkPlan): Verdict =
    Admission.ofSettings(EmberConf.current) match {
      case Some(reason) => Verdict.Stays(reason)
      case None =>
        Kind.all
          .collectFirst(Function.unlift((kind: Kind) => kind.embed.lift(node)))
          .fold[Verdict](Verdict.Stays(FallbackReason.KindNotEmbedded(node.nodeName)))(
            Verdict.Embeddable(_))
    }
}
