package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.SparkPlan

/** Children whose batches Spark's node for scalar functions takes as they are: from 4.2 on. Before, it takes rows. */
object ColumnarChild {
  def isTaken(child: SparkPlan): Boolean = false

  def evaluator(
      @unused input: Seq[Attribute],
      @unused functions: Seq[PythonUDF],
      @unused output: Seq[Attribute],
      @unused batchRows: Int,
      @unused chosen: Option[Seq[Int]],
      node: NodeConf): ColumnarEvaluator =
    throw new IllegalStateException(s"${node.functions.mkString(", ")} take rows")
}
