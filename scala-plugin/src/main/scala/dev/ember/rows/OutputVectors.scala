package dev.ember.rows

import java.io.ByteArrayInputStream
import java.nio.channels.Channels

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.{ArrowBuf, BufferAllocator}
import org.apache.arrow.vector.{VectorLoader, VectorSchemaRoot}
import org.apache.arrow.vector.compression.NoCompressionCodec
import org.apache.arrow.vector.dictionary.Dictionary
import org.apache.arrow.vector.ipc.ReadChannel
import org.apache.arrow.vector.ipc.message.{ArrowRecordBatch, MessageSerializer}
import org.apache.arrow.vector.types.pojo.{Field, Schema}
import org.apache.arrow.vector.util.DictionaryUtility

import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/**
 * The batches that Python returns, as Spark's columns over Python's memory. As with Spark's own reader the
 * vectors are made once for a session, and a batch is readable until the next is loaded.
 */
final class OutputVectors(schema: Schema, allocator: BufferAllocator) extends AutoCloseable {
  private val root = VectorSchemaRoot.create(schema, allocator)
  private val loader = new VectorLoader(root)
  private val columns: Array[ColumnVector] =
    root.getFieldVectors.asScala.map(new ArrowColumnVector(_): ColumnVector).toArray

  /** Shows the batch that `layout` describes. `giveBack` is called once, with its handle, when it is done with. */
  def load(layout: Array[Long], giveBack: Long => Unit): OutputVectors.Loaded = {
    val memory = new LentMemory(allocator, () => giveBack(layout(0)))
    try {
      root.clear()
      val output = ArrowLayout.read(schema, layout)
      show(output, memory)
      val batch = new ColumnarBatch(columns)
      batch.setNumRows(output.rows)
      OutputVectors.Loaded(batch, output.bytes)
    } finally memory.close()
  }

  private def show(output: ArrowLayout.Output, memory: LentMemory): Unit = {
    val buffers = new ArrayBuffer[ArrowBuf](output.buffers.size)
    try {
      output.buffers.foreach(span => buffers += memory.buffer(span))
      val batch = new ArrowRecordBatch(
        output.rows,
        output.nodes.asJava,
        buffers.asJava,
        NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
        output.variadic.map(Long.box).asJava,
        true)
      try loader.load(batch)
      finally batch.close()
    } finally buffers.foreach(_.getReferenceManager.release())
  }

  override def close(): Unit = root.close()
}

object OutputVectors {

  /** What was loaded, and how many bytes of Python's memory it spans. */
  final case class Loaded(batch: ColumnarBatch, bytes: Long)

  /** For the schema message that pyarrow wrote. A dictionary column shows its indices, as in Spark's reader. */
  def of(schemaMessage: Array[Byte], allocator: BufferAllocator): OutputVectors =
    new OutputVectors(inMemory(schemaOf(schemaMessage), allocator), allocator)

  /** The schema that pyarrow wrote as a message. */
  def schemaOf(message: Array[Byte]): Schema = {
    val channel = new ReadChannel(Channels.newChannel(new ByteArrayInputStream(message)))
    MessageSerializer.deserializeSchema(channel)
  }

  private def inMemory(schema: Schema, allocator: BufferAllocator): Schema = {
    val dictionaries = new java.util.HashMap[java.lang.Long, Dictionary]
    val fields: Seq[Field] = schema.getFields.asScala.toSeq
      .map(DictionaryUtility.toMemoryFormat(_, allocator, dictionaries))
    dictionaries.values.forEach(_.getVector.close())
    new Schema(fields.asJava, schema.getCustomMetadata)
  }
}
