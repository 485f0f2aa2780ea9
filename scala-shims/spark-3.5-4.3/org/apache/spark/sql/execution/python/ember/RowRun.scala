package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.{Native, OutputPage}
import dev.ember.rows.{InputRows, OutputVectors, PageWriter, Pieces}
import dev.ember.session.RowCrossing

/** A session whose rows cross as pages, and come back as rows that point into pages. */
private[ember] final class RowRun(opened: OpenedSession, form: RowForm, output: RowOutput) {
  import opened.{context, count, handle, place}

  private val back = new SessionOutput(opened, form, output)
  private val memory = new PageMemory(context.taskMemoryManager())

  def start(input: InputRows): Iterator[InternalRow] =
    new RowRun.InTurn(goOn(counted(input), run => run.take))

  /** The output in Arrow's columns: each batch is readable until the next is asked for. */
  def startColumns(input: InputRows): Iterator[ColumnarBatch] =
    goOn(counted(input), run => run.back.show)

  private def goOn[Out](input: InputRows, take: RowRun => (Native, Long) => Out): Iterator[Out] = {
    // Before the session's own listener, so that it runs after it: rows are read until the task ends.
    context.addTaskCompletionListener[Unit] { _ =>
      place.native.freeRows(handle)
      memory.hold(0)
    }: Unit
    val relay =
      new Relay[InputRows, Out](opened, new RowRun(_, form, output).goOn(_, take))
    val crossing =
      new RowCrossing(place.native, handle, form.ordinals.isEmpty, take(this), memory.hold)
    val run =
      new EmbeddedRun[InputRows, Out](opened, crossing, () => back.close(), relay.takesOver)
    relay.after(run.start(input))
  }

  private def take(native: Native, session: Long): Iterator[InternalRow] =
    back.take(native, session) {
      val page = native.outputRows(session)
      memory.hold(page.held)
      page
    }

  private def counted(input: InputRows): InputRows = new InputRows {
    override def fill(rows: PageWriter, arguments: PageWriter): Option[Int] = {
      val filled = input.fill(rows, arguments)
      filled.foreach { number =>
        count("pythonDataSent", (if (form.ordinals.isEmpty) arguments else rows).bytes)
        count(EmberMetrics.RowsSent, number.toLong)
        count(EmberMetrics.BatchesSent, 1)
      }
      filled
    }

    override def cut: Option[Pieces] = input.cut
    override def close(): Unit = input.close()
  }
}

/** What a kind expects of its function's output. */
private[ember] trait RowOutput {

  /** Whether columns of these types come back as rows; throws Spark's error if the kind refuses them. */
  def comesAsRows(actual: Seq[DataType]): Boolean

  /**
   * The rows of a batch that Spark reads: its types are others, or it has nulls where the declared types have none.
   *
   * @param inputs
   *   the input rows that it belongs to, if it is to be joined with them
   */
  def convert(batch: ColumnarBatch, inputs: Option[Iterator[InternalRow]]): Iterator[InternalRow]

  /** The rows of a page, which stands in `page`; what came beside it is readable during this call. */
  def read(rows: Iterator[InternalRow], page: OutputPage): Iterator[InternalRow] = {
    require(page.pickledBytes == 0, "these results have nothing beside them")
    rows
  }
}

private[ember] object RowRun {

  /** Whether batches of this schema come back as rows; throws Spark's error if `output` refuses them. */
  def fit(output: RowOutput, schema: Array[Byte]): Boolean = {
    val fields = OutputVectors.schemaOf(schema).getFields.asScala.toSeq
    output.comesAsRows(fields.map(ArrowUtils.fromArrowField)) &&
    !fields.exists(OutputVectors.hasDecimalsOfOtherWidth)
  }

  /** The rows of one batch after the other. It is asked twice for each row, so it does no more than it must. */
  private[ember] final class InTurn(batches: Iterator[Iterator[InternalRow]])
      extends Iterator[InternalRow] {
    private var rows: Iterator[InternalRow] = Iterator.empty

    override def hasNext: Boolean = rows.hasNext || another()

    override def next(): InternalRow = {
      if (!hasNext) throw new NoSuchElementException("no row is left")
      rows.next()
    }

    private def another(): Boolean = {
      while (!rows.hasNext && batches.hasNext) rows = batches.next()
      rows.hasNext
    }
  }

  /** Rows that Spark already stores in its own form are written as they are. */
  def toUnsafe(schema: StructType): InternalRow => UnsafeRow = {
    lazy val projection = UnsafeProjection.create(schema)

    {
      case unsafe: UnsafeRow => unsafe
      case other => projection(other)
    }
  }
}
