package org.apache.spark.sql.execution.python.ember

import scala.reflect.ClassTag
import scala.util.control.NonFatal

import org.apache.spark.internal.Logging
import org.apache.spark.sql.connector.read.PartitionReaderFactory
import org.apache.spark.sql.connector.write._
import org.apache.spark.sql.connector.write.streaming.StreamingDataWriterFactory
import org.apache.spark.sql.execution.datasources.v2.python._
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.streaming.sources.MicroBatchWriterFactory
import org.apache.spark.sql.types.StructType

/**
 * Spark's factories of readers and writers for data sources in Python, made anew over an embedded source; where one
 * is not what is known of it, Spark's own, with a warning.
 */
private[ember] final class DataSourceFactories(counts: Map[String, SQLMetric]) extends Logging {

  def of(factory: PartitionReaderFactory): PartitionReaderFactory = orSparks(factory) {
    case reader: PythonPartitionReaderFactory =>
      anew(reader, new PythonPartitionReaderFactory(_, _, _, _, _))
    case reader: PythonStreamingPartitionReaderFactory =>
      anew(reader, new PythonStreamingPartitionReaderFactory(_, _, _, _, _))
    case other => other
  }

  private def orSparks[T](factory: T)(embedded: T => T): T =
    try embedded(factory)
    catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember leaves a data source to Spark, whose factory it does not know", error)
        factory
    }

  /** The same writes and commits, with writers over an embedded source. */
  def of(write: BatchWrite): BatchWrite = new BatchWrite {
    override def createBatchWriterFactory(info: PhysicalWriteInfo): DataWriterFactory =
      DataSourceFactories.this.of(write.createBatchWriterFactory(info))

    override def useCommitCoordinator(): Boolean = write.useCommitCoordinator()
    override def onDataWriterCommit(message: WriterCommitMessage): Unit =
      write.onDataWriterCommit(message)
    override def commit(messages: Array[WriterCommitMessage]): Unit = write.commit(messages)
    override def commit(messages: Array[WriterCommitMessage], summary: WriteSummary): Unit =
      write.commit(messages, summary)
    override def abort(messages: Array[WriterCommitMessage]): Unit = write.abort(messages)
    override def toString: String = write.toString
  }

  private def of(factory: DataWriterFactory): DataWriterFactory = orSparks(factory) {
    case writer: PythonStreamingWriterFactory => streaming(writer)
    case writer: PythonBatchWriterFactory => writer.copy(source = embedded(writer.source))
    case writer: MicroBatchWriterFactory =>
      Hidden[StreamingDataWriterFactory](writer, "streamingWriterFactory") match {
        case python: PythonStreamingWriterFactory =>
          val epoch = Hidden[java.lang.Long](writer, "epochId")
          new MicroBatchWriterFactory(epoch, streaming(python))
        case _ => writer
      }
    case other => other
  }

  private def streaming(writer: PythonStreamingWriterFactory): PythonStreamingWriterFactory =
    new PythonStreamingWriterFactory(
      embedded(writer.source),
      writer.pickledWriteFunc,
      writer.inputSchema,
      writer.jobArtifactUUID,
      writer.sessionUUID)

  private def anew(reader: PartitionReaderFactory, make: DataSourceFactories.Readers) = make(
    embedded(Hidden[UserDefinedPythonDataSource](reader, "source")),
    Hidden[Array[Byte]](reader, "pickledReadFunc"),
    Hidden[StructType](reader, "outputSchema"),
    Hidden[Option[String]](reader, "jobArtifactUUID"),
    Hidden[Option[String]](reader, "sessionUUID"))

  private def embedded(source: UserDefinedPythonDataSource): UserDefinedPythonDataSource =
    new EmbeddedDataSource(source.dataSourceCls, counts)
}

private object DataSourceFactories {

  /** Makes a factory of a source, its function, the schema, and the artifacts and session of a query. */
  type Readers = (
      UserDefinedPythonDataSource,
      Array[Byte],
      StructType,
      Option[String],
      Option[String]) => PartitionReaderFactory
}

/** What Spark's classes keep to themselves, by the names in their sources. */
private object Hidden {
  def apply[T: ClassTag](owner: AnyRef, name: String): T = {
    val field = owner.getClass.getDeclaredFields
      .find(field => field.getName == name || field.getName.endsWith(s"$$$$$name"))
      .getOrElse(throw new NoSuchFieldException(s"${owner.getClass.getName} has no $name"))
    field.setAccessible(true)
    field.get(owner) match {
      case value: T => value
      case _ =>
        throw new IllegalStateException(s"$name of ${owner.getClass.getName} is of another type")
    }
  }
}
