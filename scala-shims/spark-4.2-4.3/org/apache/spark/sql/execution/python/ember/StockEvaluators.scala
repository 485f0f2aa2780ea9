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
  ArrowWindowPythonEvaluatorFactory
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
      node.session)

/** Spark's evaluator of windows. */
private[ember] abstract class StockWindowEvaluatorFactory(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: Seq[Attribute],
    spilled: SQLMetric,
    node: NodeConf)
    extends ArrowWindowPythonEvaluatorFactory(
      windows,
      partition,
      order,
      input,
      node.evalType,
      spilled,
      node.metrics,
      node.session) {

  /** The setting by which Spark's worker is told which functions have bounds. */
  protected def boundTypesKey: String = "window_bound_types"
}
