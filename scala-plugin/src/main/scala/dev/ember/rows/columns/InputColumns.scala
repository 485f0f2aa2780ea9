package dev.ember.rows.columns

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.RowBatches

/**
 * A batch of columns that is ready to be lent.
 *
 * @param arguments
 *   the layout of what the function gets
 * @param columns
 *   the layout of what its rows are joined with; nothing if they are not
 * @param bytes
 *   of the arguments
 * @param held
 *   bytes of all memory behind both
 * @param memory
 *   keeps the buffers where they are; to be closed when the other side has given the batch back
 */
final case class LentColumns(
    arguments: Array[Long],
    columns: Array[Long],
    rows: Int,
    bytes: Long,
    held: Long,
    memory: AutoCloseable)

/** What a column session reads. Used by one thread, the task's. */
trait InputColumns extends AutoCloseable {

  /** The next batch, or nothing when the input has ended. Throws whatever the upstream throws. */
  def next(): Option[LentColumns]
}

/**
 * Which columns of a child's batches cross, and how.
 *
 * @param sources
 *   where each column of `input` stands in the child's batches
 * @param arguments
 *   where each argument stands in `input`
 * @param wrapped
 *   arguments are the fields of one struct column
 * @param joined
 *   output rows begin with the columns of the input
 */
final case class ColumnShape(
    input: StructType,
    sources: Seq[Int],
    arguments: Seq[Int],
    large: Boolean,
    wrapped: Boolean,
    joined: Boolean)

/** Column batches with the boundaries that Spark would give them: functions can see where a batch ends. */
object InputColumns {

  /** Whether columns of this type go to Arrow without becoming rows. */
  def copies(of: DataType): Boolean = ColumnCopy.copies(of)

  /** Each batch of the child as it is. */
  def asTheyAre(
      shape: ColumnShape,
      batches: Iterator[ColumnarBatch],
      allocator: BufferAllocator): InputColumns = new InputColumns {
    private val copies = new ColumnCopies(shape, allocator)

    override def next(): Option[LentColumns] =
      if (!batches.hasNext) None
      else {
        val batch = batches.next()
        copies.append(batch, 0, batch.numRows())
        Some(copies.lend())
      }

    override def close(): Unit = copies.close()
  }

  /** The rows of all batches, cut as a run of rows would be. A batch is done with when the next is asked for. */
  def cut(
      shape: ColumnShape,
      limits: RowBatches.Limits,
      batches: Iterator[ColumnarBatch],
      allocator: BufferAllocator): InputColumns = new InputColumns {
    private val copies = new ColumnCopies(shape, allocator)
    private var batch: Option[ColumnarBatch] = None
    private var read = 0

    override def next(): Option[LentColumns] =
      if (left() <= 0) None // the last batch may be empty by now: its child uses it again
      else {
        var room = limits.rows
        while (room > 0 && left() > 0) {
          val taken = copies.take(batch.get, read, math.min(room, left()), limits.bytes)
          read += taken
          room = if (taken == 0) 0 else room - taken
        }
        Some(copies.lend())
      }

    /** Rows of the batch at hand, which is never an empty one. */
    private def left(): Int = {
      while (batch.forall(_.numRows() == read) && batches.hasNext) {
        batch = Some(batches.next())
        read = 0
      }
      batch.fold(0)(_.numRows() - read)
    }

    override def close(): Unit = copies.close()
  }
}
