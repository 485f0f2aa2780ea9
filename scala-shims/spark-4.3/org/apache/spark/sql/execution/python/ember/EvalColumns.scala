package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.columns.{ColumnShape, InputColumns}

/** Column batches through scalar functions whose arguments are plain columns: no row is made before them. */
private[ember] final class EvalColumns(
    inputAttributes: Seq[Attribute],
    arguments: FunctionArguments,
    results: Seq[Attribute],
    node: NodeConf) {
  private val rows = new EvalRows(inputAttributes, arguments, results, node)

  private val plan: Option[(RowForm, ColumnShape)] = for {
    form <- rows.form
    ordinals <- form.ordinals
    if form.input.forall(field => InputColumns.copies(field.dataType))
  } yield form -> ColumnShape(
    form.input,
    form.input.indices,
    ordinals,
    form.large,
    form.wrapped,
    form.joined)

  /** Whether these functions take this way at all. */
  def applies: Boolean = plan.nonEmpty

  /** The joined rows, or why they cannot be had. The input is not touched if they cannot. */
  def eval(
      batches: Iterator[ColumnarBatch],
      context: TaskContext): Either[FallbackReason, Iterator[InternalRow]] = {
    val (form, shape) =
      plan.getOrElse(throw new IllegalStateException("these functions take another way"))
    val runner = new EmberEvalRunner(arguments.chains, arguments.metas, arguments.schema, node)
    runner.embedColumns(form, rows.output, context, context.partitionId()) { _ =>
      ColumnRun.input(shape, None, batches, node)
    }
  }
}
