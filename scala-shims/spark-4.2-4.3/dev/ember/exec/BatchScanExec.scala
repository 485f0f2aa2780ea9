package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{AttributeReference, Expression, SortOrder}
import org.apache.spark.sql.connector.catalog.Table
import org.apache.spark.sql.connector.read.{PartitionReaderFactory, Scan}
import org.apache.spark.sql.execution.datasources.v2.{BatchScanExec => SparkBatchScanExec}
import org.apache.spark.sql.execution.python.ember.EmberDataSourceScan

/** Spark's node that reads a data source in Python. Equality as in [[ArrowEvalPythonExec]]. */
class BatchScanExec(
    columns: Seq[AttributeReference],
    read: Scan,
    filters: Seq[Expression],
    order: Option[Seq[SortOrder]],
    of: Table,
    grouped: Option[Seq[Expression]])
    extends SparkBatchScanExec(columns, read, filters, order, of, grouped)
    with EmberDataSourceScan {
  override protected def sparksReaders: PartitionReaderFactory = batch.createReaderFactory()

  override def equals(other: Any): Boolean =
    other.isInstanceOf[BatchScanExec] && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
