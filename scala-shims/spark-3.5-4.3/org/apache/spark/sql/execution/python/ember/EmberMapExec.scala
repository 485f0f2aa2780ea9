package org.apache.spark.sql.execution.python.ember

import scala.reflect.ClassTag

import org.apache.spark.PartitionEvaluatorFactory
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{AttributeSet, PythonUDF}

/** `mapInPandas` and `mapInArrow`: barrier and resources as in Spark's node, with our evaluator. */
trait EmberMapExec extends MapNode with NodeMetrics with GivesColumns {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def doExecute(): RDD[InternalRow] = {
    val factory = evaluator
    mapped(factory, OutputForm.Rows)
  }

  override def handedOn(needed: AttributeSet): Option[GivesColumns.Handed] = {
    val factory = evaluator
    if (!factory.givesColumns) None
    else Some(GivesColumns.Handed(output, executeQuery(mapped(factory, factory.inColumns))))
  }

  private def mapped[Out: ClassTag](
      factory: EmberMapEvaluatorFactory,
      output: OutputForm[Out]): RDD[Out] = {
    val below = if (factory.takesColumns) ColumnsBelow.of(child) else None
    val mapped = below match {
      case Some((columns, batches)) =>
        mapPartitions(batches, factory.overColumns(columns, output))
      case None => mapPartitions(child.execute(), factory.overRows(output))
    }
    resources.fold(mapped)(mapped.withResources)
  }

  private def mapPartitions[T, Out: ClassTag](
      input: RDD[T],
      factory: PartitionEvaluatorFactory[T, Out]): RDD[Out] =
    (isBarrier, conf.usePartitionEvaluator) match {
      case (true, true) => input.barrier().mapPartitionsWithEvaluator(factory)
      case (true, false) =>
        input.barrier().mapPartitionsWithIndex(EmberMapExec.run(factory, _, _))
      case (false, true) => input.mapPartitionsWithEvaluator(factory)
      case (false, false) =>
        input.mapPartitionsWithIndexInternal(EmberMapExec.run(factory, _, _))
    }

  private def evaluator: EmberMapEvaluatorFactory = {
    val python = func.asInstanceOf[PythonUDF]
    new EmberMapEvaluatorFactory(
      output,
      Seq(Chains.of(Seq(python.func), python.resultId)),
      child.schema,
      python.dataType,
      PythonNodes.nodeConf(this, pythonEvalType, pythonMetrics, artifacts, loggedSession))
  }
}

private object EmberMapExec {
  def run[T, Out](
      factory: PartitionEvaluatorFactory[T, Out],
      partition: Int,
      input: Iterator[T]): Iterator[Out] =
    factory.createEvaluator().eval(partition, input)
}
