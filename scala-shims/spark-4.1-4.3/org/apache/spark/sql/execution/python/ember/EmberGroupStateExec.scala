package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{SparkException, TaskContext}
import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  GenericInternalRow,
  JoinedRow,
  PythonUDF,
  UnsafeProjection,
  UnsafeRow
}
import org.apache.spark.sql.catalyst.plans.logical.{EventTimeTimeout, ProcessingTimeTimeout}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.GroupedIterator
import org.apache.spark.sql.execution.python.PandasGroupUtils
import org.apache.spark.sql.execution.python.streaming.ApplyInPandasWithStatePythonRunner.{
  InType,
  OutTypeForState
}
import org.apache.spark.sql.execution.python.streaming.FlatMapGroupsInPandasWithStateExec
import org.apache.spark.sql.execution.streaming.operators.stateful.flatmapgroupswithstate.FlatMapGroupsWithStateExecHelper.StateData
import org.apache.spark.sql.execution.streaming.operators.stateful.flatmapgroupswithstate.GroupStateImpl
import org.apache.spark.sql.execution.streaming.operators.stateful.flatmapgroupswithstate.GroupStateImpl.NO_TIMESTAMP
import org.apache.spark.sql.execution.streaming.state.StateStore
import org.apache.spark.util.CompletionIterator

/**
 * `applyInPandasWithState`: Spark's node reads, times out and keeps the states; between its store and the function
 * stands our runner. Each run of a partition is one session for the groups with rows and one for those timed out.
 */
trait EmberGroupStateExec extends FlatMapGroupsInPandasWithStateExec with NodeMetrics {
  override def createInputProcessor(store: StateStore): InputProcessor = new Groups(store)

  // Asked when the node is made: where its groups run there is no session.
  private val node: NodeConf = PythonNodes.nodeConf(
    this,
    PythonEvalType.SQL_GROUPED_MAP_PANDAS_UDF_WITH_STATE,
    pythonMetrics,
    PythonNodes.artifacts,
    PythonNodes.session(this))

  private lazy val (asked, offsets) =
    PandasGroupUtils.resolveArgOffsets(groupingAttributes ++ child.output, groupingAttributes)

  /** A group that timed out has no row: its columns beside the key are null. */
  private def nullable(of: Seq[Attribute]): Seq[Attribute] = of.map(_.withNullability(true))

  private final class Groups(store: StateStore) extends InputProcessor(store) {
    private val columns = nullable(asked)

    override def processNewData(rows: Iterator[InternalRow]): Iterator[InternalRow] = {
      lazy val toAsked = UnsafeProjection.create(columns, nullable(child.output))
      val groups = GroupedIterator(rows, groupingAttributes, child.output).map {
        case (key, group) =>
          val unsafe = key.asInstanceOf[UnsafeRow]
          withState(
            stateManager.getState(store, unsafe),
            unsafe,
            group.map(toAsked),
            timedOut = false)
      }
      through(groups)
    }

    override def processTimedOutState(): Iterator[InternalRow] =
      if (isTimeoutEnabled) through(timedOut) else Iterator.empty

    private def timedOut: Iterator[InType] = {
      val values = nullable(child.output).filterNot(nullable(groupingAttributes).contains(_))
      val toAsked = UnsafeProjection.create(columns, groupingAttributes ++ values)
      val nulls = new GenericInternalRow(values.length)
      val limit = timeoutThreshold
      stateManager
        .getAllState(store)
        .filter(state => state.timeoutTimestamp != NO_TIMESTAMP && state.timeoutTimestamp < limit)
        .map { state =>
          val row = toAsked(new JoinedRow(state.keyRow, nulls))
          withState(state, state.keyRow, Iterator.single(row), timedOut = true)
        }
    }

    private def timeoutThreshold: Long = timeoutConf match {
      case ProcessingTimeTimeout => batchTimestampMs.get
      case EventTimeTimeout => eventTimeWatermarkForEviction.get
      case other => throw SparkException.internalError(s"Cannot filter timed out keys for $other")
    }

    private def withState(
        found: StateData,
        key: UnsafeRow,
        rows: Iterator[InternalRow],
        timedOut: Boolean): InType = {
      val state = GroupStateImpl.createForStreaming(
        Option(found.stateObj).map(_.asInstanceOf[Row]),
        batchTimestampMs.getOrElse(NO_TIMESTAMP),
        eventTimeWatermarkForEviction.getOrElse(NO_TIMESTAMP),
        timeoutConf,
        timedOut,
        watermarkPresent)
      (key, state, rows)
    }

    private def through(groups: Iterator[InType]): Iterator[InternalRow] = {
      val context = TaskContext.get()
      runner.compute(groups, context.partitionId(), context).flatMap { case (states, rows) =>
        CompletionIterator[InternalRow, Iterator[InternalRow]](rows, states.foreach(keep)).map {
          row =>
            numOutputRows += 1
            row
        }
      }
    }

    private def runner: EmberGroupStateRunner = {
      val function = functionExpr.asInstanceOf[PythonUDF]
      new EmberGroupStateRunner(
        Seq((ChainedPythonFunctions(Seq(function.func)), function.resultId.id)),
        offsets,
        DataTypeUtils.fromAttributes(columns),
        StateTypes(
          stateEncoder.asInstanceOf[ExpressionEncoder[Row]],
          DataTypeUtils.fromAttributes(groupingAttributes),
          DataTypeUtils.fromAttributes(outAttributes),
          stateType),
        node)
    }

    private def keep(result: OutTypeForState): Unit = {
      val (key, state, timeoutBefore) = result
      val timeout = state.getTimeoutTimestampMs.orElse(NO_TIMESTAMP)
      if (state.isRemoved && !state.getTimeoutTimestampMs.isPresent) {
        stateManager.removeState(store, key)
        numRemovedStateRows += 1
      } else if (state.isUpdated || state.isRemoved || timeout != timeoutBefore) {
        stateManager.putState(store, key, if (state.exists) state.get else null, timeout)
        numUpdatedStateRows += 1
      }
    }

    override protected def callFunctionAndUpdateState(
        state: StateData,
        rows: Iterator[InternalRow],
        timedOut: Boolean): Iterator[InternalRow] =
      throw SparkException.internalError("groups go through Python many at a time")
  }
}
