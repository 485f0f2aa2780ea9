package org.apache.spark.sql.execution.python.ember

import java.util.{Collections, UUID}

import org.apache.spark.api.python.{PythonEvalType, SimplePythonFunction}
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeReference,
  PythonUDF,
  PythonUDTF
}
import org.apache.spark.sql.catalyst.plans.logical.TransformWithStateInPySpark.UserFacingDataType
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python._
import org.apache.spark.sql.execution.python.streaming.{
  FlatMapGroupsInPandasWithStateExec,
  TransformWithStateInPySparkExec
}
import org.apache.spark.sql.execution.streaming.operators.stateful.StatefulOperatorStateInfo
import org.apache.spark.sql.streaming.{GroupStateTimeout, OutputMode, TimeMode}
import org.apache.spark.sql.types.{LongType, StructType}

/** Python nodes over `child`, whose first column is a long. Their functions cannot be run. */
final class PythonNodeSamples(child: SparkPlan) {
  private val function = SimplePythonFunction(
    command = Array.emptyByteArray.toIndexedSeq,
    envVars = Collections.emptyMap(),
    pythonIncludes = Collections.emptyList(),
    pythonExec = "python3",
    pythonVer = "3.11",
    broadcastVars = Collections.emptyList(),
    accumulator = null)

  private val output: Seq[Attribute] = Seq(AttributeReference("pythonUDF0", LongType)())

  private def udf(evalType: Int): PythonUDF =
    PythonUDF("f", function, LongType, Seq(child.output.head), evalType, udfDeterministic = true)

  private def table(evalType: Int): PythonUDF =
    PythonUDF(
      "m",
      function,
      StructType.fromDDL("id long"),
      child.output,
      evalType,
      udfDeterministic = true)

  def scalar(evalType: Int = PythonEvalType.SQL_SCALAR_PANDAS_UDF): ArrowEvalPythonExec =
    ArrowEvalPythonExec(Seq(udf(evalType)), output, child, evalType)

  def pickled: BatchEvalPythonExec =
    BatchEvalPythonExec(Seq(udf(PythonEvalType.SQL_BATCHED_UDF)), output, child)

  private def tableFunction(evalType: Int): PythonUDTF = PythonUDTF(
    "t",
    function,
    StructType.fromDDL("y long"),
    None,
    Seq(child.output.head),
    evalType,
    udfDeterministic = true)

  def arrowTable: ArrowEvalPythonUDTFExec = {
    val evalType = PythonEvalType.SQL_ARROW_TABLE_UDF
    ArrowEvalPythonUDTFExec(tableFunction(evalType), child.output, output, child, evalType)
  }

  def pickledTable: BatchEvalPythonUDTFExec =
    BatchEvalPythonUDTFExec(
      tableFunction(PythonEvalType.SQL_TABLE_UDF),
      child.output,
      output,
      child)

  private def key: Seq[Attribute] = Seq(child.output.head)

  def cogroupsInPandas: FlatMapCoGroupsInPandasExec = {
    val function = table(PythonEvalType.SQL_COGROUPED_MAP_PANDAS_UDF)
    FlatMapCoGroupsInPandasExec(key, key, function, output, child, child)
  }

  def cogroupsInArrow: FlatMapCoGroupsInArrowExec = {
    val function = table(PythonEvalType.SQL_COGROUPED_MAP_ARROW_UDF)
    FlatMapCoGroupsInArrowExec(key, key, function, output, child, child)
  }

  private def stateInfo: Option[StatefulOperatorStateInfo] = Some(
    StatefulOperatorStateInfo("", UUID.randomUUID(), 0L, 0L, 1, None))

  def groupState: FlatMapGroupsInPandasWithStateExec = FlatMapGroupsInPandasWithStateExec(
    table(PythonEvalType.SQL_GROUPED_MAP_PANDAS_UDF_WITH_STATE),
    key,
    output,
    StructType.fromDDL("n long"),
    stateInfo,
    2,
    OutputMode.Append(),
    GroupStateTimeout.NoTimeout(),
    None,
    None,
    None,
    skipEmittingInitialStateKeys = false,
    child)

  def transform(streams: Boolean, beginsWithStates: Boolean): TransformWithStateInPySparkExec =
    TransformWithStateInPySparkExec(
      table(PythonEvalType.SQL_TRANSFORM_WITH_STATE_PANDAS_UDF),
      key,
      output,
      OutputMode.Append(),
      TimeMode.None(),
      stateInfo,
      None,
      None,
      None,
      None,
      UserFacingDataType.PANDAS,
      child,
      streams,
      beginsWithStates,
      child,
      key,
      StructType.fromDDL("id long"))

  def mapInPandas: MapInPandasExec =
    MapInPandasExec(
      table(PythonEvalType.SQL_MAP_PANDAS_ITER_UDF),
      output,
      child,
      isBarrier = true,
      None)

  def mapInArrow: MapInArrowExec =
    MapInArrowExec(
      table(PythonEvalType.SQL_MAP_ARROW_ITER_UDF),
      output,
      child,
      isBarrier = false,
      None)

  /** A node that is nobody's here: a subclass of Spark's. */
  def somebodys: MapInArrowExec = {
    val function = table(PythonEvalType.SQL_MAP_ARROW_ITER_UDF)
    new MapInArrowExec(function, output, child, false, None) {
      override def nodeName: String = "SomebodysMap"
    }
  }

  val scalarEvalTypes: Seq[Int] = Seq(
    PythonEvalType.SQL_ARROW_BATCHED_UDF,
    PythonEvalType.SQL_SCALAR_PANDAS_UDF,
    PythonEvalType.SQL_SCALAR_PANDAS_ITER_UDF,
    PythonEvalType.SQL_SCALAR_ARROW_UDF,
    PythonEvalType.SQL_SCALAR_ARROW_ITER_UDF)
}
