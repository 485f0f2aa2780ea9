package dev.ember.rows

import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, Schema}

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
    val sent = if (toArguments.nonEmpty) arguments else input
    val most = limits.fold(Int.MaxValue)(_.rows)
    val bytes = limits.fold(Long.MaxValue)(_.bytes)
    var rows = 0
    while (rows < most && run.hasNext && size.allows(bytes, sent)) {
      val row = run.next()
      val joined = toInput(row)
      input.append(joined)
      toArguments match {
        case Some(project) =>
          val asked = project(row)
          arguments.append(asked)
          size.add(asked)
        case None => size.add(joined)
      }
      rows += 1
    }
    rows
  }

  override def close(): Unit = size.close()
}

/**
 * How large Spark's `ArrowWriter` would have made a batch. Arrow never takes more than some times the bytes of
 * the rows, so it is asked only when a page comes near the limit, and then with all rows of the page.
 *
 * @param wrapped
 *   the schema has one column, a struct of the fields of the row, which is never null
 * @param fields
 *   of a row of the page that is sent
 * @param written
 *   what Spark would have written of such a row
 */
final class WrittenSize(
    schema: Schema,
    wrapped: Boolean,
    allocator: BufferAllocator,
    fields: Int,
    written: InternalRow => InternalRow)
    extends AutoCloseable {
  private var writer: Option[(VectorSchemaRoot, ArrowWriter)] = None
  private var counting = false
  private val atMostTimes = WrittenSize.atMostTimes(schema, wrapped)

  def begin(): Unit = {
    if (counting) writer.foreach(_._2.reset())
    counting = false
  }

  /** Whether a batch with the rows of `page` may grow beyond them. */
  def allows(limit: Long, page: PageWriter): Boolean =
    limit >= Int.MaxValue || page.bytes * atMostTimes < limit || exactly(page) < limit

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

  /** A row has at least eight bytes for a value that Arrow stores in at most sixteen and some bits. */
  private val OfOneValue = 4L

  /** A null struct has eight bytes in a row, and in Arrow a value of each of its fields. */
  def atMostTimes(schema: Schema, wrapped: Boolean): Long = {
    val columns = schema.getFields.asScala
    val fields = if (wrapped) columns.flatMap(_.getChildren.asScala) else columns
    OfOneValue * fields.map(values).maxOption.getOrElse(1L)
  }

  /** How many values of Arrow's one value of this field may hold, or its elements, whichever are more. */
  private def values(field: Field): Long = {
    val inner = field.getChildren.asScala.map(values)
    val all = field.getType match {
      case _: ArrowType.Struct => inner.sum + 1
      case _ => inner.maxOption.getOrElse(1L)
    }
    math.max(all, 1L)
  }
}
