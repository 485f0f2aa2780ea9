package org.apache.spark.sql.execution.python.ember

import scala.reflect.ClassTag

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF, UnsafeProjection}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason

/**
 * A partition of rows through scalar functions. Where the functions allow it rows cross as pages; else this is
 * Spark's own evaluator with another runner in it.
 *
 * Its input may be one row object again and again: pages take rows as they come, and only Spark's evaluator gets
 * copies, as from Spark's node.
 *
 * @param chosen
 *   which columns of the input and results its rows have, if not all in that order
 */
final class EmberEvalPythonEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    batchRows: Int,
    chosen: Option[Seq[Int]],
    node: NodeConf)
    extends StockScalarEvaluatorFactory(
      inputAttributes,
      functions,
      allAttributes,
      batchRows,
      node) {
  import EmberEvalPythonEvaluatorFactory.run

  /** The joined rows of a node over `child`, which gives rows. */
  def over(child: SparkPlan, asEvaluator: Boolean): RDD[InternalRow] =
    handed(child) match {
      case Some((below, batches)) => run(batches, overColumns(below, OutputForm.Rows), asEvaluator)
      case None => run(child.execute(), this, asEvaluator)
    }

  /** The same in columns; nothing if columns of their types do not go on as such. */
  def columnsOver(child: SparkPlan, asEvaluator: Boolean): Option[RDD[ColumnarBatch]] =
    if (!rows.givesColumns) None
    else {
      val columns = rows.inColumns
      handed(child) match {
        case Some((below, batches)) => Some(run(batches, overColumns(below, columns), asEvaluator))
        case None => Some(run(child.execute(), overRows(columns), asEvaluator))
      }
    }

  /** The columns of an embedded node below, if the functions take columns. */
  private def handed(child: SparkPlan): Option[(ColumnsBelow, RDD[ColumnarBatch])] =
    if (columns(inputAttributes.indices).applies) HandedColumns.below(child) else None

  private def overColumns[Out](
      below: ColumnsBelow,
      out: OutputForm[Out]): PartitionEvaluatorFactory[ColumnarBatch, Out] =
    new OverColumns[Out](below, evalColumns(_, _, _, out))

  private def evalColumns[Out](
      below: ColumnsBelow,
      partition: Int,
      batches: Iterator[ColumnarBatch],
      out: OutputForm[Out]): Iterator[Out] =
    columns(below.sources).eval(below.read(batches), TaskContext.get(), out) match {
      case Right(joined) => joined
      case Left(reason) => out.from(onSpark(reason, partition, below.asRows(partition, batches)))
    }

  private def rows: EvalRows = new EvalRows(inputAttributes, arguments, results, chosen, node)

  private def columns(sources: Seq[Int]): EvalColumns =
    new EvalColumns(inputAttributes, arguments, results, chosen, node, sources, limited = true)

  private def arguments: FunctionArguments = FunctionArguments.of(functions)

  private def results: Seq[Attribute] = allAttributes.drop(inputAttributes.length)

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
    if (rows.applies) overRows(OutputForm.Rows).createEvaluator()
    else new OnCopies(super.createEvaluator())

  private def overRows[Out](out: OutputForm[Out]): PartitionEvaluatorFactory[InternalRow, Out] =
    new OverRows[Out](evalRows(_, _, out))

  private def evalRows[Out](
      partition: Int,
      input: Iterator[InternalRow],
      out: OutputForm[Out]): Iterator[Out] =
    rows.eval(Iterator(input), limited = true, TaskContext.get(), out) match {
      case Right(joined) => joined
      case Left(reason) => out.from(onSpark(reason, partition, input))
    }

  private def onSpark(
      reason: FallbackReason,
      partition: Int,
      rows: Iterator[InternalRow]): Iterator[InternalRow] =
    node.onSpark(reason)(new OnCopies(sparks.createEvaluator()).eval(partition, rows))

  private final class OnCopies(evaluator: PartitionEvaluator[InternalRow, InternalRow])
      extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(partition: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
      inOrder(evaluator.eval(partition, inputs.map(_.map(_.copy())): _*))
  }

  private def inOrder(rows: Iterator[InternalRow]): Iterator[InternalRow] =
    chosen.fold(rows) { places =>
      rows.map(UnsafeProjection.create(places.map(allAttributes), allAttributes))
    }

  private def sparks =
    new StockScalarEvaluatorFactory(inputAttributes, functions, allAttributes, batchRows, node)

  override def evaluate(
      chained: Seq[Chains.Chain],
      arguments: Array[Array[Chains.Argument]],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[InternalRow] = {
    val types = new OutputTypes(results)
    new EmberEvalRunner(chained, arguments, schema, node)
      .compute(Iterator(rows), context.partitionId(), context)
      .flatMap(types.rows(_, node))
  }
}

object EmberEvalPythonEvaluatorFactory {
  def run[In, Out: ClassTag](
      input: RDD[In],
      factory: PartitionEvaluatorFactory[In, Out],
      asEvaluator: Boolean): RDD[Out] =
    if (asEvaluator) input.mapPartitionsWithEvaluator(factory)
    else input.mapPartitionsWithIndexInternal(factory.createEvaluator().eval(_, _))
}
