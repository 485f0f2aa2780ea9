package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.BatchEvalPythonExec

/** What later lines ask of Spark's evaluator of row functions that it pickles; in 3.5 its node knows it. */
private[ember] abstract class StockPickledEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    @unused conf: PickleConf,
    node: NodeConf)
    extends PartitionEvaluatorFactory[InternalRow, InternalRow] {
  private val way = SparksWay.of(SparksWay.planned {
    val results = allAttributes.drop(inputAttributes.length)
    new SparksPickledExec(functions, results, inputAttributes, node)
  })

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
    new PartitionEvaluator[InternalRow, InternalRow] {
      override def eval(index: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
        way.eval(index, inputs.head)
    }
}

/** Spark's node over rows that it is handed. It counts as the node does that Ember has in its place. */
private[ember] final class SparksPickledExec(
    functions: Seq[PythonUDF],
    results: Seq[Attribute],
    input: Seq[Attribute],
    node: NodeConf)
    extends BatchEvalPythonExec(functions, results, HandedOver(input)) {
  override val pythonMetrics: Map[String, SQLMetric] = node.metrics
  override lazy val metrics: Map[String, SQLMetric] = node.metrics
}
