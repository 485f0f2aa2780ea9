package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.columns.{ColumnShape, InputColumns}

/**
 * Column batches through scalar functions whose arguments are plain columns: no row is made before them.
 *
 * @param sources
 *   where each column of the input stands in a batch
 * @param limited
 *   batches end where those of rows would, and not where the child's do
 * @param columnRows
 *   where Spark's node makes columns of the joined rows: how many go into a batch
 */
private[ember] final class EvalColumns(
    inputAttributes: Seq[Attribute],
    arguments: FunctionArguments,
    results: Seq[Attribute],
    chosen: Option[Seq[Int]],
    node: NodeConf,
    sources: Seq[Int],
    limited: Boolean,
    columnRows: Option[Int] = None) {
  private val rows = new EvalRows(inputAttributes, arguments, results, chosen, node, columnRows)

  private val plan: Option[(RowForm, ColumnShape)] = for {
    form <- rows.form
    ordinals <- form.ordinals
    if SparkNodes.OneForOne.contains(node.evalType)
    if form.input.forall(field => InputColumns.copies(field.dataType))
  } yield form -> ColumnShape(form.input, sources, ordinals, form.large, form.wrapped, form.joined)

  /** Whether these functions take this way at all. */
  def applies: Boolean = plan.nonEmpty

  /** The joined rows, or why they cannot be had. The input is not touched if they cannot. */
  def eval[Out](
      batches: Iterator[ColumnarBatch],
      context: TaskContext,
      out: OutputForm[Out]): Either[FallbackReason, Iterator[Out]] = {
    val (form, shape) =
      plan.getOrElse(throw new IllegalStateException("these functions take another way"))
    val runner = new EmberEvalRunner(arguments.chains, arguments.metas, arguments.schema, node)
    runner.openColumns(form, rows.output, context, context.partitionId()).map { run =>
      val limits = runner.batchLimits.filter(_ => limited)
      out.from(run, ColumnRun.input(shape, limits, batches, node))
    }
  }
}
