package org.apache.spark.sql.execution.python.ember

import java.util.concurrent.TimeUnit.NANOSECONDS

import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.catalyst.plans.logical.TransformWithStateInPySpark.UserFacingDataType
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.python.PandasGroupUtils
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkExec
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkPythonRunner.{
  InType => GroupOfRows
}
import org.apache.spark.sql.execution.streaming.operators.stateful.join.StreamingSymmetricHashJoinHelper.StateStoreAwareZipPartitionsHelper
import org.apache.spark.sql.execution.streaming.operators.stateful.transformwithstate.statefulprocessor.StatefulProcessorHandleImpl
import org.apache.spark.sql.execution.streaming.state.{
  NoPrefixKeyStateEncoderSpec,
  StateStore,
  StateStoreConf,
  StateStoreOps
}
import org.apache.spark.sql.streaming.TimeMode
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.util.{CompletionIterator, SerializableConfiguration}

/**
 * `transformWithState`, of a stream or of a batch, with states to begin with or without: Spark's node, its stores and
 * its server of states; only the function is called elsewhere. It asks the server for states through Spark's own
 * client, over a socket within the machine.
 */
trait EmberTransformWithStateExec extends TransformWithStateInPySparkExec with NodeMetrics {
  // Asked when the node is made: where its groups run there is no session.
  private val node: NodeConf = PythonNodes.nodeConf(
    this,
    (userFacingDataType == UserFacingDataType.PANDAS, hasInitialState) match {
      case (true, false) => PythonEvalType.SQL_TRANSFORM_WITH_STATE_PANDAS_UDF
      case (true, true) => PythonEvalType.SQL_TRANSFORM_WITH_STATE_PANDAS_INIT_STATE_UDF
      case (false, false) => PythonEvalType.SQL_TRANSFORM_WITH_STATE_PYTHON_ROW_UDF
      case (false, true) => PythonEvalType.SQL_TRANSFORM_WITH_STATE_PYTHON_ROW_INIT_STATE_UDF
    },
    pythonMetrics,
    PythonNodes.artifacts,
    PythonNodes.session(this))

  private val keySchema: StructType =
    StructType(groupingAttributes.map(key => StructField(key.name, key.dataType, key.nullable)))

  private val keyEncoder =
    ExpressionEncoder(keySchema).resolveAndBind().asInstanceOf[ExpressionEncoder[Any]]

  private val (asked, offsets) =
    PandasGroupUtils.resolveArgOffsets(child.output, groupingAttributes)

  override protected def doExecute(): RDD[InternalRow] = {
    val _ = metrics // made here: where groups run they can only be counted
    validateStateStoreProvider(isStreaming)
    (hasInitialState, isStreaming) match {
      case (true, _) => beginningWithStates
      case (false, true) => ofStream
      case (false, false) => ofBatch
    }
  }

  private def ofStream: RDD[InternalRow] =
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
        useMultipleValuesPerKey = true)(transform(_, _, Iterator.empty))

  private def ofBatch: RDD[InternalRow] = {
    val (from, hadoop) = (stores, hadoopConf)
    child.execute().mapPartitionsWithIndex { (partition, rows) =>
      from.ofBatch(partition, hadoop.value.value)(transform(_, rows, Iterator.empty))
    }
  }

  private def beginningWithStates: RDD[InternalRow] = {
    val storeConf = new StateStoreConf(session.sqlContext.sessionState.conf)
    val (from, hadoop) = (stores, hadoopConf)
    child
      .execute()
      .stateStoreAwareZipPartitions(
        initialState.execute(),
        getStateInfo,
        Nil,
        session.streams.stateStoreCoordinator) { (partition, rows, states) =>
        val conf = hadoop.value.value
        if (isStreaming) transform(from.ofStream(partition, storeConf, conf), rows, states)
        else from.ofBatch(partition, conf)(transform(_, rows, states))
      }
  }

  private def hadoopConf: Broadcast[SerializableConfiguration] =
    SerializableConfiguration.broadcast(sparkContext, session.sessionState.newHadoopConf())

  private def stores: TransformStores =
    new TransformStores(schemaForKeyRow, schemaForValueRow, getStateInfo)

  private def transform(
      store: StateStore,
      rows: Iterator[InternalRow],
      states: Iterator[InternalRow]): Iterator[InternalRow] = {
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
    val results =
      if (hasInitialState) withStates(handle, groups, states)
      else PandasGroupUtils.executePython(groups, output, runner(handle))
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

  /** The function takes all states before the first row. */
  private def withStates(
      handle: StatefulProcessorHandleImpl,
      groups: Iterator[GroupOfRows],
      states: Iterator[InternalRow]): Iterator[InternalRow] = {
    val (columns, offsetsOfStates) =
      PandasGroupUtils.resolveArgOffsets(initialState.output, initialStateGroupingAttrs)
    val first = PandasGroupUtils
      .groupAndProject(states, initialStateGroupingAttrs, initialState.output, columns)
      .map(_ -> true)
    val runner = new EmberTransformWithStatesRunner(
      chained,
      offsets ++ offsetsOfStates,
      DataTypeUtils.fromAttributes(asked),
      DataTypeUtils.fromAttributes(columns),
      server(handle),
      node)
    PandasGroupUtils.executePython(first ++ groups.map(_ -> false), output, runner)
  }

  private def runner(handle: StatefulProcessorHandleImpl): EmberTransformRunner =
    new EmberTransformRunner(
      chained,
      offsets,
      DataTypeUtils.fromAttributes(asked),
      server(handle),
      node)

  private def chained: Seq[(ChainedPythonFunctions, Long)] = {
    val function = functionExpr.asInstanceOf[PythonUDF]
    Seq((ChainedPythonFunctions(Seq(function.func)), function.resultId.id))
  }

  private def server(handle: StatefulProcessorHandleImpl): StateServer =
    StateServer(handle, keySchema, batchTimestampMs, eventTimeWatermarkForEviction)

  private def commit(store: StateStore, handle: StatefulProcessorHandleImpl, begun: Long): Unit = {
    longMetric("allUpdatesTimeMs") += NANOSECONDS.toMillis(System.nanoTime() - begun)
    longMetric("commitTimeMs") += timeTakenMs {
      if (isStreaming) {
        handle.doTtlCleanup()
        store.commit(): Unit
      } else store.abort()
    }
    setStoreMetrics(store, isStreaming)
    setOperatorMetrics()
  }
}
