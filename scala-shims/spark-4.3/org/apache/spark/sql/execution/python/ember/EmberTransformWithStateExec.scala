package org.apache.spark.sql.execution.python.ember

import java.util.concurrent.TimeUnit.NANOSECONDS

import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.catalyst.plans.logical.TransformWithStateInPySpark.UserFacingDataType
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.PandasGroupUtils
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkExec
import org.apache.spark.sql.execution.streaming.operators.stateful.transformwithstate.statefulprocessor.StatefulProcessorHandleImpl
import org.apache.spark.sql.execution.streaming.state.{
  NoPrefixKeyStateEncoderSpec,
  StateStore,
  StateStoreOps
}
import org.apache.spark.sql.streaming.TimeMode
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.util.CompletionIterator

import dev.ember.metrics.EmberMetrics

/**
 * `transformWithState` of a stream: Spark's node, its store and its server of states; only the function is called
 * elsewhere. It asks the server for states through Spark's own client, over a socket within the machine.
 */
trait EmberTransformWithStateExec extends TransformWithStateInPySparkExec {
  // Asked when the node is made: where its groups run there is no session.
  private val node: NodeConf = PythonNodes.nodeConf(
    this,
    if (userFacingDataType == UserFacingDataType.PANDAS)
      PythonEvalType.SQL_TRANSFORM_WITH_STATE_PANDAS_UDF
    else PythonEvalType.SQL_TRANSFORM_WITH_STATE_PYTHON_ROW_UDF,
    pythonMetrics,
    PythonNodes.artifacts,
    PythonNodes.session(this))

  private val keySchema: StructType =
    StructType(groupingAttributes.map(key => StructField(key.name, key.dataType, key.nullable)))

  private val keyEncoder =
    ExpressionEncoder(keySchema).resolveAndBind().asInstanceOf[ExpressionEncoder[Any]]

  private val (asked, offsets) =
    PandasGroupUtils.resolveArgOffsets(child.output, groupingAttributes)

  override protected def additionalMetrics: Map[String, SQLMetric] =
    super.additionalMetrics ++ EmberMetrics.create(sparkContext)

  override protected def doExecute(): RDD[InternalRow] = {
    val _ = metrics // made here: where groups run they can only be counted
    validateStateStoreProvider(isStreaming)
    child
      .execute()
      .mapPartitionsWithStateStore[InternalRow](
        getStateInfo,
        schemaForKeyRow,
        schemaForValueRow,
        NoPrefixKeyStateEncoderSpec(schemaForKeyRow),
        session.sqlContext.sessionState,
        Some(session.streams.stateStoreCoordinator),
        useColumnFamilies = true,
        useMultipleValuesPerKey = true)(transform)
  }

  private def transform(store: StateStore, rows: Iterator[InternalRow]): Iterator[InternalRow] = {
    val begun = System.nanoTime()
    val handle = new StatefulProcessorHandleImpl(
      store,
      getStateInfo.queryRunId,
      keyEncoder,
      timeMode,
      isStreaming,
      batchTimestampMs,
      prevBatchTimestampMs,
      metrics)
    val groups =
      PandasGroupUtils.groupAndProject(inTime(rows), groupingAttributes, child.output, asked)
    val results = PandasGroupUtils.executePython(groups, output, runner(handle))
    val counted = longMetric("numOutputRows")
    CompletionIterator[InternalRow, Iterator[InternalRow]](results, commit(store, handle, begun))
      .map { row =>
        counted += 1
        row
      }
  }

  private def inTime(rows: Iterator[InternalRow]): Iterator[InternalRow] =
    watermarkPredicateForDataForLateEvents match {
      case Some(late) if timeMode == TimeMode.EventTime() =>
        applyRemovingRowsOlderThanWatermark(rows, late)
      case _ => rows
    }

  private def runner(handle: StatefulProcessorHandleImpl): EmberTransformRunner = {
    val function = functionExpr.asInstanceOf[PythonUDF]
    new EmberTransformRunner(
      Seq((ChainedPythonFunctions(Seq(function.func)), function.resultId.id)),
      offsets,
      DataTypeUtils.fromAttributes(asked),
      StateServer(handle, keySchema, batchTimestampMs, eventTimeWatermarkForEviction),
      node)
  }

  private def commit(store: StateStore, handle: StatefulProcessorHandleImpl, begun: Long): Unit = {
    longMetric("allUpdatesTimeMs") += NANOSECONDS.toMillis(System.nanoTime() - begun)
    longMetric("commitTimeMs") += timeTakenMs {
      handle.doTtlCleanup()
      store.commit(): Unit
    }
    setStoreMetrics(store, isStreaming)
    setOperatorMetrics()
  }
}
