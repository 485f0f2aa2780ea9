package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.PythonMapInArrowExec

import dev.ember.exec.{PythonMapInArrowExec => EmberPythonMapInArrowExec}

/** `mapInArrow`: eval type 207. */
object MapInArrowKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = {
    case node: PythonMapInArrowExec if node.getClass == classOf[PythonMapInArrowExec] =>
      new EmberPythonMapInArrowExec(node.func, node.output, node.child, node.isBarrier)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan.isInstanceOf[EmberPythonMapInArrowExec]
}
