package dev.ember.rows.columns

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.LongsBuilder

/** The columns of the batch in the making. */
private[columns] final class ColumnCopies(shape: ColumnShape, allocator: BufferAllocator)
    extends AutoCloseable {
  private val columns =
    shape.input.map(field => ColumnCopy.of(field.dataType, shape.large, allocator)).toArray
  private val sources = shape.sources.toArray
  private val arguments = shape.arguments.toArray
  private var rows = 0

  def append(batch: ColumnarBatch, first: Int, count: Int): Unit = {
    var index = 0
    while (index < columns.length) {
      columns(index).append(batch.column(sources(index)), first, count)
      index += 1
    }
    rows += count
  }

  /** Appends as many of these rows as Spark's writer would take at once, or fewer; none if the batch is full. */
  def take(batch: ColumnarBatch, first: Int, count: Int, limit: Long): Int = {
    var most = count
    if (limit < Int.MaxValue && bytesWith(batch, first, count, exactly = false) >= limit) {
      // A row is taken while what is there is below the limit.
      while (most > 1 && bytesWith(batch, first, most - 1, exactly = true) >= limit) most /= 2
      if (most == 1 && bytesWith(batch, first, 0, exactly = true) >= limit) most = 0
    }
    if (most > 0) append(batch, first, most)
    most
  }

  /** What Spark's `ArrowWriter` would make of the arguments with `more` rows. */
  private def bytesWith(batch: ColumnarBatch, first: Int, more: Int, exactly: Boolean): Long = {
    val bytes = arguments.map { index =>
      val (column, from) = (columns(index), batch.column(sources(index)))
      val text =
        if (exactly) column.text(from, first, more) else column.textAtMost(from, first, more)
      column.bytesWith(more, text)
    }.sum
    if (shape.wrapped) bytes + ColumnCopy.bytesOfBits(rows + more) else bytes
  }

  /** The batch, with all memory that it stands in; the next begins empty. */
  def lend(): LentColumns = {
    val asked = new LongsBuilder
    asked += rows.toLong
    if (shape.wrapped) Seq(1L, rows.toLong, 0L, 1L).foreach(asked += _)
    asked += arguments.length.toLong
    if (shape.wrapped) Seq(0L, 0L).foreach(asked += _)
    arguments.foreach(columns(_).describe(asked))
    val kept = new LongsBuilder
    kept += rows.toLong
    kept += (if (shape.joined) columns.length.toLong else 0L)
    if (shape.joined) columns.foreach(_.describe(kept))
    val bytes = arguments.map(columns(_).bytesWith(0, 0)).sum
    val buffers = columns.toSeq.flatMap(_.take())
    val lent = LentColumns(
      asked.result(),
      kept.result(),
      rows,
      bytes,
      buffers.map(_.capacity).sum,
      () => buffers.foreach(_.close()))
    rows = 0
    lent
  }

  override def close(): Unit = columns.foreach(_.close())
}
