package dev.ember.rows

import java.util.{List => JList}

import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.ArrowBuf
import org.apache.arrow.vector.compression.NoCompressionCodec
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch
import org.apache.arrow.vector.types.pojo.ArrowType

/** Arrow's types that point into buffers of any number, which came with Spark 4.0's Arrow. */
private[rows] object ArrowViews {
  def isView(arrow: ArrowType): Boolean = arrow match {
    case _: ArrowType.Utf8View | _: ArrowType.BinaryView => true
    case _ => false
  }

  def isListView(arrow: ArrowType): Boolean = arrow.isInstanceOf[ArrowType.ListView]

  def batch(output: ArrowLayout.Output, buffers: JList[ArrowBuf]): ArrowRecordBatch =
    new ArrowRecordBatch(
      output.rows,
      output.nodes.asJava,
      buffers,
      NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
      output.variadic.map(Long.box).asJava,
      true)
}
