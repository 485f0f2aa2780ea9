package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Left => _, Right => _, _}
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.execution.python.{
  ArrowWindowPythonEvaluatorFactory,
  ArrowWindowPythonExec
}
import org.apache.spark.sql.util.ArrowUtils

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CutGroups, RowBatches, RowGroup, WrittenSize}

/**
 * A partition through aggregates over windows that have no bounds: a value for each group, repeated by PySpark for
 * each row of it. Rows wait in their page and come back joined with the values.
 *
 * @param sparks
 *   Spark's own evaluator of the node
 */
private[ember] final class WindowOver(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    input: Seq[Attribute],
    sparks: ArrowWindowPythonEvaluatorFactory,
    node: NodeConf)
    extends Serializable {
  private val overs = WindowOver.expressions(windows)

  def eval(index: Int, rows: Iterator[InternalRow]): Iterator[InternalRow] = {
    val context = TaskContext.get()
    val arguments = FunctionArguments.of(overs.map(WindowOver.function))
    val runner =
      new EmberGroupedEvalRunner(arguments.chains, arguments.metas, arguments.schema, node)
    form(arguments)
      .toRight(FallbackReason.GroupedTypes)
      .flatMap { way =>
        runner.embedRows(way, new CheckedRows(types), context, context.partitionId()) { limits =>
          cut(rows, arguments, limits.get)
        }
      } match {
      case Right(joined) => joined.map(project)
      case Left(reason) =>
        EmbeddedRunner.fellBack(reason, node.count)
        sparks.createEvaluator().eval(index, rows)
    }
  }

  private def form(arguments: FunctionArguments): Option[RowForm] = for {
    kept <- RowForm.stored(FunctionArguments.struct(input.map(_.dataType)))
    asked <- RowForm.stored(arguments.schema)
    back <- RowForm.stored(FunctionArguments.struct(types.expected))
    if RowForm.nullsAllowed(back)
  } yield RowForm(
    kept,
    asked,
    ordinals(arguments),
    back,
    node.largeVarTypes,
    wrapped = false,
    joined = true,
    grouped = true)

  private def ordinals(arguments: FunctionArguments): Option[Seq[Int]] =
    arguments.columnIndices(input).map(_.toSeq)

  private def cut(
      rows: Iterator[InternalRow],
      arguments: FunctionArguments,
      limits: RowBatches.Limits): CutGroups = {
    val project = UnsafeProjection.create(arguments.inputs, input)
    val apart = ordinals(arguments).isEmpty
    val size = new WrittenSize(
      ArrowUtils.toArrowSchema(arguments.schema, node.timeZone, node.largeVarTypes),
      wrapped = false,
      ArrowMemory.allocator,
      if (apart) arguments.inputs.length else input.length,
      row => if (apart) row else project(row))
    val groups = new EqualRuns(rows, UnsafeProjection.create(partition, input))
    val toInput = RowRun.toUnsafe(FunctionArguments.struct(input.map(_.dataType)))
    val toAsked = Option.when(apart)((row: InternalRow) => project(row))
    new CutGroups(groups.map(RowGroup(None, _)), limits, Some(toInput), toAsked, size)
  }

  /** As Spark's node: the input's columns, then each expression with its windows' values in it. */
  private def project: UnsafeProjection = {
    val values = overs.zipWithIndex.map { case (over, at) =>
      (over: Expression) -> BoundReference(input.size + at, over.dataType, over.nullable)
    }.toMap
    val results = windows.map(_.transform(Function.unlift(values.get)))
    UnsafeProjection.create(input ++ results, input)
  }

  @transient private lazy val types = new OutputTypes(
    overs.map(over => AttributeReference("", over.dataType)()))
}

object WindowOver {
  def run(
      rows: RDD[InternalRow],
      plan: ArrowWindowPythonExec,
      sparks: ArrowWindowPythonEvaluatorFactory,
      node: NodeConf): RDD[InternalRow] = {
    val unbounded = expressions(plan.windowExpression).map(_ => "unbounded").mkString(",")
    val told = node.copy(runnerConf = node.runnerConf + ("window_bound_types" -> unbounded))
    val over =
      new WindowOver(plan.windowExpression, plan.partitionSpec, plan.child.output, sparks, told)
    rows.mapPartitionsWithIndexInternal(over.eval)
  }

  /** Whether all windows of the node are whole groups. */
  def isUnbounded(plan: ArrowWindowPythonExec): Boolean =
    expressions(plan.windowExpression).forall(_.windowSpec.frameSpecification match {
      case SpecifiedWindowFrame(_, UnboundedPreceding, UnboundedFollowing) => true
      case _ => false
    })

  private[ember] def expressions(windows: Seq[NamedExpression]): Seq[WindowExpression] =
    windows.flatMap(_.collect { case over: WindowExpression => over })

  private[ember] def function(over: WindowExpression): PythonFuncExpression =
    over.windowFunction match {
      case AggregateExpression(python: PythonFuncExpression, _, _, _, _) => python
      case other => throw new IllegalStateException(s"$other is no function of Python's")
    }
}
