package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowEvalPythonUDTFExec

import dev.ember.exec.{ArrowEvalPythonUDTFExec => EmberArrowEvalPythonUDTFExec}

/** Table functions in Arrow's format: eval types 301 and 302, all that the node has. */
object ArrowTableFunctionKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: ArrowEvalPythonUDTFExec if node.getClass == classOf[ArrowEvalPythonUDTFExec] =>
      new EmberArrowEvalPythonUDTFExec(
        node.udtf,
        node.requiredChildOutput,
        node.resultAttrs,
        node.child,
        node.evalType)
  }

  override def isEmbedded(plan: SparkPlan): Boolean =
    plan.isInstanceOf[EmberArrowEvalPythonUDTFExec]
}
