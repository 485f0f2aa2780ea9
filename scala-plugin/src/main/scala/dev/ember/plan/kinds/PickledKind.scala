package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.BatchEvalPythonExec

import dev.ember.exec.{BatchEvalPythonExec => EmberBatchEvalPythonExec}

/** Row functions whose rows Spark pickles: eval type 100. */
object PickledKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: BatchEvalPythonExec if node.getClass == classOf[BatchEvalPythonExec] =>
      new EmberBatchEvalPythonExec(node.udfs, node.resultAttrs, node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberBatchEvalPythonExec]
}
