package org.apache.spark.sql.execution.python.ember.external

import java.io.{ByteArrayOutputStream, IOException}
import java.nio.channels.Channels

import scala.jdk.CollectionConverters._
import scala.util.Using

import com.google.protobuf.ByteString
import org.apache.arrow.flatbuf.MessageHeader
import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.{FieldVector, VectorSchemaRoot, VectorUnloader}
import org.apache.arrow.vector.complex.StructVector
import org.apache.arrow.vector.compression.NoCompressionCodec
import org.apache.arrow.vector.ipc.{ReadChannel, WriteChannel}
import org.apache.arrow.vector.ipc.message.{
  ArrowFieldNode,
  ArrowRecordBatch,
  MessageChannelReader,
  MessageSerializer
}
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, FieldType, Schema}

import org.apache.spark.sql.execution.python.ember.ArrowMemory
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch}
import org.apache.spark.udf.worker.DataRequest

import dev.ember.rows.{ArrowLayout, InputBatch, InputBatches}

/**
 * Batches as the protocol has them, messages of Arrow's IPC format, and as Python's worker has them.
 *
 * @param wrapped
 *   whether the worker wants and gives the columns as the children of one struct
 */
final case class WireForm(columns: Schema, wrapped: Boolean) {

  /** The columns that the worker gets. */
  val sent: Schema =
    if (!wrapped) columns
    else {
      val struct = FieldType.notNullable(ArrowType.Struct.INSTANCE)
      new Schema(Seq(new Field("struct", struct, columns.getFields)).asJava)
    }

  /** Which of them are the function's arguments: all. */
  def offsets: Array[Int] = Array.range(0, sent.getFields.size)

  /** The batch in a request, for the worker; a request with anything else is refused. */
  def batch(request: DataRequest): InputBatch = {
    val plain = WireForm
      .read(request.getData, ArrowMemory.allocator)
      .getOrElse(throw new ProtocolViolation("a request holds no batch of rows"))
    val whole = if (wrapped) inStruct(plain) else plain
    InputBatch(ArrowLayout.of(sent, whole), whole.getLength.toLong, whole.computeBodyLength, whole)
  }

  private def inStruct(batch: ArrowRecordBatch): ArrowRecordBatch = {
    val node = new ArrowFieldNode(batch.getLength.toLong, 0L)
    val nodes = (node +: batch.getNodes.asScala.toSeq).asJava
    val buffers = (ArrowMemory.allocator.getEmpty +: batch.getBuffers.asScala.toSeq).asJava
    try
      new ArrowRecordBatch(
        batch.getLength,
        nodes,
        buffers,
        NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
        true)
    finally batch.close()
  }

  /** The worker's batch, for a response. */
  def message(batch: ColumnarBatch): ByteString = {
    val vectors = (0 until batch.numCols()).map(at => vectorOf(batch, at))
    val flat = if (wrapped) vectors.flatMap(childrenOf) else vectors
    val root = new VectorSchemaRoot(flat.map(_.getField).asJava, flat.asJava, batch.numRows())
    val bytes = new ByteArrayOutputStream
    val channel = new WriteChannel(Channels.newChannel(bytes))
    Using.resource(new VectorUnloader(root).getRecordBatch)(
      MessageSerializer.serialize(channel, _)): Unit
    ByteString.copyFrom(bytes.toByteArray)
  }

  private def vectorOf(batch: ColumnarBatch, at: Int): FieldVector =
    batch.column(at).asInstanceOf[ArrowColumnVector].getValueVector.asInstanceOf[FieldVector]

  private def childrenOf(vector: FieldVector): Seq[FieldVector] = vector match {
    case struct: StructVector => struct.getChildrenFromFields.asScala.toSeq
    case other =>
      throw new IllegalStateException(s"the worker gave no struct, but ${other.getField}")
  }
}

object WireForm {

  /** A schema as the protocol has it. */
  def message(schema: Schema): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    MessageSerializer.serialize(new WriteChannel(Channels.newChannel(bytes)), schema): Unit
    bytes.toByteArray
  }

  /** The batch of a message, if it is one. One without rows may have no body. */
  def read(message: ByteString, allocator: BufferAllocator): Option[ArrowRecordBatch] = {
    val reader =
      new MessageChannelReader(new ReadChannel(Channels.newChannel(message.newInput())), allocator)
    try
      Option(reader.readNext())
        .filter(_.getMessage.headerType() == MessageHeader.RecordBatch)
        .map { told =>
          val body = Option(told.getBodyBuffer).getOrElse(allocator.getEmpty)
          MessageSerializer.deserializeRecordBatch(told.getMessage, body)
        }
    catch { case _: IOException | _: IllegalArgumentException => None }
    finally reader.close()
  }
}

/** The requests of a session, as its input. They come after it was opened. */
final class RequestedBatches(wire: WireForm) extends InputBatches {
  private var requests: Iterator[DataRequest] = Iterator.empty
  private var atEnd: () => Unit = () => ()

  def readFrom(source: Iterator[DataRequest], whenRead: () => Unit): Unit = {
    requests = source
    atEnd = whenRead
  }

  override def next(): Option[InputBatch] =
    if (requests.hasNext) Some(wire.batch(requests.next()))
    else {
      atEnd()
      None
    }

  override def close(): Unit = ()
}
