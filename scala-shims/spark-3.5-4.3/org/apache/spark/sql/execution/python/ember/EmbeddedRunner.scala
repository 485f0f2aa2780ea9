package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.rows.{InputRows, RowBatches}

/**
 * A runner of Spark's that runs its function on the embedded lane if it can, and is Spark's own runner if it
 * cannot. It decides before it has touched its input, so that nothing is lost either way.
 */
trait EmbeddedRunner extends RowRunner with SessionRunner[Iterator[InternalRow], ColumnarBatch] {

  /** Where batches end; nothing if each inner iterator of the input is one batch. */
  private[ember] def batchLimits: Option[RowBatches.Limits]

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] =
    embed(input, partition, context) match {
      case Right(batches) => batches
      case Left(reason) =>
        onSpark(reason)(super.compute(input, partition, context))
    }

  /** Spark's own runner. */
  private[ember] final def stock(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = super.compute(input, partition, context)

  /** The function's batches from the embedded lane, or why it cannot run there. */
  final def embed(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Either[FallbackReason, Iterator[ColumnarBatch]] =
    enter(partition, context)(_.open(_, _, _, _)).map { opened =>
      val batches = new RowBatches(arrowSchema, ArrowMemory.allocator, batchLimits, input)
      new ArrowRun(opened).start(UpstreamFiles.apart(batches))
    }

  /** The same, with rows that cross as pages. `input` gets the limits of this runner. */
  private[ember] final def embedRows(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int)(input: Option[RowBatches.Limits] => InputRows)
      : Either[FallbackReason, Iterator[InternalRow]] =
    enterRows(form, output, context, partition)(input(batchLimits))

  /** A session whose input is to cross as columns, before it has its input. */
  private[ember] final def openColumns(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int): Either[FallbackReason, ColumnRun] =
    enter(partition, context)(_.openColumns(_, _, _, _, form.plan(spillFolder)))
      .map(new ColumnRun(_, form, output))

  override protected def sentSchema: Schema = sent(arrowSchema)

  private lazy val arrowSchema: Schema =
    InputSchema.checked(schema, timeZoneId, largeVarTypes)

  /** What batches hold: the function's columns, and what a kind sends beside them. */
  protected def sent(columns: Schema): Schema = columns
}

object EmbeddedRunner {

  /** Opens a session: header, input schema, environment, batches ahead. */
  private[ember] type Open = (Native, Array[Byte], Array[Byte], Array[Byte], Int) => Long
}
