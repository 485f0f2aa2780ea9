package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.{CutRows, RowBatches, WrittenSize}
import dev.ember.rows.columns.{ColumnShape, InputColumns}

/**
 * A partition through `mapInPandas` or `mapInArrow`. Rows go in as one struct column and come out as one, whose
 * children are the output by position.
 */
final class EmberMapEvaluatorFactory(
    output: Seq[Attribute],
    functions: Seq[Chains.Chain],
    inputSchema: StructType,
    outputType: DataType,
    node: NodeConf)
    extends Serializable {

  /** Whether the input may cross as columns. */
  def takesColumns: Boolean =
    form.nonEmpty && inputSchema.forall(field => InputColumns.copies(field.dataType))

  /** Whether the output may go on as columns, to a node that would copy its rows. */
  def givesColumns: Boolean =
    output.forall(column => InputColumns.copies(column.dataType))

  private[ember] def inColumns: OutputForm[ColumnarBatch] =
    new OutputForm.Columns(rows.named, rows.asColumns)

  private[ember] def overRows[Out](
      output: OutputForm[Out]): PartitionEvaluatorFactory[InternalRow, Out] =
    new OverRows[Out]((_, rows) => mapRows(rows, output))

  private def mapRows[Out](input: Iterator[InternalRow], output: OutputForm[Out]): Iterator[Out] = {
    val context = TaskContext.get()
    val partition = context.partitionId()
    val runner = mapRunner
    form.map(runner.openRows(_, rows, context, partition)) match {
      case Some(Right(run)) =>
        output.from(run, UpstreamFiles.apart(cut(input, runner.batchLimits)))
      case Some(Left(reason)) =>
        node.onSpark(reason)(columns(runner.stock(_, partition, context), input, output))
      case None => columns(runner.compute(_, partition, context), input, output)
    }
  }

  /** The same over the batches that rows would have been made of. */
  private[ember] def overColumns[Out](
      below: ColumnsBelow,
      output: OutputForm[Out]): PartitionEvaluatorFactory[ColumnarBatch, Out] =
    new OverColumns[Out](below, mapColumns(_, _, _, output))

  private def mapColumns[Out](
      below: ColumnsBelow,
      index: Int,
      batches: Iterator[ColumnarBatch],
      output: OutputForm[Out]): Iterator[Out] = {
    val context = TaskContext.get()
    val partition = context.partitionId()
    val runner = mapRunner
    val way = form.getOrElse(throw new IllegalStateException("these columns take another way"))
    runner.openColumns(way, rows, context, partition) match {
      case Right(run) =>
        val input =
          ColumnRun.input(shape(way, below), runner.batchLimits, below.read(batches), node)
        output.from(run, input)
      case Left(reason) =>
        node.onSpark(reason)(
          columns(runner.stock(_, partition, context), below.asRows(index, batches), output))
    }
  }

  private def shape(form: RowForm, below: ColumnsBelow): ColumnShape = ColumnShape(
    form.input,
    below.sources,
    form.input.indices,
    form.large,
    form.wrapped,
    form.joined)

  private def mapRunner: EmberMapRunner =
    new EmberMapRunner(functions, new StructType().add("struct", inputSchema), node)

  private def form: Option[RowForm] = for {
    input <- RowForm.stored(inputSchema)
    result <- rows.stored
  } yield RowForm(
    input,
    input,
    Some(input.indices),
    result,
    node.largeVarTypes,
    wrapped = true,
    joined = false)

  private def cut(rows: Iterator[InternalRow], limits: Option[RowBatches.Limits]): CutRows = {
    val wrapped = new StructType().add("struct", inputSchema)
    val schema = InputSchema.of(wrapped, node.timeZone, node.largeVarTypes)
    val size = new WrittenSize(
      schema,
      wrapped = true,
      ArrowMemory.allocator,
      inputSchema.length,
      InternalRow(_))
    new CutRows(Iterator(rows), limits, RowRun.toUnsafe(inputSchema), None, size)
  }

  private def columns[Out](
      compute: Iterator[Iterator[InternalRow]] => Iterator[ColumnarBatch],
      input: Iterator[InternalRow],
      output: OutputForm[Out]): Iterator[Out] =
    output.from(compute(Iterator(input.map(InternalRow(_)))).flatMap(rows.convert(_, None)))

  private val rows = new StructRows(output, OtherTypes.checkMap(node.evalType, outputType, _))
}
