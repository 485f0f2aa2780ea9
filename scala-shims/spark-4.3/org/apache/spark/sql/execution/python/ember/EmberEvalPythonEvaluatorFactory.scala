package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.api.python.ChainedPythonFunctions
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF, UnsafeProjection}
import org.apache.spark.sql.execution.python.ArrowEvalPythonEvaluatorFactory
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.StructType

/**
 * A partition of rows through scalar functions. Where the functions allow it rows cross as pages; else this is
 * Spark's own evaluator with another runner in it.
 *
 * Its input may be one row object again and again: pages take rows as they come, and only Spark's evaluator gets
 * copies, as from Spark's node.
 *
 * @param kept
 *   which columns of the input stand before the results, if not all of them
 */
final class EmberEvalPythonEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    batchRows: Int,
    kept: Option[Seq[Int]],
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
      node.session) {

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] = {
    val rows = new EvalRows(
      inputAttributes,
      FunctionArguments.of(functions),
      allAttributes.drop(inputAttributes.length),
      kept,
      node)
    if (rows.applies) new RowEvaluator(rows) else new OnCopies(super.createEvaluator())
  }

  private final class RowEvaluator(rows: EvalRows)
      extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(partition: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
      rows.eval(Iterator(inputs.head), limited = true, TaskContext.get()) match {
        case Right(joined) => joined
        case Left(reason) =>
          node.onSpark(reason)(new OnCopies(sparks.createEvaluator()).eval(partition, inputs: _*))
      }
  }

  private final class OnCopies(evaluator: PartitionEvaluator[InternalRow, InternalRow])
      extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(partition: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
      chosen(evaluator.eval(partition, inputs.map(_.map(_.copy())): _*))
  }

  private def chosen(rows: Iterator[InternalRow]): Iterator[InternalRow] =
    kept.fold(rows) { ordinals =>
      val columns = ordinals.map(inputAttributes) ++ allAttributes.drop(inputAttributes.length)
      rows.map(UnsafeProjection.create(columns, allAttributes))
    }

  private def sparks = new ArrowEvalPythonEvaluatorFactory(
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

  override def evaluate(
      chained: Seq[(ChainedPythonFunctions, Long)],
      arguments: Array[Array[ArgumentMetadata]],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[InternalRow] = {
    val types = new OutputTypes(allAttributes.drop(inputAttributes.length))
    new EmberEvalRunner(chained, arguments, schema, node)
      .compute(Iterator(rows), context.partitionId(), context)
      .flatMap { batch =>
        types.check(batch)
        batch.rowIterator.asScala
      }
  }
}

object EmberEvalPythonEvaluatorFactory {
  def run(
      rows: RDD[InternalRow],
      factory: PartitionEvaluatorFactory[InternalRow, InternalRow],
      asEvaluator: Boolean): RDD[InternalRow] =
    if (asEvaluator) rows.mapPartitionsWithEvaluator(factory)
    else rows.mapPartitionsWithIndexInternal(factory.createEvaluator().eval(_, _))
}
