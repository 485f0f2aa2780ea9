package dev.ember.exec

import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.MapInArrowExec
import org.apache.spark.sql.execution.python.ember.EmberMapExec

/** Spark's node for `mapInArrow`, on the embedded lane. Equality as in [[EmberArrowEvalPythonExec]]. */
class EmberMapInArrowExec(
    function: Expression,
    attributes: Seq[Attribute],
    input: SparkPlan,
    barrier: Boolean,
    resources: Option[ResourceProfile])
    extends MapInArrowExec(function, attributes, input, barrier, resources)
    with EmberMapExec {
  override protected def withNewChildInternal(newChild: SparkPlan): EmberMapInArrowExec =
    new EmberMapInArrowExec(func, output, newChild, isBarrier, profile)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[EmberMapInArrowExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
