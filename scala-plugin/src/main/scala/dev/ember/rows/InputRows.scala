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

  /** How the rows just filled fall into groups, for functions that take them by group. */
  def cut: Option[Pieces] = None
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
    val sent = if (toArguments.nonEmpty) arguments else input
    size.begin(sent)
    val most = limits.fold(Int.MaxValue)(_.rows)
    val bytes = limits.fold(Long.MaxValue)(_.bytes)
    val unasked = size.allowed(bytes, most)
    var rows = 0
    while (rows < most && run.hasNext && (sent.bytes < unasked || size.allows(bytes, sent))) {
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
 * the rows, so it is asked only when a page comes near the limit, and then with all rows of the batch.
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
  private var rows = 0L
  private var start = 0L
  private val growth = Growth.of(schema, wrapped)

  /** A batch begins behind what `page` has. */
  def begin(page: PageWriter): Unit = {
    start = page.bytes
    if (counting) writer.foreach(_._2.reset())
    counting = false
    rows = 0
  }

  /** Bytes of a page, filled from its beginning, with which a batch of `most` rows may surely grow. */
  def allowed(limit: Long, most: Int): Long =
    if (limit >= Int.MaxValue) Long.MaxValue else growth.below(limit, most)

  /** Whether a batch with the rows since its beginning in `page` may grow beyond them. */
  def allows(limit: Long, page: PageWriter): Boolean =
    limit >= Int.MaxValue || growth.atMost(page.bytes - start, rows) < limit ||
      exactly(page) < limit

  def add(row: UnsafeRow): Unit = {
    rows += 1
    if (counting) writer.foreach(_._2.write(written(row)))
  }

  private def exactly(page: PageWriter): Long = {
    val (_, arrow) = writer.getOrElse {
      val root = VectorSchemaRoot.create(schema, allocator)
      val made = (root, ArrowWriter.create(root))
      writer = Some(made)
      made
    }
    if (!counting) {
      counting = true
      page.rows(fields, start).foreach(row => arrow.write(written(row)))
    }
    WriterSize.of(arrow)
  }

  override def close(): Unit = {
    writer.foreach(_._1.close())
    writer = None
  }
}

/**
 * How much larger than rows Arrow's form of them may be.
 *
 * @param times
 *   as many times the bytes of the rows
 * @param ofRow
 *   and as many bytes for each row
 */
private final case class Growth(times: Long, ofRow: Long) {
  def atMost(bytes: Long, rows: Long): Long = bytes * times + rows * ofRow

  /** With fewer bytes than this, so many rows are not as large as `limit`. */
  def below(limit: Long, rows: Int): Long = (limit - rows * ofRow) / times
}

private object Growth {

  /** A row has at least eight bytes for a value that Arrow stores in at most sixteen and some bits. */
  private val OfValue = 4L

  /** What Arrow has at most for a null. */
  private val OfNull = 24L

  def of(schema: Schema, wrapped: Boolean): Growth = {
    val columns = schema.getFields.asScala.toSeq
    val fields = if (wrapped) columns.flatMap(children) else columns
    Growth(OfValue * largest(fields.map(inElements)), OfNull * fields.map(inNull).sum)
  }

  /** Values that Arrow has in a null of this field; a row has nothing there. */
  private def inNull(field: Field): Long =
    if (isStruct(field)) children(field).map(child => 1 + inNull(child)).sum else 0

  /** Values that Arrow has for one element of the arrays in this field. */
  private def inElements(field: Field): Long = {
    val inner = children(field)
    if (isStruct(field)) largest(inner.map(inElements))
    else largest(inner.map(element => math.max(1 + inNull(element), inElements(element))))
  }

  private def largest(numbers: Seq[Long]): Long = numbers.foldLeft(1L)(math.max)

  private def isStruct(field: Field): Boolean = field.getType.isInstanceOf[ArrowType.Struct]

  private def children(field: Field): Seq[Field] = field.getChildren.asScala.toSeq
}
