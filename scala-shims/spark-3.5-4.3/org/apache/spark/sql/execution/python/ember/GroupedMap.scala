package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, UnsafeProjection}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.GroupedIterator
import org.apache.spark.sql.execution.python.PandasGroupUtils
import org.apache.spark.sql.types.StructType

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CutGroups, RowBatches, RowGroup, WrittenSize}

/**
 * A partition through a function over each of its groups. Rows cross as they are, with the columns that the
 * function wants named by their places; the function's results come back alone.
 *
 * @param asked
 *   what the function gets of each row: the keys that are not among the values, then the values
 * @param offsets
 *   which of them are keys and which values, as Spark's worker reads it
 * @param wrapped
 *   the function gets them as the fields of one struct column
 */
private[ember] final class GroupedMap(
    grouping: Seq[Attribute],
    input: Seq[Attribute],
    asked: Seq[Attribute],
    offsets: Array[Int],
    functions: Seq[Chains.Chain],
    output: Seq[Attribute],
    wrapped: Boolean,
    node: NodeConf)
    extends Serializable {

  def eval(rows: Iterator[InternalRow]): Iterator[InternalRow] =
    if (rows.isEmpty) rows
    else {
      val context = TaskContext.get()
      val runner = new EmberGroupedMapRunner(functions, offsets, schema, node)
      embed(runner, rows, context) match {
        case Right(mapped) => mapped
        case Left(reason) =>
          node.onSpark(reason)(PandasGroupUtils.executePython(asSparkSends(rows), output, runner))
      }
    }

  private def embed(
      runner: EmberGroupedMapRunner,
      rows: Iterator[InternalRow],
      context: TaskContext): Either[FallbackReason, Iterator[InternalRow]] =
    form.toRight(FallbackReason.GroupedTypes).flatMap { way =>
      runner.embedRows(way, results, context, context.partitionId()) { limits =>
        cut(rows, limits.get)
      }
    }

  private def results = new StructRows(output, _ => ())

  /** What Python gets, as Spark's runner is told it. */
  private def schema: StructType = {
    val columns = DataTypeUtils.fromAttributes(asked)
    if (wrapped) new StructType().add("struct", columns) else columns
  }

  private def form: Option[RowForm] = for {
    kept <- RowForm.stored(DataTypeUtils.fromAttributes(input))
    sent <- RowForm.stored(DataTypeUtils.fromAttributes(asked))
    back = results.stored
  } yield RowForm(
    kept,
    sent,
    Some(asked.map(column => input.indexWhere(_.exprId == column.exprId))),
    back.getOrElse(new StructType()),
    node.largeVarTypes,
    wrapped = true,
    joined = false,
    flat = !wrapped,
    grouped = true)

  private def cut(rows: Iterator[InternalRow], limits: RowBatches.Limits): CutGroups = {
    val groups = GroupedIterator(rows, grouping, input).map { case (_, group) =>
      RowGroup(None, group)
    }
    lazy val toAsked = UnsafeProjection.create(asked, input)
    val size = new WrittenSize(
      InputSchema.of(schema, node.timeZone, node.largeVarTypes),
      wrapped,
      ArrowMemory.allocator,
      input.length,
      row => sentBySpark(toAsked(row)))
    val toInput = RowRun.toUnsafe(DataTypeUtils.fromAttributes(input))
    new CutGroups(groups, limits, Some(toInput), None, size)
  }

  private def asSparkSends(rows: Iterator[InternalRow]): Iterator[Iterator[InternalRow]] =
    PandasGroupUtils
      .groupAndProject(rows, grouping, input, asked)
      .map { case (_, group) => group.map(sentBySpark) }

  private def sentBySpark(row: InternalRow): InternalRow =
    if (wrapped) InternalRow(row) else row
}
