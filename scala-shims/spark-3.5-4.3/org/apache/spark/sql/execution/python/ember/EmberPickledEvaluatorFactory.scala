package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.{PartitionEvaluator, TaskContext}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  Expression,
  PythonUDF,
  UnsafeProjection,
  UnsafeRow
}
import org.apache.spark.sql.execution.python.EvaluatePython
import org.apache.spark.sql.types.StructType

import dev.ember.reason.FallbackReason
import dev.ember.rows.InputRows

/** A partition of rows through functions whose rows Spark pickles; it is Spark's own evaluator if it must be. */
final class EmberPickledEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    conf: PickleConf,
    node: NodeConf)
    extends StockPickledEvaluatorFactory(inputAttributes, functions, allAttributes, conf, node) {

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
    new PickledEvaluator(super.createEvaluator())

  private final class PickledEvaluator(sparks: PartitionEvaluator[InternalRow, InternalRow])
      extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(index: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
      embedded(inputs.head, TaskContext.get()) match {
        case Right(joined) => joined
        case Left(reason) =>
          node.onSpark(reason)(sparks.eval(index, inputs.map(_.map(_.copy())): _*))
      }
  }

  private def embedded(
      rows: Iterator[InternalRow],
      context: TaskContext): Either[FallbackReason, Iterator[InternalRow]] = {
    val arguments = FunctionArguments.of(functions)
    val results = allAttributes.drop(inputAttributes.length)
    for {
      _ <- Either.cond(conf.groupBytes < 0, (), FallbackReason.PickleBytesLimit)
      form <- PickledForm
        .of(inputAttributes, arguments, results, conf)
        .toRight(FallbackReason.NoNativeForm)
      output = new PickledOutput(inputAttributes, functions, form.rows)
      runner = new EmberPickledRunner(arguments, form.sent, node)
      joined <- runner.embedRows(form.rows, output, context) {
        input(form, arguments, rows, context.partitionId())
      }
    } yield joined
  }

  private def input(
      form: PickledForm,
      arguments: FunctionArguments,
      rows: Iterator[InternalRow],
      partition: Int): InputRows = {
    val toInput = RowRun.toUnsafe(form.rows.input)
    def projection(of: Seq[Expression]): InternalRow => UnsafeRow = {
      val made = UnsafeProjection.create(of, inputAttributes)
      made.initialize(partition)
      made(_)
    }
    def ordered = arguments.inputs.map(TableOrder.over(_, TableOrder.OfArguments))
    val group = form.pickled match {
      case Some(schema) =>
        new PickledInput.Pickles(toInput, projection(arguments.inputs), pickles(schema, _))
      case None =>
        val own = if (form.rows.ordinals.isEmpty) Some(projection(ordered)) else None
        new PickledInput.Columns(toInput, own)
    }
    new PickledInput(rows, conf.groupRows, group)
  }

  private def pickles(schema: StructType, rows: Iterator[InternalRow]): Iterator[Array[Byte]] = {
    EvaluatePython.registerPicklers()
    Pickles.of(rows, schema, conf, node.metrics)
  }
}

/** For functions over rows that are not pickled, or only where Spark alone knows how. */
final class EmberPickledRunner(arguments: FunctionArguments, sent: StructType, node: NodeConf)
    extends StockPickledRunner(arguments, node)
    with SessionRunner[Array[Byte], Array[Byte]] {
  override protected def functionNames: Seq[String] = node.functions
  override protected def mayMove: Boolean = node.deterministic

  /** The zone is that of the worker, whatever the session's. */
  override protected def sentSchema: Schema = InputSchema.of(sent, "UTC", largeVarTypes = false)

  private[ember] def embedRows(form: RowForm, output: RowOutput, context: TaskContext)(
      input: => InputRows): Either[FallbackReason, Iterator[InternalRow]] =
    enterRows(form, output, context, context.partitionId())(input)
}
