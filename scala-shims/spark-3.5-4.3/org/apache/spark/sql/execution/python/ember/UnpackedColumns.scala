package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, NamedExpression, UnsafeProjection}
import org.apache.spark.sql.execution.{ColumnarToRowEvaluatorFactory, ColumnarToRowExec}
import org.apache.spark.sql.execution.{InputAdapter, ProjectExec, SparkPlan, WholeStageCodegenExec}
import org.apache.spark.sql.execution.adaptive.TableCacheQueryStageExec
import org.apache.spark.sql.execution.columnar.{DefaultCachedBatchSerializer, InMemoryTableScanExec}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.vectorized.ColumnarBatch

/**
 * What Spark would make rows of below a node: a `ColumnarToRow`, or its cache by itself. The plan is Spark's own, and
 * says so; the node reads the batches instead, and counts what `ColumnarToRow` would have counted.
 *
 * @param attributes
 *   the columns of a batch
 * @param sources
 *   where each column of the node's input stands in a batch
 * @param unpacking
 *   what the `ColumnarToRow` counts, if there is one
 */
private[ember] final case class UnpackedColumns(
    attributes: Seq[Attribute],
    selected: Seq[NamedExpression],
    sources: Seq[Int],
    unpacking: Option[UnpackingMetrics])
    extends ColumnsBelow {

  override def read(input: Iterator[ColumnarBatch]): Iterator[ColumnarBatch] =
    new Iterator[ColumnarBatch] {
      private var current: ColumnarBatch = _
      private var ahead: ColumnarBatch = _

      override def hasNext: Boolean = {
        if (ahead == null) {
          ahead = after(current, input)
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

  /** The cache would keep what it has unpacked until the task ends. */
  private def after(done: ColumnarBatch, input: Iterator[ColumnarBatch]): ColumnarBatch =
    unpacking match {
      case Some(count) =>
        ReadBatches.next(input, done, count.batches, count.rows)
      case None =>
        if (done != null) done.close()
        if (input.hasNext) input.next() else null
    }

  override def asRows(partition: Int, input: Iterator[ColumnarBatch]): Iterator[InternalRow] = {
    val unpacked = unpacking match {
      case Some(count) =>
        new ColumnarToRowEvaluatorFactory(attributes, count.rows, count.batches)
          .createEvaluator()
          .eval(partition, input)
      case None => read(input).flatMap(_.rowIterator.asScala)
    }
    val select = UnsafeProjection.create(selected, attributes)
    unpacked.map(select)
  }
}

/** The metrics of a `ColumnarToRow`. */
private[ember] final case class UnpackingMetrics(rows: SQLMetric, batches: SQLMetric)

private[ember] object UnpackedColumns {

  /** The batches under `child` if it does no more than unpack, reorder or leave out their columns. */
  def below(child: SparkPlan): Option[(UnpackedColumns, RDD[ColumnarBatch])] = child match {
    case stage: WholeStageCodegenExec => below(stage.child)
    case project: ProjectExec => unpacked(project.child, project.projectList)
    case other => unpacked(other, other.output)
  }

  private def unpacked(
      child: SparkPlan,
      selected: Seq[NamedExpression]): Option[(UnpackedColumns, RDD[ColumnarBatch])] =
    child match {
      case unpack: ColumnarToRowExec =>
        val count =
          UnpackingMetrics(unpack.longMetric("numOutputRows"), unpack.longMetric("numInputBatches"))
        of(unpack.child, selected, Some(count))
      case input: InputAdapter => unpacked(input.child, selected)
      case cache if isCache(cache) => of(cache, selected, None)
      case _ => None
    }

  private def of(
      batches: SparkPlan,
      selected: Seq[NamedExpression],
      count: Option[UnpackingMetrics]): Option[(UnpackedColumns, RDD[ColumnarBatch])] = {
    val sources = ColumnsBelow.sources(selected, batches.output)
    if (sources.exists(_ < 0)) None
    else {
      val below = UnpackedColumns(batches.output, selected, sources, count)
      Some(below -> batches.executeColumnar())
    }
  }

  /** Spark's own cache, where it has columns to give. */
  private def isCache(plan: SparkPlan): Boolean = plan match {
    case stage: TableCacheQueryStageExec => isCache(stage.plan)
    case scan: InMemoryTableScanExec =>
      val serializer = scan.relation.cacheBuilder.serializer
      scan.supportsColumnar && !scan.enableAccumulatorsForTest &&
      serializer.getClass == classOf[DefaultCachedBatchSerializer]
    case _ => false
  }
}
