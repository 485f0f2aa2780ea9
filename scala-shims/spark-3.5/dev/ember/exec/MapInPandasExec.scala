package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{MapInPandasExec => SparkMapInPandasExec}
import org.apache.spark.sql.execution.python.ember.EmberMapExec

/** Spark's node for `mapInPandas`, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class MapInPandasExec(
    function: Expression,
    attributes: Seq[Attribute],
    input: SparkPlan,
    barrier: Boolean)
    extends SparkMapInPandasExec(function, attributes, input, barrier)
    with EmberMapExec {
  override protected def withNewChildInternal(newChild: SparkPlan): MapInPandasExec =
    new MapInPandasExec(func, output, newChild, isBarrier)

  override def nodeName: String = "EmberMapInPandas"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[MapInPandasExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
