package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.SparkPlan

/** Children whose batches Spark's node for scalar functions takes as they are. */
object ColumnarChild {
  def isTaken(child: SparkPlan): Boolean = child.supportsColumnar

  def evaluator(
      input: Seq[Attribute],
      functions: Seq[PythonUDF],
      output: Seq[Attribute],
      batchRows: Int,
      chosen: Option[Seq[Int]],
      node: NodeConf): ColumnarEvaluator =
    new EmberColumnarEvaluator(input, functions, output, batchRows, chosen, node)
}
