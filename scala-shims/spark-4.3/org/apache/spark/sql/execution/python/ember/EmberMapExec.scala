package org.apache.spark.sql.execution.python.ember

import org.apache.spark.PartitionEvaluatorFactory
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
    val columns = if (factory.takesColumns) UnpackedColumns.below(child) else None
    val mapped = columns match {
      case Some((below, batches)) => mapPartitions(batches, factory.over(below))
      case None => mapPartitions(child.execute(), factory)
    }
    profile.fold(mapped)(mapped.withResources)
  }

  private def mapPartitions[T](
      input: RDD[T],
      factory: PartitionEvaluatorFactory[T, InternalRow]): RDD[InternalRow] =
    (isBarrier, conf.usePartitionEvaluator) match {
      case (true, true) => input.barrier().mapPartitionsWithEvaluator(factory)
      case (true, false) =>
        input.barrier().mapPartitionsWithIndex(EmberMapExec.run[T](factory, _, _))
      case (false, true) => input.mapPartitionsWithEvaluator(factory)
      case (false, false) =>
        input.mapPartitionsWithIndexInternal(EmberMapExec.run[T](factory, _, _))
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
  def run[T](
      factory: PartitionEvaluatorFactory[T, InternalRow],
      partition: Int,
      input: Iterator[T]): Iterator[InternalRow] =
    factory.createEvaluator().eval(partition, input)
}
