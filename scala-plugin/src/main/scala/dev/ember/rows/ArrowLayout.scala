package dev.ember.rows

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.TypeLayout
import org.apache.arrow.vector.ipc.message.{ArrowFieldNode, ArrowRecordBatch}
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, Schema}

/**
 * A batch as numbers, which is how it crosses the border in either direction:
 *
 * {{{
 *   rows, columns, then for each column and its children, depth first:
 *     length, nulls, buffers, children, then address and size of each buffer
 * }}}
 *
 * Buffers stand in Arrow's order, validity first; an address is 0 where a buffer is not there. A batch that
 * comes from Python has its handle in front.
 */
object ArrowLayout {

  /**
   * The layout of `batch`, whose buffers must stay where they are for as long as the other side reads them. Where no
   * value is null there are no bits, as in what Spark's worker reads: PySpark counts the bytes of all buffers.
   */
  def of(schema: Schema, batch: ArrowRecordBatch): Array[Long] = {
    val longs = new LongsBuilder
    longs += batch.getLength.toLong
    longs += schema.getFields.size.toLong
    val nodes = batch.getNodes.iterator
    val buffers = batch.getBuffers.iterator

    def describe(field: Field): Unit = {
      val node = nodes.next()
      val bufferCount = TypeLayout.getTypeBufferCount(field.getType)
      longs += node.getLength.toLong
      longs += node.getNullCount.toLong
      longs += bufferCount.toLong
      longs += field.getChildren.size.toLong
      for (at <- 0 until bufferCount) {
        val buffer = buffers.next()
        val absent = at == 0 && node.getNullCount == 0
        val size = if (absent) 0L else buffer.readableBytes
        longs += (if (size == 0) 0L else buffer.memoryAddress)
        longs += size
      }
      field.getChildren.forEach(describe(_))
    }

    schema.getFields.forEach(describe(_))
    longs.result()
  }

  /** How many of a layout's longs lie before its columns, when it came from Python. */
  private val outputHead = 3

  /** A batch from Python, taken apart; `bytes` are of the columns that are Python's. */
  final case class Output(
      handle: Long,
      rows: Int,
      nodes: Seq[ArrowFieldNode],
      buffers: Seq[Span],
      variadic: Seq[Long],
      bytes: Long)

  /** Memory that belongs to the other side. */
  final case class Span(address: Long, size: Long)

  /**
   * Reads what `output` gave, with `beside` columns of the input before those of Python. A layout that does not fit
   * `schema` is refused, since memory hangs on it.
   */
  def read(schema: Schema, layout: Array[Long], beside: Int = 0): Output = {
    val columns = schema.getFields.asScala.toSeq
    require(
      layout.length >= outputHead && layout(2) == columns.size,
      s"a batch of ${columns.size} columns was announced")
    val nodes = Seq.newBuilder[ArrowFieldNode]
    val buffers = new ArrayBuffer[Span]
    val variadic = Seq.newBuilder[Long]
    var at = outputHead

    def take(): Long = {
      at += 1
      layout(at - 1)
    }

    def column(field: Field): Unit = {
      nodes += new ArrowFieldNode(take(), take())
      val bufferCount = take().toInt
      require(
        take() == field.getChildren.size,
        s"${field.getName}: another number of children was announced")
      require(bufferCount >= fixedBuffers(field.getType), s"${field.getName}: buffers are missing")
      if (ArrowViews.isView(field.getType))
        variadic += (bufferCount - fixedBuffers(field.getType)).toLong
      for (_ <- 0 until bufferCount) buffers += Span(take(), take())
      field.getChildren.forEach(column(_))
    }

    val (before, own) = columns.splitAt(beside)
    before.foreach(column)
    val others = buffers.length
    own.foreach(column)
    Output(
      layout(0),
      layout(1).toInt,
      nodes.result(),
      buffers.toSeq,
      variadic.result(),
      buffers.drop(others).map(_.size).sum)
  }

  private def fixedBuffers(arrow: ArrowType): Int =
    TypeLayout.getTypeLayout(arrow).getBufferLayouts.size
}

/** Longs without boxes. */
private[rows] final class LongsBuilder {
  private var longs = new Array[Long](64)
  private var size = 0

  def +=(value: Long): Unit = {
    if (size == longs.length) longs = java.util.Arrays.copyOf(longs, size * 2)
    longs(size) = value
    size += 1
  }

  def result(): Array[Long] = java.util.Arrays.copyOf(longs, size)
}
