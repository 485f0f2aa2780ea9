package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  FlatMapCoGroupsInArrowExec => SparkFlatMapCoGroupsInArrowExec
}
import org.apache.spark.sql.execution.python.ember.EmberCogroupedMapExec

/** Spark's node for `applyInArrow` over cogroups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class FlatMapCoGroupsInArrowExec(
    leftGrouping: Seq[Attribute],
    rightGrouping: Seq[Attribute],
    function: Expression,
    attributes: Seq[Attribute],
    leftInput: SparkPlan,
    rightInput: SparkPlan)
    extends SparkFlatMapCoGroupsInArrowExec(
      leftGrouping,
      rightGrouping,
      function,
      attributes,
      leftInput,
      rightInput)
    with EmberCogroupedMapExec {
  override protected def withNewChildrenInternal(
      newLeft: SparkPlan,
      newRight: SparkPlan): FlatMapCoGroupsInArrowExec =
    new FlatMapCoGroupsInArrowExec(leftGroup, rightGroup, func, output, newLeft, newRight)

  override def nodeName: String = "EmberFlatMapCoGroupsInArrow"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[FlatMapCoGroupsInArrowExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
