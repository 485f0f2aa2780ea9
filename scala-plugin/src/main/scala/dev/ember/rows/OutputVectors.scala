package dev.ember.rows

import java.io.ByteArrayInputStream
import java.nio.channels.Channels

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.{ArrowBuf, BufferAllocator}
import org.apache.arrow.vector.{VectorLoader, VectorSchemaRoot}
import org.apache.arrow.vector.ipc.ReadChannel
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, FieldType, Schema}

import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/**
 * The batches that Python returns, as Spark's columns over Python's memory. As with Spark's own reader the
 * vectors are made once for a session, and a batch is readable until the next is loaded.
 *
 * @param beside
 *   how many columns of the input stand before those that Python returned
 */
final class OutputVectors(schema: Schema, allocator: BufferAllocator, beside: Int = 0)
    extends AutoCloseable {
  private val root = VectorSchemaRoot.create(schema, allocator)
  private val loader = new VectorLoader(root)
  private val columns: Array[ColumnVector] =
    root.getFieldVectors.asScala.map(new ArrowColumnVector(_): ColumnVector).toArray

  /** Shows the batch that `layout` describes. `giveBack` is called once, with its handle, when it is done with. */
  def load(layout: Array[Long], giveBack: Long => Unit): OutputVectors.Loaded = {
    val memory = new LentMemory(allocator, () => giveBack(layout(0)))
    try {
      root.clear()
      val output = ArrowLayout.read(schema, layout, beside)
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
      val batch = ArrowViews.batch(output, buffers.asJava)
      try loader.load(batch)
      finally batch.close()
    } finally buffers.foreach(_.getReferenceManager.release())
  }

  override def close(): Unit = root.close()
}

object OutputVectors {

  /** What was loaded, and how many bytes of Python's memory it spans. */
  final case class Loaded(batch: ColumnarBatch, bytes: Long)

  /** For the schema message that pyarrow wrote, behind columns of the input. */
  def of(
      schemaMessage: Array[Byte],
      allocator: BufferAllocator,
      beside: Seq[Field] = Nil): OutputVectors = {
    val fields = beside ++ schemaOf(schemaMessage).getFields.asScala
    new OutputVectors(new Schema(fields.asJava), allocator, beside.length)
  }

  /** The schema that pyarrow wrote as a message, in the forms in which its columns are shown. */
  def schemaOf(message: Array[Byte]): Schema = {
    val channel = new ReadChannel(Channels.newChannel(new ByteArrayInputStream(message)))
    val schema = MessageSerializer.deserializeSchema(channel)
    new Schema(schema.getFields.asScala.map(shown).asJava, schema.getCustomMetadata)
  }

  /** Whether there are decimals of other than 128 bits: Spark's type is the same, but its columns refuse them. */
  def hasDecimalsOfOtherWidth(field: Field): Boolean = field.getType match {
    case decimal: ArrowType.Decimal => decimal.getBitWidth != 128
    case _ => field.getChildren.asScala.exists(hasDecimalsOfOtherWidth)
  }

  /** As in Spark's reader a dictionary column shows its indices. A list view comes as the list it shows. */
  private def shown(field: Field): Field = {
    val children = field.getChildren.asScala.map(shown).asJava
    (Option(field.getDictionary), field.getType) match {
      case (Some(dictionary), _) => retyped(field, dictionary.getIndexType, children)
      case (_, view) if ArrowViews.isListView(view) =>
        retyped(field, ArrowType.List.INSTANCE, children)
      case (_, same) => retyped(field, same, children)
    }
  }

  private def retyped(field: Field, of: ArrowType, children: java.util.List[Field]): Field =
    new Field(field.getName, new FieldType(field.isNullable, of, null, field.getMetadata), children)
}
