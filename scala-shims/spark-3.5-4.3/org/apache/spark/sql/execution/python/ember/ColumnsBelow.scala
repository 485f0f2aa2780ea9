package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Alias,
  Attribute,
  AttributeReference,
  Expression,
  NamedExpression
}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.vectorized.ColumnarBatch

/** Batches of columns from which a node below would make the rows of a node's input. */
private[ember] trait ColumnsBelow extends Serializable {

  /** Where each column of the input stands in a batch. */
  def sources: Seq[Int]

  /** The batches; each is done with when the next is asked for. */
  def read(input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch]

  /** The rows after all, for Spark's own runner. */
  def asRows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow]
}

private[ember] object ColumnsBelow {

  /** The batches under `child`, if it makes its rows of columns and does no more. */
  def of(child: SparkPlan): Option[(ColumnsBelow, RDD[ColumnarBatch])] =
    UnpackedColumns.below(child).orElse(HandedColumns.below(child))

  /** Where these expressions stand among `attributes`; below zero for all but columns. */
  def sources(selected: Seq[NamedExpression], attributes: Seq[Attribute]): Seq[Int] =
    selected.map(source(_, attributes))

  private def source(expression: Expression, attributes: Seq[Attribute]): Int =
    expression match {
      case Alias(inner, _) => source(inner, attributes)
      case reference: AttributeReference => attributes.indexWhere(_.exprId == reference.exprId)
      case _ => -1
    }
}

/** An evaluator over batches that did not become rows. */
private[ember] final class OverColumns[Out](
    columns: ColumnsBelow,
    eval: (ColumnsBelow, Int, Iterator[ColumnarBatch]) => Iterator[Out])
    extends PartitionEvaluatorFactory[ColumnarBatch, Out] {
  override def createEvaluator(): PartitionEvaluator[ColumnarBatch, Out] =
    new PartitionEvaluator[ColumnarBatch, Out] {
      override def eval(partition: Int, inputs: Iterator[ColumnarBatch]*): Iterator[Out] =
        OverColumns.this.eval(columns, partition, inputs.head)
    }
}

/** The same over rows. */
private[ember] final class OverRows[Out](eval: (Int, Iterator[InternalRow]) => Iterator[Out])
    extends PartitionEvaluatorFactory[InternalRow, Out] {
  override def createEvaluator(): PartitionEvaluator[InternalRow, Out] =
    new PartitionEvaluator[InternalRow, Out] {
      override def eval(partition: Int, inputs: Iterator[InternalRow]*): Iterator[Out] =
        OverRows.this.eval(partition, inputs.head)
    }
}
