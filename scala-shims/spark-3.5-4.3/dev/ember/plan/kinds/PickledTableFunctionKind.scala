package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.BatchEvalPythonUDTFExec

import dev.ember.exec.{BatchEvalPythonUDTFExec => EmberBatchEvalPythonUDTFExec}

/** Table functions whose rows Spark pickles: eval type 300. */
object PickledTableFunctionKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: BatchEvalPythonUDTFExec if node.getClass == classOf[BatchEvalPythonUDTFExec] =>
      new EmberBatchEvalPythonUDTFExec(
        node.udtf,
        node.requiredChildOutput,
        node.resultAttrs,
        node.child)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberBatchEvalPythonUDTFExec]
}
