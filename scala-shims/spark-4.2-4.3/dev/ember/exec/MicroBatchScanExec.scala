package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression, SortOrder}
import org.apache.spark.sql.connector.read.{PartitionReaderFactory, Scan}
import org.apache.spark.sql.connector.read.streaming.{MicroBatchStream, Offset, SparkDataStream}
import org.apache.spark.sql.execution.datasources.v2.{MicroBatchScanExec => SparkMicroBatchScanExec}
import org.apache.spark.sql.execution.python.ember.{EmberDataSourceScan, StreamOfNode}

/**
 * Spark's node that reads a stream of a data source in Python. Spark's is equal to any node of the same stream, and
 * would stay in the tree: this one has its stream as something else.
 */
class MicroBatchScanExec(
    columns: Seq[Attribute],
    read: Scan,
    from: MicroBatchStream,
    first: Offset,
    last: Offset,
    grouped: Option[Seq[Expression]],
    order: Option[Seq[SortOrder]])
    extends SparkMicroBatchScanExec(columns, read, StreamOfNode(from), first, last, grouped, order)
    with EmberDataSourceScan {
  override protected def sparksReaders: PartitionReaderFactory = stream.createReaderFactory()

  /** As Spark knows it, which counts the rows of each. */
  override def getStream: Option[SparkDataStream] = Some(StreamOfNode.sparks(stream))
}
