package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  FlatMapGroupsInArrowExec => SparkFlatMapGroupsInArrowExec
}
import org.apache.spark.sql.execution.python.ember.EmberGroupedMapExec

/** Spark's node for `applyInArrow` over groups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class FlatMapGroupsInArrowExec(
    grouping: Seq[Attribute],
    function: Expression,
    attributes: Seq[Attribute],
    input: SparkPlan)
    extends SparkFlatMapGroupsInArrowExec(grouping, function, attributes, input)
    with EmberGroupedMapExec {
  override protected def wrapped: Boolean = true

  override protected def withNewChildInternal(newChild: SparkPlan): FlatMapGroupsInArrowExec =
    new FlatMapGroupsInArrowExec(groupingAttributes, func, output, newChild)

  override def nodeName: String = "EmberFlatMapGroupsInArrow"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[FlatMapGroupsInArrowExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
