package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  JoinedRow,
  NamedExpression,
  UnsafeProjection,
  UnsafeRow
}
import org.apache.spark.sql.execution.GroupedIterator

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CutGroups, RowBatches, RowGroup, WrittenSize}

/**
 * A partition through functions that make one value of each group. The groups' keys wait in the page of input
 * rows, one for each group, and come back joined with the values.
 *
 * @param values
 *   what the functions return
 * @param results
 *   what the node gives, from the keys and the values
 */
private[ember] final class GroupedAggregate(
    grouping: Seq[NamedExpression],
    input: Seq[Attribute],
    arguments: FunctionArguments,
    values: Seq[Attribute],
    results: Seq[NamedExpression],
    node: NodeConf)
    extends Serializable {
  @transient private lazy val types = new OutputTypes(values)

  /** `rows` are not empty; `merged` are the same with the sessions they fall into. */
  def eval(merged: Iterator[InternalRow]): Iterator[InternalRow] = {
    val context = TaskContext.get()
    val runner =
      new EmberGroupedEvalRunner(arguments.chains, arguments.metas, arguments.schema, node)
    val project =
      UnsafeProjection.create(results, grouping.map(_.toAttribute) ++ values)
    embed(runner, merged, context) match {
      case Right(joined) => joined.map(project)
      case Left(reason) =>
        node.onSpark(reason)(onSpark(runner, merged, context).map(project))
    }
  }

  private def embed(
      runner: EmberGroupedEvalRunner,
      rows: Iterator[InternalRow],
      context: TaskContext): Either[FallbackReason, Iterator[InternalRow]] =
    form.toRight(FallbackReason.GroupedTypes).flatMap { way =>
      runner.embedRows(way, new CheckedRows(types, identity), context, context.partitionId()) {
        limits =>
          cut(rows, limits.get)
      }
    }

  private def form: Option[RowForm] = for {
    keys <- RowForm.stored(FunctionArguments.struct(grouping.map(_.dataType)))
    asked <- RowForm.stored(arguments.schema)
    back <- RowForm.stored(FunctionArguments.struct(types.expected))
  } yield RowForm(
    keys,
    asked,
    None,
    back,
    node.largeVarTypes,
    wrapped = false,
    joined = grouping.nonEmpty,
    grouped = true)

  private def cut(rows: Iterator[InternalRow], limits: RowBatches.Limits): CutGroups = {
    val toAsked = UnsafeProjection.create(arguments.inputs, input)
    val size = new WrittenSize(
      InputSchema.of(arguments.schema, node.timeZone, node.largeVarTypes),
      wrapped = false,
      ArrowMemory.allocator,
      arguments.inputs.length,
      identity)
    new CutGroups(groups(rows), limits, None, Some(toAsked(_)), size)
  }

  private def groups(rows: Iterator[InternalRow]): Iterator[RowGroup] =
    if (grouping.isEmpty) Iterator.single(RowGroup(None, rows))
    else
      GroupedIterator(rows, grouping, input).map { case (key, group) =>
        RowGroup(Some(key.asInstanceOf[UnsafeRow]), group)
      }

  /** Spark's way: keys wait in its queue, and each batch of its worker has the value of one. */
  private def onSpark(
      runner: EmberGroupedEvalRunner,
      rows: Iterator[InternalRow],
      context: TaskContext): Iterator[InternalRow] = {
    val queue = RowsOfTask.queue(context, grouping.length)
    val toAsked = UnsafeProjection.create(arguments.inputs, input)
    val asked = groups(rows).map { group =>
      queue.add(group.key.getOrElse(new UnsafeRow())): Unit
      group.rows.map(toAsked)
    }
    val joined = new JoinedRow
    runner
      .compute(asked, context.partitionId(), context)
      .map(batch => joined(queue.remove(), batch.rowIterator.next()))
  }
}
