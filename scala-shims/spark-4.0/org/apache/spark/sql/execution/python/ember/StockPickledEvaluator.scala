package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.python.BatchEvalPythonEvaluatorFactory

/** Spark's evaluator of row functions that it pickles. */
private[ember] abstract class StockPickledEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    conf: PickleConf,
    node: NodeConf)
    extends BatchEvalPythonEvaluatorFactory(
      inputAttributes,
      functions,
      allAttributes,
      conf.groupRows,
      node.metrics,
      node.artifacts,
      node.profiler)
