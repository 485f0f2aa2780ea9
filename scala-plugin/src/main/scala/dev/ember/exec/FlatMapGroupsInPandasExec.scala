package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  FlatMapGroupsInPandasExec => SparkFlatMapGroupsInPandasExec
}
import org.apache.spark.sql.execution.python.ember.EmberGroupedMapExec

/** Spark's node for `applyInPandas` over groups, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class FlatMapGroupsInPandasExec(
    grouping: Seq[Attribute],
    function: Expression,
    attributes: Seq[Attribute],
    input: SparkPlan)
    extends SparkFlatMapGroupsInPandasExec(grouping, function, attributes, input)
    with EmberGroupedMapExec {
  override protected def wrapped: Boolean = false

  override protected def withNewChildInternal(newChild: SparkPlan): FlatMapGroupsInPandasExec =
    new FlatMapGroupsInPandasExec(groupingAttributes, func, output, newChild)

  override def nodeName: String = "EmberFlatMapGroupsInPandas"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[FlatMapGroupsInPandasExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
