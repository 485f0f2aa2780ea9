package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.sql.execution.python.{
  ArrowPythonRunner,
  ArrowPythonWithNamedArgumentRunner,
  CoGroupedArrowPythonRunner,
  PythonUDFWithNamedArgumentsRunner
}
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.StructType

/** A runner of Spark's for functions that get all columns. */
private[ember] abstract class StockArrowRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    schema: StructType,
    node: NodeConf)
    extends ArrowPythonRunner(
      functions,
      node.evalType,
      Array(offsets),
      schema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.profiler)
    with UnusedInput

/** One for functions that name their columns. */
private[ember] abstract class StockArgumentsRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    arguments: Array[Array[ArgumentMetadata]],
    schema: StructType,
    node: NodeConf)
    extends ArrowPythonWithNamedArgumentRunner(
      functions,
      node.evalType,
      arguments,
      schema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.profiler)
    with UnusedInput

/** One for functions over cogroups. */
private[ember] abstract class StockCogroupedRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    left: StructType,
    right: StructType,
    node: NodeConf)
    extends CoGroupedArrowPythonRunner(
      functions,
      node.evalType,
      Array(offsets),
      left,
      right,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.profiler)

/** One for row functions whose rows Spark pickles. */
private[ember] abstract class StockPickledRunner(arguments: FunctionArguments, node: NodeConf)
    extends PythonUDFWithNamedArgumentsRunner(
      arguments.chains,
      PythonEvalType.SQL_BATCHED_UDF,
      arguments.metas,
      node.metrics,
      node.artifacts,
      node.profiler)
