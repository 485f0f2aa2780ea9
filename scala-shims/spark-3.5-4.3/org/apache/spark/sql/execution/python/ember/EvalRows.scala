package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, UnsafeProjection}
import org.apache.spark.sql.types.{StructField, StructType}
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CutRows, RowBatches, WrittenSize}
import dev.ember.rows.columns.InputColumns

/**
 * A partition through scalar functions: pages in, joined pages out, and no queue of rows between. Functions over
 * iterators may give other batches than they take; rows are joined in their order, whatever batch they are in.
 *
 * @param columnRows
 *   where Spark's node makes columns of the joined rows: how many go into a batch
 */
private[ember] final class EvalRows(
    inputAttributes: Seq[Attribute],
    arguments: FunctionArguments,
    results: Seq[Attribute],
    chosen: Option[Seq[Int]],
    node: NodeConf,
    columnRows: Option[Int] = None) {

  private val types = new OutputTypes(results)
  private[ember] val output = new CheckedRows(types, asSparkWrites)

  private[ember] val form: Option[RowForm] = for {
    input <- RowForm.stored(FunctionArguments.struct(inputAttributes.map(_.dataType)))
    given <- RowForm.stored(FunctionArguments.struct(arguments.inputs.map(_.dataType)))
    output <- RowForm.stored(FunctionArguments.struct(types.expected))
    if results.forall(_.nullable)
    if forgotten.forall(result => RowForm.nullsAllowed(result.dataType))
  } yield RowForm(
    input,
    given,
    arguments.columnIndices(inputAttributes).map(_.toSeq),
    output,
    node.largeVarTypes,
    wrapped = false,
    joined = joined,
    chosen = chosen)

  /** Whether these functions take this way at all. */
  def applies: Boolean = form.nonEmpty

  /** Whether joined rows may go on as columns, to a node that would copy them. */
  def givesColumns: Boolean =
    applies && (before.map(inputAttributes) ++ results).forall(it =>
      InputColumns.copies(it.dataType))

  /** How they go on as columns. */
  def inColumns: OutputForm[ColumnarBatch] = {
    val columns = before.map(inputAttributes) ++ results
    val schema = EvalRows.schema(columns)
    val (checks, first) = (types, before.length)
    new OutputForm.Columns(
      schema,
      batch => {
        checks.check(batch, first)
        batch
      })
  }

  private def joined: Boolean = chosen.isEmpty || before.nonEmpty

  /** Results that its rows do not have. Spark reads them even so, and may fail. */
  private def forgotten: Seq[Attribute] =
    results.zipWithIndex.collect {
      case (result, at) if chosen.exists(!_.contains(inputAttributes.length + at)) => result
    }

  /** Spark writes all columns of a row before it chooses among them, or makes columns of many. */
  private def asSparkWrites(rows: Iterator[InternalRow]): Iterator[InternalRow] = {
    val all = if (joined) inputAttributes ++ results else results
    val written = rows.map(UnsafeProjection.create(all, all))
    val read = columnRows.fold(written) { count =>
      new RowsAsColumns(written, EvalRows.schema(all), count).flatMap(_.rowIterator.asScala)
    }
    val wanted = chosen.fold(all)(_.map(inputAttributes ++ results))
    if (chosen.isEmpty && columnRows.isEmpty) written
    else read.map(UnsafeProjection.create(wanted, all))
  }

  /** The columns of the input that its rows have. */
  private def before: Seq[Int] =
    chosen.fold[Seq[Int]](inputAttributes.indices)(_.filter(_ < inputAttributes.length))

  /** The joined rows, or why they cannot be had. The input is not touched if they cannot. */
  def eval[Out](
      runs: Iterator[Iterator[InternalRow]],
      limited: Boolean,
      context: TaskContext,
      out: OutputForm[Out]): Either[FallbackReason, Iterator[Out]] = {
    val runner = new EmberEvalRunner(arguments.chains, arguments.metas, arguments.schema, node)
    val rows = form.getOrElse(throw new IllegalStateException("these functions take another way"))
    // The task's partition, which is not the node's own below a coalesce: as in Spark's evaluator.
    val partition = context.partitionId()
    runner.openRows(rows, output, context, partition).map { run =>
      val limits = runner.batchLimits.filter(_ => limited)
      out.from(run, UpstreamFiles.apart(input(partition, runs, rows, limits)))
    }
  }

  private def input(
      partition: Int,
      runs: Iterator[Iterator[InternalRow]],
      form: RowForm,
      limits: Option[RowBatches.Limits]): CutRows = {
    lazy val projection = {
      val made = UnsafeProjection.create(arguments.inputs, inputAttributes)
      made.initialize(partition)
      made
    }
    // Its own projection: asking for a size must not advance an argument that counts or draws.
    val schema = InputSchema.of(arguments.schema, node.timeZone, node.largeVarTypes)
    lazy val columns = UnsafeProjection.create(arguments.inputs, inputAttributes)
    val plain = form.ordinals.nonEmpty
    new CutRows(
      runs,
      limits,
      RowRun.toUnsafe(form.input),
      if (form.ordinals.isEmpty) Some(row => projection(row)) else None,
      new WrittenSize(
        schema,
        wrapped = false,
        ArrowMemory.allocator,
        if (plain) form.input.length else form.arguments.length,
        row => if (plain) columns(row) else row))
  }
}

private object EvalRows {
  private def schema(columns: Seq[Attribute]): StructType =
    StructType(columns.map(it => StructField(it.name, it.dataType, it.nullable)))
}
