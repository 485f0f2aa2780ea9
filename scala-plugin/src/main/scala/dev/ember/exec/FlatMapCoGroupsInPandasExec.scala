package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  FlatMapCoGroupsInPandasExec => SparkFlatMapCoGroupsInPandasExec
}
import org.apache.spark.sql.execution.python.ember.EmberCogroupedMapExec

/** Spark's node for `applyInPandas` over cogroups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class FlatMapCoGroupsInPandasExec(
    leftGrouping: Seq[Attribute],
    rightGrouping: Seq[Attribute],
    function: Expression,
    attributes: Seq[Attribute],
    leftInput: SparkPlan,
    rightInput: SparkPlan)
    extends SparkFlatMapCoGroupsInPandasExec(
      leftGrouping,
      rightGrouping,
      function,
      attributes,
      leftInput,
      rightInput)
    with EmberCogroupedMapExec {
  override protected def withNewChildrenInternal(
      newLeft: SparkPlan,
      newRight: SparkPlan): FlatMapCoGroupsInPandasExec =
    new FlatMapCoGroupsInPandasExec(leftGroup, rightGroup, func, output, newLeft, newRight)

  override def nodeName: String = "EmberFlatMapCoGroupsInPandas"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[FlatMapCoGroupsInPandasExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
