package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  Expression,
  NamedExpression,
  PythonUDF,
  SortOrder
}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{
  ArrowEvalPythonEvaluatorFactory,
  WindowInPandasEvaluatorFactory
}

/** Spark's evaluator of scalar functions. */
private[ember] class StockScalarEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    batchRows: Int,
    node: NodeConf)
    extends ArrowEvalPythonEvaluatorFactory(
      inputAttributes,
      functions,
      allAttributes,
      batchRows,
      node.evalType,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.profiler)

/** Spark's evaluator of windows. */
private[ember] abstract class StockWindowEvaluatorFactory(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: Seq[Attribute],
    spilled: SQLMetric,
    node: NodeConf)
    extends WindowInPandasEvaluatorFactory(
      windows,
      partition,
      order,
      input,
      spilled,
      node.metrics,
      node.profiler) {

  /** The setting by which Spark's worker is told which functions have bounds. */
  protected def boundTypesKey: String = "pandas_window_bound_types"
}
