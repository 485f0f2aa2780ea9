package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.ChainedPythonFunctions
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.MapInBatchExec

import dev.ember.metrics.EmberMetrics

/** `mapInPandas` and `mapInArrow`: barrier and resources as in Spark's node, with our evaluator. */
trait EmberMapExec extends MapInBatchExec {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def additionalMetrics: Map[String, SQLMetric] =
    super.additionalMetrics ++ EmberMetrics.create(sparkContext)

  override protected def doExecute(): RDD[InternalRow] = {
    val factory = evaluator
    val rows = child.execute()
    val mapped = (isBarrier, conf.usePartitionEvaluator) match {
      case (true, true) => rows.barrier().mapPartitionsWithEvaluator(factory)
      case (true, false) => rows.barrier().mapPartitionsWithIndex(EmberMapExec.run(factory, _, _))
      case (false, true) => rows.mapPartitionsWithEvaluator(factory)
      case (false, false) => rows.mapPartitionsWithIndexInternal(EmberMapExec.run(factory, _, _))
    }
    profile.fold(mapped)(mapped.withResources)
  }

  private def evaluator: EmberMapEvaluatorFactory = {
    val python = func.asInstanceOf[PythonUDF]
    new EmberMapEvaluatorFactory(
      output,
      Seq((ChainedPythonFunctions(Seq(python.func)), python.resultId.id)),
      child.schema,
      python.dataType,
      PythonNodes.nodeConf(this, pythonEvalType, pythonMetrics, artifacts, loggedSession))
  }
}

private object EmberMapExec {
  def run(
      factory: EmberMapEvaluatorFactory,
      partition: Int,
      rows: Iterator[InternalRow]): Iterator[InternalRow] =
    factory.createEvaluator().eval(partition, rows)
}
