package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{BatchEvalPythonExec => SparkBatchEvalPythonExec}
import org.apache.spark.sql.execution.python.ember.{
  EmberEvalPythonEvaluatorFactory,
  EmberPickledEvaluatorFactory,
  NodeMetrics,
  PickleConf,
  PythonNodes
}

/** Spark's node for row functions that it pickles, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class BatchEvalPythonExec(functions: Seq[PythonUDF], results: Seq[Attribute], input: SparkPlan)
    extends SparkBatchEvalPythonExec(functions, results, input)
    with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override def doExecute(): RDD[InternalRow] =
    EmberEvalPythonEvaluatorFactory.run(child.execute(), factory, conf.usePartitionEvaluator)

  private def factory: EmberPickledEvaluatorFactory = {
    val kind = udfs.head.evalType
    val node = PythonNodes.nodeConf(this, kind, pythonMetrics, artifacts, loggedSession)
    new EmberPickledEvaluatorFactory(child.output, udfs, output, PickleConf.of(conf), node)
  }

  override def withNewChildInternal(newChild: SparkPlan): BatchEvalPythonExec =
    new BatchEvalPythonExec(udfs, resultAttrs, newChild)

  override def nodeName: String = "EmberBatchEvalPython"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[BatchEvalPythonExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
