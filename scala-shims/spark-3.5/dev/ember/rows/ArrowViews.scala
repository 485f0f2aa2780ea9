package dev.ember.rows

import java.util.{List => JList}

import scala.annotation.unused
import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.ArrowBuf
import org.apache.arrow.vector.compression.NoCompressionCodec
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch
import org.apache.arrow.vector.types.pojo.ArrowType

/** Arrow's types that point into buffers of any number: the Arrow of Spark 3.5 has none. */
private[rows] object ArrowViews {
  def isView(@unused arrow: ArrowType): Boolean = false

  def isListView(@unused arrow: ArrowType): Boolean = false

  def batch(output: ArrowLayout.Output, buffers: JList[ArrowBuf]): ArrowRecordBatch =
    new ArrowRecordBatch(
      output.rows,
      output.nodes.asJava,
      buffers,
      NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
      true)
}
