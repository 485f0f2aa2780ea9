package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  Expression,
  JoinedRow,
  MutableProjection,
  NamedExpression,
  PythonUDF,
  SortOrder,
  UnsafeProjection,
  UnsafeRow
}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.WindowInPandasExec
import org.apache.spark.sql.execution.window.WindowFunctionFrame
import org.apache.spark.sql.types.StructType

/**
 * What Spark's node does with a partition of rows: 3.5 has no evaluator that could be asked. Rows wait in Spark's
 * queue and are joined with the results as these come.
 */
private[ember] class StockScalarEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    @scala.annotation.unused batchRows: Int,
    node: NodeConf)
    extends PartitionEvaluatorFactory[InternalRow, InternalRow] {

  def evaluate(
      chained: Seq[Chains.Chain],
      arguments: Array[Array[Chains.Argument]],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[InternalRow] = {
    val types = new OutputTypes(allAttributes.drop(inputAttributes.length))
    new SparksEvalRunner(chained, arguments, schema, node)
      .compute(Iterator(rows), context.partitionId(), context)
      .flatMap(types.rows(_, node))
  }

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
    new PartitionEvaluator[InternalRow, InternalRow] {
      override def eval(partition: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
        joined(inputs.head, TaskContext.get())
    }

  private def joined(rows: Iterator[InternalRow], context: TaskContext): Iterator[InternalRow] = {
    val arguments = FunctionArguments.of(functions)
    val queue = RowsOfTask.queue(context, inputAttributes.length)
    val project = MutableProjection.create(arguments.inputs, inputAttributes)
    project.initialize(context.partitionId())
    val asked = rows.map { row =>
      queue.add(row.asInstanceOf[UnsafeRow]): Unit
      project(row)
    }
    val results = evaluate(arguments.chains, arguments.metas, asked, arguments.schema, context)
    val both = new JoinedRow
    val write = UnsafeProjection.create(allAttributes, allAttributes)
    results.map(result => write(both(queue.remove(), result)))
  }
}

/** Spark's own runner, whose rows are cut as its node cuts them. */
private final class SparksEvalRunner(
    functions: Seq[Chains.Chain],
    arguments: Array[Array[Chains.Argument]],
    schema: StructType,
    node: NodeConf)
    extends StockArgumentsRunner(functions, arguments, schema, node)
    with BatchedRows

/** What later lines ask of Spark's evaluator of windows; in 3.5 its node knows it. */
private[ember] abstract class StockWindowEvaluatorFactory(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: Seq[Attribute],
    spilled: SQLMetric,
    node: NodeConf)
    extends PartitionEvaluatorFactory[InternalRow, InternalRow] {
  private val sparks =
    SparksWay.planned(new SparksWindowExec(windows, partition, order, input, spilled, node))
  private val way = SparksWay.of(sparks)

  def childOutput: Seq[Attribute] = input
  def partitionSpec: Seq[Expression] = partition
  def spillSize: SQLMetric = spilled

  protected def windowFrameExpressionFactoryPairs: Seq[SparksWindowExec.Frame] = sparks.frames

  protected def createResultProjection(values: Seq[Expression]): UnsafeProjection =
    sparks.projection(values)

  /** The setting by which Spark's worker is told which functions have bounds. */
  protected def boundTypesKey: String = "pandas_window_bound_types"

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
    new PartitionEvaluator[InternalRow, InternalRow] {
      override def eval(index: Int, inputs: Iterator[InternalRow]*): Iterator[InternalRow] =
        way.eval(index, inputs.head)
    }
}

/** Spark's node over rows that it is handed. It counts as the node does that Ember has in its place. */
private[ember] final class SparksWindowExec(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: Seq[Attribute],
    spilled: SQLMetric,
    node: NodeConf)
    extends WindowInPandasExec(windows, partition, order, HandedOver(input)) {
  override val pythonMetrics: Map[String, SQLMetric] = node.metrics
  override lazy val metrics: Map[String, SQLMetric] = node.metrics + ("spillSize" -> spilled)

  def frames: Seq[SparksWindowExec.Frame] = windowFrameExpressionFactoryPairs
  def projection(values: Seq[Expression]): UnsafeProjection = createResultProjection(values)
}

private[ember] object SparksWindowExec {

  /** Functions, and what makes the frame that they are computed over. */
  type Frame = (scala.collection.mutable.Buffer[Expression], InternalRow => WindowFunctionFrame)
}
