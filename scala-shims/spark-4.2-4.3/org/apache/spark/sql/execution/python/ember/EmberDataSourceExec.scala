package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.read.PartitionReaderFactory
import org.apache.spark.sql.connector.write.BatchWrite
import org.apache.spark.sql.execution.datasources.v2.{DataSourceV2ScanExecBase, V2TableWriteExec}
import org.apache.spark.sql.execution.metric.SQLMetric

import dev.ember.metrics.EmberMetrics

/** A scan of a data source in Python: Spark's node, whose readers run their function where Ember says. */
trait EmberDataSourceScan extends DataSourceV2ScanExecBase {

  /** Spark's factory of this scan's readers. */
  protected def sparksReaders: PartitionReaderFactory

  private lazy val counts: Map[String, SQLMetric] = EmberMetrics.create(sparkContext)

  override lazy val metrics: Map[String, SQLMetric] = sparkMetrics ++ customMetrics ++ counts

  override lazy val readerFactory: PartitionReaderFactory =
    new DataSourceFactories(counts).of(sparksReaders)

  override def nodeName: String = s"Ember${super.nodeName}"
}

/** The same of a write. */
trait EmberDataSourceWrite extends V2TableWriteExec {
  private lazy val counts: Map[String, SQLMetric] = EmberMetrics.create(sparkContext)

  override lazy val metrics: Map[String, SQLMetric] = sparkMetrics ++ customMetrics ++ counts

  override protected def writeWithV2(write: BatchWrite): Seq[InternalRow] =
    super.writeWithV2(new DataSourceFactories(counts).of(write))

  override def nodeName: String = s"Ember${super.nodeName}"
}
