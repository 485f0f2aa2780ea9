package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ember.EmberGroupStateExec
import org.apache.spark.sql.execution.python.streaming.{
  FlatMapGroupsInPandasWithStateExec => SparkFlatMapGroupsInPandasWithStateExec
}
import org.apache.spark.sql.execution.streaming.operators.stateful.StatefulOperatorStateInfo
import org.apache.spark.sql.streaming.{GroupStateTimeout, OutputMode}
import org.apache.spark.sql.types.StructType

/** Spark's node for `applyInPandasWithState`, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class FlatMapGroupsInPandasWithStateExec(
    function: Expression,
    grouping: Seq[Attribute],
    attributes: Seq[Attribute],
    state: StructType,
    info: Option[StatefulOperatorStateInfo],
    formatVersion: Int,
    mode: OutputMode,
    timeout: GroupStateTimeout,
    batchTime: Option[Long],
    watermarkForLate: Option[Long],
    watermarkForEviction: Option[Long],
    skipsInitialKeys: Boolean,
    input: SparkPlan)
    extends SparkFlatMapGroupsInPandasWithStateExec(
      function,
      grouping,
      attributes,
      state,
      info,
      formatVersion,
      mode,
      timeout,
      batchTime,
      watermarkForLate,
      watermarkForEviction,
      skipsInitialKeys,
      input)
    with EmberGroupStateExec {
  override protected def withNewChildInternal(
      newChild: SparkPlan): FlatMapGroupsInPandasWithStateExec =
    FlatMapGroupsInPandasWithStateExec(super.withNewChildInternal(newChild))

  override def nodeName: String = "EmberFlatMapGroupsInPandasWithState"

  override def canEqual(other: Any): Boolean =
    other.isInstanceOf[FlatMapGroupsInPandasWithStateExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}

object FlatMapGroupsInPandasWithStateExec {

  /** What takes the place of Spark's node. */
  def apply(node: SparkFlatMapGroupsInPandasWithStateExec): FlatMapGroupsInPandasWithStateExec =
    new FlatMapGroupsInPandasWithStateExec(
      node.functionExpr,
      node.groupingAttributes,
      node.outAttributes,
      node.stateType,
      node.stateInfo,
      node.stateFormatVersion,
      node.outputMode,
      node.timeoutConf,
      node.batchTimestampMs,
      node.eventTimeWatermarkForLateEvents,
      node.eventTimeWatermarkForEviction,
      node.skipEmittingInitialStateKeys,
      node.child)
}
