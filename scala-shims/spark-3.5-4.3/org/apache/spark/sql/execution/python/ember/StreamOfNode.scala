package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.connector.read.{InputPartition, PartitionReaderFactory}
import org.apache.spark.sql.connector.read.streaming.{MicroBatchStream, Offset}

/** A stream as an embedded node has it: all it does is Spark's, and it is equal to its like alone. */
final case class StreamOfNode private (sparks: MicroBatchStream) extends MicroBatchStream {
  override def latestOffset(): Offset = sparks.latestOffset()
  override def planInputPartitions(start: Offset, end: Offset): Array[InputPartition] =
    sparks.planInputPartitions(start, end)
  override def createReaderFactory(): PartitionReaderFactory = sparks.createReaderFactory()
  override def initialOffset(): Offset = sparks.initialOffset()
  override def deserializeOffset(json: String): Offset = sparks.deserializeOffset(json)
  override def commit(end: Offset): Unit = sparks.commit(end)
  override def stop(): Unit = sparks.stop()
}

object StreamOfNode {
  def apply(stream: MicroBatchStream): StreamOfNode = new StreamOfNode(sparks(stream))

  /** The stream without what a node made of it. */
  def sparks(stream: MicroBatchStream): MicroBatchStream = stream match {
    case StreamOfNode(own) => own
    case other => other
  }
}
