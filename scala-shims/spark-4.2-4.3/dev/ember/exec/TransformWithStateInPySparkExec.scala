package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression}
import org.apache.spark.sql.catalyst.plans.logical.TransformWithStateInPySpark.UserFacingDataType
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ember.{DeclaredColumns, EmberTransformWithStateExec}
import org.apache.spark.sql.execution.python.streaming.{
  TransformWithStateInPySparkExec => SparkTransformWithStateInPySparkExec
}
import org.apache.spark.sql.execution.streaming.operators.stateful.StatefulOperatorStateInfo
import org.apache.spark.sql.streaming.{OutputMode, TimeMode}
import org.apache.spark.sql.types.StructType

/** Spark's node for `transformWithState`, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class TransformWithStateInPySparkExec(
    function: Expression,
    grouping: Seq[Attribute],
    attributes: Seq[Attribute],
    mode: OutputMode,
    time: TimeMode,
    info: Option[StatefulOperatorStateInfo],
    batchTime: Option[Long],
    batchTimeBefore: Option[Long],
    watermarkForLate: Option[Long],
    watermarkForEviction: Option[Long],
    dataType: UserFacingDataType.Value,
    input: SparkPlan,
    streams: Boolean,
    beginsWithStates: Boolean,
    states: SparkPlan,
    statesGrouping: Seq[Attribute],
    statesSchema: StructType)
    extends SparkTransformWithStateInPySparkExec(
      function,
      grouping,
      attributes,
      mode,
      time,
      info,
      batchTime,
      batchTimeBefore,
      watermarkForLate,
      watermarkForEviction,
      dataType,
      input,
      streams,
      beginsWithStates,
      states,
      statesGrouping,
      statesSchema)
    with EmberTransformWithStateExec {
  override protected def withNewChildrenInternal(
      newChild: SparkPlan,
      newStates: SparkPlan): TransformWithStateInPySparkExec =
    TransformWithStateInPySparkExec(super.withNewChildrenInternal(newChild, newStates))

  override def nodeName: String = "EmberTransformWithStateInPySpark"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[TransformWithStateInPySparkExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}

object TransformWithStateInPySparkExec {

  /** What takes the place of Spark's node. */
  def apply(node: SparkTransformWithStateInPySparkExec): TransformWithStateInPySparkExec =
    new TransformWithStateInPySparkExec(
      node.functionExpr,
      node.groupingAttributes,
      DeclaredColumns.of(node),
      node.outputMode,
      node.timeMode,
      node.stateInfo,
      node.batchTimestampMs,
      node.prevBatchTimestampMs,
      node.eventTimeWatermarkForLateEvents,
      node.eventTimeWatermarkForEviction,
      node.userFacingDataType,
      node.child,
      node.isStreaming,
      node.hasInitialState,
      node.initialState,
      node.initialStateGroupingAttrs,
      node.initialStateSchema)
}
