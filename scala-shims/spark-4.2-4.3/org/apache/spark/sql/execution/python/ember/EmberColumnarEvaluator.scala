package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  JoinedRow,
  MutableProjection,
  PythonUDF
}
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.execution.python.ColumnarArrowEvalPythonEvaluatorFactory
import org.apache.spark.sql.execution.python.PeekableIterator
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

import dev.ember.reason.FallbackReason

/**
 * A partition of a columnar child through scalar functions. The batches that Python sees are the child's, as in
 * Spark. Where the embedded lane cannot be had, Spark's own evaluator does all of it.
 *
 * @param chosen
 *   which columns of the input and results its rows have, if not all in that order
 */
final class EmberColumnarEvaluator(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    output: Seq[Attribute],
    batchRows: Int,
    chosen: Option[Seq[Int]],
    node: NodeConf)
    extends ColumnarEvaluator {

  override def rows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow] =
    eval(partition, input, arrowToo = true) match {
      case Right(joined) => joined
      case Left(batches) =>
        val toUnsafe = UnsafeProjection.create(wanted, output)
        batches.flatMap(_.rowIterator.asScala.map(toUnsafe))
    }

  override def batches(partition: Int, input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch] =
    eval(partition, input, arrowToo = false).fold(identity, inBatches(_, TaskContext.get()))

  /**
   * Rows from the embedded lane, or batches from Spark's own evaluator.
   *
   * @param arrowToo
   *   batches of Arrow may become rows: nobody above sees where they end
   */
  private def eval(
      partition: Int,
      input: Iterator[ColumnarBatch],
      arrowToo: Boolean): Either[Iterator[ColumnarBatch], Iterator[InternalRow]] = {
    val arguments = FunctionArguments.of(functions)
    val columns = arguments.columnIndices(inputAttributes)
    val child = new PeekableIterator(input)
    val arrow = child
      .peek()
      .exists(isArrow) // as in Spark: the first batch is pulled whatever the arguments are
    val asTheyAre = columns.nonEmpty && arrow
    val embedded =
      (if (asTheyAre && !arrowToo) None else inColumns(child, arguments, asTheyAre)).getOrElse {
        if (asTheyAre) Left(FallbackReason.ArrowBackedChild)
        else inPages(child, arguments).getOrElse(embed(child, arguments, columns))
      }
    embedded.left.map { reason =>
      node.onSpark(reason)(sparks.createEvaluator().eval(partition, child))
    }
  }

  private def isArrow(batch: ColumnarBatch): Boolean =
    batch.numCols() > 0 && batch.column(0).isInstanceOf[ArrowColumnVector]

  private def inColumns(
      child: Iterator[ColumnarBatch],
      arguments: FunctionArguments,
      asTheyAre: Boolean): Option[Either[FallbackReason, Iterator[InternalRow]]] = {
    val results = output.drop(inputAttributes.length)
    val way = new EvalColumns(
      inputAttributes,
      arguments,
      results,
      chosen,
      node,
      inputAttributes.indices,
      limited = false,
      columnRows = Option.unless(asTheyAre)(batchRows))
    Option.when(way.applies)(way.eval(child, TaskContext.get(), OutputForm.Rows))
  }

  private def inPages(
      child: Iterator[ColumnarBatch],
      arguments: FunctionArguments): Option[Either[FallbackReason, Iterator[InternalRow]]] = {
    val results = output.drop(inputAttributes.length)
    val rows =
      new EvalRows(inputAttributes, arguments, results, chosen, node, Some(batchRows))
    Option.when(rows.applies) {
      val batches = child.map(_.rowIterator.asScala: Iterator[InternalRow])
      rows.eval(batches, limited = false, TaskContext.get(), OutputForm.Rows)
    }
  }

  private def embed(
      child: Iterator[ColumnarBatch],
      arguments: FunctionArguments,
      columns: Option[Array[Int]]): Either[FallbackReason, Iterator[InternalRow]] = {
    val context = TaskContext.get()
    lazy val queue = RowsOfTask.queue(context, inputAttributes.length)
    lazy val keep = UnsafeProjection.create(inputAttributes, inputAttributes)

    def remember(row: InternalRow): Unit = queue.add(keep(row).copy()): Unit

    lazy val projection = {
      val made = MutableProjection.create(arguments.inputs, inputAttributes)
      made.initialize(context.partitionId())
      made
    }
    val batches = child.map { batch =>
      columns match {
        case Some(indices) =>
          batch.rowIterator.asScala.foreach(remember)
          selected(batch, indices).rowIterator.asScala
        case None =>
          batch.rowIterator.asScala.map { row =>
            remember(row)
            projection(row)
          }
      }
    }
    new EmberColumnarRunner(arguments.chains, arguments.metas, arguments.schema, node)
      .embed(batches, context.partitionId(), context)
      .map(joined(_, () => queue.remove()))
  }

  private def selected(batch: ColumnarBatch, columns: Array[Int]): ColumnarBatch =
    new ColumnarBatch(columns.map(batch.column(_): ColumnVector), batch.numRows())

  private def joined(
      results: Iterator[ColumnarBatch],
      inputRow: () => UnsafeRow): Iterator[InternalRow] = {
    val types = new OutputTypes(output.drop(inputAttributes.length))
    val both = new JoinedRow
    lazy val toUnsafe = UnsafeProjection.create(wanted, output)
    results
      .flatMap(types.rows(_, node))
      .map(result => toUnsafe(both(inputRow(), result)))
  }

  private def inBatches(
      rows: Iterator[InternalRow],
      context: TaskContext): Iterator[ColumnarBatch] = {
    val batches = new RowsAsColumns(rows, outputSchema, batchRows)
    context.addTaskCompletionListener[Unit](_ => batches.close()): Unit
    batches
  }

  private def wanted: Seq[Attribute] = chosen.fold(output)(_.map(output))

  private def outputSchema: StructType = StructType(output.map { attribute =>
    StructField(attribute.name, attribute.dataType, attribute.nullable, attribute.metadata)
  })

  private def sparks = new ColumnarArrowEvalPythonEvaluatorFactory(
    inputAttributes,
    functions,
    output,
    outputSchema,
    batchRows,
    node.evalType,
    node.timeZone,
    node.largeVarTypes,
    node.runnerConf,
    node.metrics,
    node.artifacts,
    node.session)
}
