package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.{CutRows, RowBatches, WrittenSize}
import dev.ember.rows.columns.{ColumnShape, InputColumns}

/**
 * A partition through `mapInPandas` or `mapInArrow`. Rows go in as one struct column and come out as one, whose
 * children are the output by position.
 */
final class EmberMapEvaluatorFactory(
    output: Seq[Attribute],
    functions: Seq[(ChainedPythonFunctions, Long)],
    inputSchema: StructType,
    outputType: DataType,
    node: NodeConf)
    extends PartitionEvaluatorFactory[InternalRow, InternalRow] {

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] = new MapEvaluator

  private final class MapEvaluator extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(index: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] = {
      val context = TaskContext.get()
      val partition = context.partitionId()
      val runner = mapRunner
      form.map(runner.embedRows(_, rows, context, partition)(cut(inputs.head, _))) match {
        case Some(Right(mapped)) => mapped
        case Some(Left(reason)) =>
          node.onSpark(reason)(columns(runner.stock(_, partition, context), inputs.head))
        case None => columns(runner.compute(_, partition, context), inputs.head)
      }
    }
  }

  /** Whether the input may cross as columns. */
  def takesColumns: Boolean =
    form.nonEmpty && inputSchema.forall(field => InputColumns.copies(field.dataType))

  /** The same over the batches that rows would have been unpacked from. */
  private[ember] def over(
      columns: UnpackedColumns): PartitionEvaluatorFactory[ColumnarBatch, InternalRow] =
    new OverColumns(columns, mapColumns)

  private def mapColumns(
      below: UnpackedColumns,
      index: Int,
      batches: Iterator[ColumnarBatch]): Iterator[InternalRow] = {
    val context = TaskContext.get()
    val partition = context.partitionId()
    val runner = mapRunner
    val way = form.getOrElse(throw new IllegalStateException("these columns take another way"))
    val mapped = runner.embedColumns(way, rows, context, partition) { limits =>
      ColumnRun.input(shape(way, below), limits, below.read(batches), node)
    }
    mapped match {
      case Right(joined) => joined
      case Left(reason) =>
        node.onSpark(reason)(
          columns(runner.stock(_, partition, context), below.asRows(index, batches)))
    }
  }

  private def shape(form: RowForm, below: UnpackedColumns): ColumnShape = ColumnShape(
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
    val schema = ArrowUtils.toArrowSchema(wrapped, node.timeZone, node.largeVarTypes)
    val size = new WrittenSize(
      schema,
      wrapped = true,
      ArrowMemory.allocator,
      inputSchema.length,
      InternalRow(_))
    new CutRows(Iterator(rows), limits, RowRun.toUnsafe(inputSchema), None, size)
  }

  private def columns(
      compute: Iterator[Iterator[InternalRow]] => Iterator[ColumnarBatch],
      input: Iterator[InternalRow]): Iterator[InternalRow] =
    compute(Iterator(input.map(InternalRow(_)))).flatMap(rows.convert)

  private val rows =
    new StructRows(output, actual => if (SQLConf.get.pysparkArrowValidateSchema) checkType(actual))

  private def checkType(actual: DataType): Unit =
    if (!DataType.equalsIgnoreCompatibleNullability(actual, outputType)) {
      throw QueryExecutionErrors.arrowDataTypeMismatchError(
        PythonEvalType.toString(node.evalType),
        Seq(outputType),
        Seq(actual))
    }
}
