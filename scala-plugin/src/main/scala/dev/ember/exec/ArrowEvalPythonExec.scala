package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, PythonUDF}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{ArrowEvalPythonExec => SparkArrowEvalPythonExec}
import org.apache.spark.sql.execution.python.ember.{
  ColumnarChild,
  ColumnarEvaluator,
  EmberEvalPythonEvaluatorFactory
}
import org.apache.spark.sql.execution.python.ember.{
  GivesColumns,
  NodeConf,
  NodeMetrics,
  PythonNodes
}
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * Spark's node for scalar functions, on the embedded lane. All that a planner can ask is inherited. The class has
 * the simple name of Spark's, by which programs look for it in a plan; what people read is its node name.
 *
 * A case class is equal to its subclasses unless they say otherwise, and Spark's tree keeps the old node where
 * the new one is equal: hence `canEqual` and `equals`.
 */
class ArrowEvalPythonExec(
    functions: Seq[PythonUDF],
    results: Seq[Attribute],
    input: SparkPlan,
    pythonEvalType: Int)
    extends SparkArrowEvalPythonExec(functions, results, input, pythonEvalType)
    with NodeMetrics
    with GivesColumns {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def doExecute(): RDD[InternalRow] = rows(None)

  /** Rows of these columns of its output, in this order. */
  private[exec] def choosing(places: Seq[Int]): RDD[InternalRow] = executeQuery(rows(Some(places)))

  private def rows(chosen: Option[Seq[Int]]): RDD[InternalRow] =
    if (ColumnarChild.isTaken(child)) {
      val evaluator = columnarEvaluator(chosen)
      child
        .executeColumnar()
        .mapPartitionsWithIndex((index, batches) => evaluator.rows(index, batches))
    } else factory(chosen).over(child, conf.usePartitionEvaluator)

  /** Over columns the node gives columns by itself. */
  override def handedOn(needed: AttributeSet): Option[GivesColumns.Handed] =
    if (ColumnarChild.isTaken(child)) None
    else {
      val kept = child.output.indices.filter(at => needed.contains(child.output(at)))
      val results = child.output.length until output.length
      factory(Some(kept ++ results))
        .columnsOver(child, conf.usePartitionEvaluator)
        .map(batches =>
          GivesColumns.Handed(kept.map(child.output) ++ resultAttrs, executeQuery(batches)))
    }

  override protected def doExecuteColumnar(): RDD[ColumnarBatch] = {
    val evaluator = columnarEvaluator(None)
    child
      .executeColumnar()
      .mapPartitionsWithIndex((index, batches) => evaluator.batches(index, batches))
  }

  private def factory(chosen: Option[Seq[Int]]): EmberEvalPythonEvaluatorFactory =
    new EmberEvalPythonEvaluatorFactory(
      child.output,
      udfs,
      output,
      conf.arrowMaxRecordsPerBatch,
      chosen,
      nodeConf)

  private def columnarEvaluator(chosen: Option[Seq[Int]]): ColumnarEvaluator =
    ColumnarChild.evaluator(
      child.output,
      udfs,
      output,
      conf.arrowMaxRecordsPerBatch,
      chosen,
      nodeConf)

  private def nodeConf: NodeConf =
    PythonNodes.nodeConf(this, evalType, pythonMetrics, artifacts, loggedSession)

  override protected def withNewChildInternal(newChild: SparkPlan): ArrowEvalPythonExec =
    new ArrowEvalPythonExec(udfs, resultAttrs, newChild, evalType)

  override def nodeName: String = "EmberArrowEvalPython"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ArrowEvalPythonExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
