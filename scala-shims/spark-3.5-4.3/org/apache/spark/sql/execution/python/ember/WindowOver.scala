package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  AttributeReference,
  JoinedRow,
  UnsafeProjection,
  UnsafeRow
}
import org.apache.spark.sql.types.StructType

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CutGroups, RowBatches, RowGroup, WrittenSize}

/**
 * A partition through aggregates over windows. Rows wait in their page and come back joined with the values: one
 * for a group, which PySpark repeats for each row of it, or one for the frame of each row, of which the function is
 * told begin and end.
 */
private[ember] final class WindowOver(frames: WindowFrames, node: NodeConf) extends Serializable {
  import frames.{childOutput => input}

  @transient private lazy val arguments = frames.arguments
  @transient private lazy val types = new OutputTypes(
    frames.overs.map(over => AttributeReference("", over.dataType)()))

  def eval(index: Int, rows: Iterator[InternalRow]): Iterator[InternalRow] = {
    val context = TaskContext.get()
    val told = node.copy(runnerConf = node.runnerConf + frames.boundTypes)
    val runner =
      new EmberGroupedEvalRunner(arguments.chains, arguments.metas, arguments.schema, told)
    form
      .toRight(FallbackReason.GroupedTypes)
      .flatMap { way =>
        runner.embedRows(way, new CheckedRows(types, identity), context, context.partitionId()) {
          limits =>
            cut(rows, limits.get)
        }
      } match {
      case Right(joined) => joined.map(frames.results)
      case Left(reason) =>
        node.onSpark(reason)(frames.createEvaluator().eval(index, rows))
    }
  }

  private def form: Option[RowForm] = for {
    kept <- RowForm.stored(columns)
    asked <- RowForm.stored(arguments.schema)
    back <- RowForm.stored(FunctionArguments.struct(types.expected))
  } yield RowForm(
    kept,
    asked,
    ordinals,
    back,
    node.largeVarTypes,
    wrapped = false,
    joined = true,
    grouped = true)

  private def columns: StructType = FunctionArguments.struct(input.map(_.dataType))

  private def ordinals: Option[Seq[Int]] = arguments.columnIndices(input).map(_.toSeq)

  private def cut(rows: Iterator[InternalRow], limits: RowBatches.Limits): CutGroups = {
    val toInput = RowRun.toUnsafe(columns)
    val runs = new EqualRuns(rows, UnsafeProjection.create(frames.partitionSpec, input))
    val project = UnsafeProjection.create(arguments.inputs, frames.boundColumns ++ input)
    val apart = ordinals.isEmpty
    val (groups, toAsked) =
      if (frames.boundColumns.isEmpty) (runs, (row: InternalRow) => project(row))
      else besideBounds(frames.framed(runs, toInput), project)
    val size = new WrittenSize(
      InputSchema.of(arguments.schema, node.timeZone, node.largeVarTypes),
      wrapped = false,
      ArrowMemory.allocator,
      if (apart) arguments.inputs.length else input.length,
      row => if (apart) row else project(row))
    val asked = if (apart) Some(toAsked) else None
    new CutGroups(groups.map(RowGroup(None, _)), limits, Some(toInput), asked, size)
  }

  private def besideBounds(
      runs: FramedRuns,
      project: UnsafeProjection): (Iterator[Iterator[InternalRow]], InternalRow => UnsafeRow) = {
    val row = new JoinedRow
    (runs, current => project(row(runs.bounds, current)))
  }
}

object WindowOver {
  def run(rows: RDD[InternalRow], frames: WindowFrames, node: NodeConf): RDD[InternalRow] =
    rows.mapPartitionsWithIndexInternal(new WindowOver(frames, node).eval)
}
