package dev.ember.rows

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.arrow.ArrowWriter

/**
 * Rows as Arrow batches, by Spark's own writer and with Spark's own boundaries: functions can see where a batch
 * ends.
 *
 * @param input
 *   with limits, one run of rows that is cut; without, each inner iterator is a batch
 */
final class RowBatches(
    schema: Schema,
    allocator: BufferAllocator,
    limits: Option[RowBatches.Limits],
    input: Iterator[Iterator[InternalRow]])
    extends InputBatches {

  private var open: Option[RowBatches.Vectors] = None
  private var run: Iterator[InternalRow] = Iterator.empty

  override def next(): Option[InputBatch] = limits match {
    case Some(within) => cut(within)
    case None if input.hasNext => Some(batch(input.next(), _ => true))
    case None => None
  }

  private def cut(limits: RowBatches.Limits): Option[InputBatch] = {
    if (!run.hasNext && input.hasNext) run = input.next()
    if (run.hasNext) Some(batch(run, limits.allow)) else None
  }

  private def batch(
      rows: Iterator[InternalRow],
      mayGrow: RowBatches.Vectors => Boolean): InputBatch = {
    val vectors = open.getOrElse {
      val made = new RowBatches.Vectors(schema, allocator)
      open = Some(made)
      made
    }
    while (rows.hasNext && mayGrow(vectors)) vectors.write(rows.next())
    vectors.lend()
  }

  override def close(): Unit = {
    open.foreach(_.close())
    open = None
  }
}

object RowBatches {

  /** A batch ends at so many rows, or when it has so many bytes. */
  final case class Limits(rows: Int, bytes: Long) {
    private[RowBatches] def allow(vectors: Vectors): Boolean =
      vectors.rows < rows && (bytes == Int.MaxValue || vectors.areBelow(bytes))
  }

  /**
   * The vectors that are written. They have an allocator of their own, which knows at any time how much they
   * could hold; a lent batch is moved to `lent`, since it may outlive the session.
   */
  private final class Vectors(schema: Schema, lent: BufferAllocator) extends AutoCloseable {
    private val own = lent.newChildAllocator("ember input", 0, Long.MaxValue)
    private val root = VectorSchemaRoot.create(schema, own)
    private val writer = ArrowWriter.create(root)
    private val vectors = new LentVectors(root, lent)
    private var written = 0

    def rows: Int = written

    /** Exact, as in Spark, but what was allocated is asked first: it is one number, and never the smaller. */
    def areBelow(bytes: Long): Boolean =
      own.getAllocatedMemory < bytes || WriterSize.of(writer) < bytes

    def write(row: InternalRow): Unit = {
      writer.write(row)
      written += 1
    }

    def lend(): InputBatch = {
      writer.finish()
      val filled = vectors.take()
      writer.reset()
      vectors.renew()
      written = 0
      filled
    }

    override def close(): Unit = {
      root.close()
      own.close()
    }
  }
}
