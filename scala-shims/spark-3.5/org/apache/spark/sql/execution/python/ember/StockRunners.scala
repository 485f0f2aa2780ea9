package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{
  ArrowPythonRunner,
  CoGroupedArrowPythonRunner,
  PythonUDFRunner
}
import org.apache.spark.sql.types.StructType

/** A runner of Spark's for functions that get all columns. */
private[ember] abstract class StockArrowRunner(
    functions: Seq[Chains.Chain],
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
      node.artifacts) {
  protected def metrics: Map[String, SQLMetric] = node.metrics
}

/** One for functions that name their columns. */
private[ember] abstract class StockArgumentsRunner(
    functions: Seq[Chains.Chain],
    arguments: Array[Array[Chains.Argument]],
    schema: StructType,
    node: NodeConf)
    extends ArrowPythonRunner(
      functions,
      node.evalType,
      arguments.map(_.map(_.offset)),
      schema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts) {
  protected def metrics: Map[String, SQLMetric] = node.metrics
}

/** One for functions over cogroups. */
private[ember] abstract class StockCogroupedRunner(
    functions: Seq[Chains.Chain],
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
      node.runnerConf,
      node.metrics,
      node.artifacts) {
  protected def metrics: Map[String, SQLMetric] = node.metrics
}

/** One for row functions whose rows Spark pickles. */
private[ember] abstract class StockPickledRunner(arguments: FunctionArguments, node: NodeConf)
    extends PythonUDFRunner(
      arguments.chains,
      PythonEvalType.SQL_BATCHED_UDF,
      arguments.metas.map(_.map(_.offset)),
      node.metrics,
      node.artifacts) {
  protected def metrics: Map[String, SQLMetric] = node.metrics
}
