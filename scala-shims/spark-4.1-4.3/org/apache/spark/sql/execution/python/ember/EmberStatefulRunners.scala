package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.api.python.ChainedPythonFunctions
import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.encoders.ExpressionEncoder
import org.apache.spark.sql.execution.python.streaming.{
  ApplyInPandasWithStatePythonRunner,
  TransformWithStateInPySparkPythonBaseRunner,
  TransformWithStateInPySparkPythonInitialStateRunner,
  TransformWithStateInPySparkPythonRunner,
  TransformWithStateInPySparkStateServer
}
import org.apache.spark.sql.execution.python.streaming.ApplyInPandasWithStatePythonRunner.{
  InType,
  OutType
}
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkPythonRunner.{
  GroupedInType => GroupOfEither,
  InType => GroupOfRows
}
import org.apache.spark.sql.execution.streaming.operators.stateful.transformwithstate.statefulprocessor.StatefulProcessorHandleImpl
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.sql.vectorized.ColumnarBatch
import org.apache.spark.util.ThreadUtils

/** What a function with state is asked with, besides its groups. */
private[ember] final case class StateTypes(
    encoder: ExpressionEncoder[Row],
    key: StructType,
    output: StructType,
    state: StructType)

/** For `applyInPandasWithState`. */
private[ember] final class EmberGroupStateRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    inputSchema: StructType,
    types: StateTypes,
    node: NodeConf)
    extends ApplyInPandasWithStatePythonRunner(
      functions,
      node.evalType,
      Array(offsets),
      inputSchema,
      node.timeZone,
      node.runnerConf,
      types.encoder,
      types.key,
      types.output,
      types.state,
      node.metrics,
      node.artifacts)
    with StatefulRunner[InType, OutType] {
  override protected def functionNames: Seq[String] = node.functions

  override def compute(
      input: Iterator[InType],
      partition: Int,
      context: TaskContext): Iterator[OutType] =
    embed(input, partition, context) match {
      case Right(batches) => batches.map(batch => deserializeColumnarBatch(batch, columns(batch)))
      case Left(reason) =>
        onSpark(reason)(super.compute(input, partition, context))
    }

  private def columns(of: ColumnarBatch): StructType =
    StructType((0 until of.numCols()).map(at => StructField(s"_$at", of.column(at).dataType())))
}

/** What a server of states is made of. */
private[ember] final case class StateServer(
    handle: StatefulProcessorHandleImpl,
    keys: StructType,
    batchTime: Option[Long],
    watermark: Option[Long])

/**
 * A runner of `transformWithState`. While its function runs, it may ask Spark's server of states for them, over a
 * socket within the machine.
 */
private[ember] trait AsksForStates[IN]
    extends TransformWithStateInPySparkPythonBaseRunner[IN]
    with StatefulRunner[IN, ColumnarBatch] {
  protected def server: StateServer
  protected def node: NodeConf

  override protected def functionNames: Seq[String] = node.functions

  override def compute(
      input: Iterator[IN],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = {
    initStateServer()
    val socket = stateServerSocket
    val thread = ThreadUtils.newDaemonSingleThreadExecutor("stateConnectionListenerThread")
    // Before the session's own listener, so that it runs after it: a function may ask until it ends.
    context.addTaskCompletionListener[Unit] { _ =>
      thread.shutdownNow(): Unit
      closeServerSocketChannelSilently(socket)
    }: Unit
    embed(input, partition, context) match {
      case Right(batches) =>
        thread.execute(stateServer)
        batches
      case Left(reason) =>
        closeServerSocketChannelSilently(socket)
        onSpark(reason)(super.compute(input, partition, context))
    }
  }

  private def stateServer = new TransformWithStateInPySparkStateServer(
    stateServerSocket,
    server.handle,
    server.keys,
    sqlConf.arrowTransformWithStateInPySparkMaxStateRecordsPerBatch,
    server.batchTime,
    server.watermark)
}

/** For groups that begin without states, as pandas frames or as rows. */
private[ember] final class EmberTransformRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    inputSchema: StructType,
    override protected val server: StateServer,
    override protected val node: NodeConf)
    extends TransformWithStateInPySparkPythonRunner(
      functions,
      node.evalType,
      Array(offsets),
      inputSchema,
      server.handle,
      node.timeZone,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      server.keys,
      server.batchTime,
      server.watermark)
    with AsksForStates[GroupOfRows]

/** For groups that begin with states of their own. */
private[ember] final class EmberTransformWithStatesRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    inputSchema: StructType,
    statesSchema: StructType,
    override protected val server: StateServer,
    override protected val node: NodeConf)
    extends TransformWithStateInPySparkPythonInitialStateRunner(
      functions,
      node.evalType,
      Array(offsets),
      inputSchema,
      statesSchema,
      server.handle,
      node.timeZone,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      server.keys,
      server.batchTime,
      server.watermark)
    with AsksForStates[GroupOfEither]
