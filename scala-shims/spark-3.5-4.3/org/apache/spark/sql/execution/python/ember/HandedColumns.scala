package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeSet,
  NamedExpression,
  UnsafeProjection
}
import org.apache.spark.sql.execution.{InputAdapter, ProjectExec, SparkPlan, WholeStageCodegenExec}
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * What an embedded node below another gave, in Arrow's columns: no row is made between the two. Where batches end is
 * decided again, since Spark has only rows there.
 *
 * @param attributes
 *   the columns of a batch
 */
private[ember] final case class HandedColumns(
    attributes: Seq[Attribute],
    selected: Seq[NamedExpression],
    sources: Seq[Int])
    extends ColumnsBelow {
  override def read(input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch] = input

  override def asRows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow] = {
    val select = UnsafeProjection.create(selected, attributes)
    input.flatMap(_.rowIterator.asScala.map(select))
  }
}

private[ember] object HandedColumns {

  /** The batches of an embedded node under `child`, if that does no more than reorder or leave out its columns. */
  def below(child: SparkPlan): Option[(HandedColumns, RDD[ColumnarBatch])] = child match {
    case node: GivesColumns => of(node, node.output)
    case stage: WholeStageCodegenExec => below(stage.child)
    case project: ProjectExec =>
      project.child match {
        case node: GivesColumns => of(node, project.projectList)
        case InputAdapter(node: GivesColumns) => of(node, project.projectList)
        case _ => None
      }
    case _ => None
  }

  private def of(
      node: GivesColumns,
      selected: Seq[NamedExpression]): Option[(HandedColumns, RDD[ColumnarBatch])] =
    if (ColumnsBelow.sources(selected, node.output).exists(_ < 0)) None
    else
      node.handedOn(AttributeSet(selected)).map { handed =>
        val sources = ColumnsBelow.sources(selected, handed.columns)
        HandedColumns(handed.columns, selected, sources) -> handed.batches
      }
}
