package dev.ember.rows

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.types.pojo.Schema
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeRow
import org.apache.spark.sql.execution.arrow.ArrowWriter

/** What a row session reads. Used by one thread, the task's. */
trait InputRows extends AutoCloseable {

  /** Writes the next batch; how many rows it has, or nothing at the end. Throws what the upstream throws. */
  def fill(input: PageWriter, arguments: PageWriter): Option[Int]
}

/**
 * Rows in batches with the boundaries that Spark's own writer would give them: functions can see where a batch
 * ends.
 *
 * @param runs
 *   with limits, one run of rows that is cut; without, each inner iterator is a batch
 * @param toInput
 *   the row as it will be joined
 * @param toArguments
 *   the row of arguments, if they are not all columns of the input
 * @param size
 *   tells what Spark's writer would make of the rows; asked only where a limit of bytes may be near
 */
final class CutRows(
    runs: Iterator[Iterator[InternalRow]],
    limits: Option[RowBatches.Limits],
    toInput: InternalRow => UnsafeRow,
    toArguments: Option[InternalRow => UnsafeRow],
    size: WrittenSize)
    extends InputRows {
  private var run: Iterator[InternalRow] = Iterator.empty

  override def fill(input: PageWriter, arguments: PageWriter): Option[Int] =
    if (nextRun()) Some(cut(input, arguments)) else None

  private def nextRun(): Boolean = limits match {
    case Some(_) =>
      if (!run.hasNext && runs.hasNext) run = runs.next()
      run.hasNext
    case None =>
      val more = runs.hasNext
      if (more) run = runs.next()
      more
  }

  private def cut(input: PageWriter, arguments: PageWriter): Int = {
    input.begin()
    if (toArguments.nonEmpty) arguments.begin()
    size.begin()
    val most = limits.fold(Int.MaxValue)(_.rows)
    val bytes = limits.fold(Long.MaxValue)(_.bytes)
    var rows = 0
    while (rows < most && run.hasNext && size.allows(bytes, input)) {
      val row = run.next()
      val joined = toInput(row)
      input.append(joined)
      toArguments.foreach(project => arguments.append(project(row)))
      size.add(joined)
      rows += 1
    }
    rows
  }

  override def close(): Unit = size.close()
}

/**
 * How large Spark's `ArrowWriter` would have made a batch. Arrow never takes more than a few times the bytes of
 * the rows, so it is asked only when a page comes near the limit, and then with all rows of the page.
 *
 * @param written
 *   what Spark would have written of an input row
 */
final class WrittenSize(
    schema: Schema,
    allocator: BufferAllocator,
    fields: Int,
    written: InternalRow => InternalRow)
    extends AutoCloseable {
  private var writer: Option[(VectorSchemaRoot, ArrowWriter)] = None
  private var counting = false

  def begin(): Unit = {
    if (counting) writer.foreach(_._2.reset())
    counting = false
  }

  /** Whether a batch with the rows of `page` may grow beyond them. */
  def allows(limit: Long, page: PageWriter): Boolean =
    limit >= Int.MaxValue || page.bytes * WrittenSize.AtMostTimes < limit || exactly(page) < limit

  def add(row: UnsafeRow): Unit = if (counting) writer.foreach(_._2.write(written(row)))

  private def exactly(page: PageWriter): Long = {
    val (_, arrow) = writer.getOrElse {
      val root = VectorSchemaRoot.create(schema, allocator)
      val made = (root, ArrowWriter.create(root))
      writer = Some(made)
      made
    }
    if (!counting) {
      counting = true
      page.rows(fields).foreach(row => arrow.write(written(row)))
    }
    arrow.sizeInBytes()
  }

  override def close(): Unit = {
    writer.foreach(_._1.close())
    writer = None
  }
}

private object WrittenSize {

  /** A row has eight bytes for every field and eight for its size; Arrow at most sixteen and some bits. */
  val AtMostTimes = 4
}
