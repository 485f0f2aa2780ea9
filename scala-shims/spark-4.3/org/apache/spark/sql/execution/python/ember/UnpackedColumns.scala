package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Alias,
  Attribute,
  AttributeReference,
  Expression,
  NamedExpression,
  UnsafeProjection
}
import org.apache.spark.sql.execution.{ColumnarToRowEvaluatorFactory, ColumnarToRowExec}
import org.apache.spark.sql.execution.{ProjectExec, SparkPlan, WholeStageCodegenExec}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * What a `ColumnarToRow` below a node would make rows of. The plan is Spark's own, and says so; the node reads the
 * batches instead, and counts what `ColumnarToRow` would have counted.
 *
 * @param attributes
 *   the columns of a batch
 * @param sources
 *   where each column of the node's input stands in a batch
 */
private[ember] final case class UnpackedColumns(
    attributes: Seq[Attribute],
    selected: Seq[NamedExpression],
    sources: Seq[Int],
    rows: SQLMetric,
    batches: SQLMetric) {

  /** The batches, each freed as `ColumnarToRow` would when the next is asked for. */
  def read(input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch] = new Iterator[ColumnarBatch] {
    private var current: ColumnarBatch = _
    private var ahead: ColumnarBatch = _

    override def hasNext: Boolean = {
      if (ahead == null) {
        ahead = ColumnarToRowExec.advanceBatch(input, current, batches, rows)
        current = null
      }
      ahead != null
    }

    override def next(): ColumnarBatch = {
      if (!hasNext) throw new NoSuchElementException("no more batches")
      current = ahead
      ahead = null
      current
    }
  }

  /** The rows after all, for Spark's own runner. */
  def asRows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow] = {
    val unpacked =
      new ColumnarToRowEvaluatorFactory(attributes, rows, batches)
        .createEvaluator()
        .eval(partition, input)
    val select = UnsafeProjection.create(selected, attributes)
    unpacked.map(select)
  }
}

private[ember] object UnpackedColumns {

  /** The batches under `child` if it does no more than unpack, reorder or leave out their columns. */
  def below(child: SparkPlan): Option[(UnpackedColumns, RDD[ColumnarBatch])] = child match {
    case stage: WholeStageCodegenExec => below(stage.child)
    case project: ProjectExec =>
      Some(project.child).collect { case unpack: ColumnarToRowExec => unpack }.flatMap { unpack =>
        of(unpack, project.projectList)
      }
    case unpack: ColumnarToRowExec => of(unpack, unpack.output)
    case _ => None
  }

  private def of(
      unpack: ColumnarToRowExec,
      selected: Seq[NamedExpression]): Option[(UnpackedColumns, RDD[ColumnarBatch])] = {
    val attributes = unpack.child.output
    val sources = selected.map(source(_, attributes))
    Option.when(sources.forall(_ >= 0)) {
      val columns = UnpackedColumns(
        attributes,
        selected,
        sources,
        unpack.longMetric("numOutputRows"),
        unpack.longMetric("numInputBatches"))
      columns -> unpack.child.executeColumnar()
    }
  }

  private def source(expression: Expression, attributes: Seq[Attribute]): Int =
    expression match {
      case Alias(inner, _) => source(inner, attributes)
      case reference: AttributeReference => attributes.indexWhere(_.exprId == reference.exprId)
      case _ => -1
    }
}

/** An evaluator of rows over batches that were not unpacked. */
private[ember] final class OverColumns(
    columns: UnpackedColumns,
    eval: (UnpackedColumns, Int, Iterator[ColumnarBatch]) => Iterator[InternalRow])
    extends PartitionEvaluatorFactory[ColumnarBatch, InternalRow] {
  override def createEvaluator(): PartitionEvaluator[ColumnarBatch, InternalRow] =
    new PartitionEvaluator[ColumnarBatch, InternalRow] {
      override def eval(partition: Int, inputs: Iterator[ColumnarBatch]*): Iterator[InternalRow] =
        OverColumns.this.eval(columns, partition, inputs.head)
    }
}
