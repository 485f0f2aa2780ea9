package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowEvalPythonExec

import dev.ember.exec.{ArrowEvalPythonExec => EmberArrowEvalPythonExec}

/** Scalar functions in Arrow's format: eval types 101, 200, 204, 250 and 251, all that the node has. */
object ScalarKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: ArrowEvalPythonExec if node.getClass == classOf[ArrowEvalPythonExec] =>
      new EmberArrowEvalPythonExec(node.udfs, node.resultAttrs, node.child, node.evalType)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberArrowEvalPythonExec]
}
