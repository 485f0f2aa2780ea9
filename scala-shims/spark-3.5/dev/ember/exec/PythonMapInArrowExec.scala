package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{PythonMapInArrowExec => SparkPythonMapInArrowExec}
import org.apache.spark.sql.execution.python.ember.EmberMapExec

/** Spark's node for `mapInArrow`, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class PythonMapInArrowExec(
    function: Expression,
    attributes: Seq[Attribute],
    input: SparkPlan,
    barrier: Boolean)
    extends SparkPythonMapInArrowExec(function, attributes, input, barrier)
    with EmberMapExec {
  override protected def withNewChildInternal(newChild: SparkPlan): PythonMapInArrowExec =
    new PythonMapInArrowExec(func, output, newChild, isBarrier)

  override def nodeName: String = "EmberMapInArrow"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[PythonMapInArrowExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
