package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkExec

import dev.ember.exec.{TransformWithStateInPySparkExec => EmberTransformWithStateInPySparkExec}

/** `transformWithState`: eval types 211 and, over rows, 213; with states to begin with 212 and 214. */
object TransformWithStateKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: TransformWithStateInPySparkExec
        if node.getClass == classOf[TransformWithStateInPySparkExec] =>
      EmberTransformWithStateInPySparkExec(node)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberTransformWithStateInPySparkExec]
}
