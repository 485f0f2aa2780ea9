package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Field

import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.metrics.EmberMetrics
import dev.ember.rows.{InputBatch, InputBatches, OutputVectors}
import dev.ember.session.ArrowCrossing

/**
 * A session whose batches are Arrow vectors on the JVM's side too.
 *
 * @param rowsOf
 *   how many of Spark's rows an output batch has
 */
private[ember] final class ArrowRun(
    opened: OpenedSession,
    rowsOf: ColumnarBatch => Int = _.numRows()) {
  import opened.{context, count, handle, place}

  private val columns = new OutputColumns(opened, rowsOf)
  private val memory = new ColumnMemory(context.taskMemoryManager())
  private val relay =
    new Relay[InputBatches, ColumnarBatch](opened, new ArrowRun(_, rowsOf).goOn(_))
  private val run = new EmbeddedRun[InputBatches, Array[Long]](
    opened,
    new ArrowCrossing(place.native, handle, place.lent),
    () => columns.close(),
    relay.takesOver)

  def start(input: InputBatches): Iterator[ColumnarBatch] = goOn(counted(input))

  private def goOn(input: InputBatches): Iterator[ColumnarBatch] = {
    // Before the session's own listener, so that it runs after it.
    context.addTaskCompletionListener[Unit](_ => memory.release()): Unit
    relay.after(run.start(input).map(show))
  }

  private def show(layout: Array[Long]): ColumnarBatch = {
    memory.hold(place.native.held(handle))
    columns.show(layout)
  }

  private def counted(input: InputBatches): InputBatches = new InputBatches {
    override def next(): Option[InputBatch] = {
      val batch =
        input.next().map(it => it.copy(memory = memory.lent(it.memory, it.bytes)))
      batch.foreach { filled =>
        count("pythonDataSent", filled.bytes)
        count(EmberMetrics.RowsSent, filled.rows)
        count(EmberMetrics.BatchesSent, 1)
      }
      batch
    }

    override def close(): Unit = input.close()
  }
}

/**
 * Output batches as Spark's columns, over vectors that are made for the first of them.
 *
 * @param beside
 *   columns of the input that stand before the function's
 */
private[ember] final class OutputColumns(
    opened: OpenedSession,
    rowsOf: ColumnarBatch => Int = _.numRows(),
    beside: => Seq[Field] = Nil)
    extends AutoCloseable {
  import opened.{count, handle, place}

  private var vectors: Option[OutputVectors] = None

  def show(layout: Array[Long]): ColumnarBatch = {
    val shown = vectors.getOrElse {
      val schema = place.native.outputSchema(handle)
      val made = OutputVectors.of(schema, ArrowMemory.allocator, beside)
      vectors = Some(made)
      made
    }
    val loaded = shown.load(layout, place.native.releaseOutput)
    count("pythonNumRowsReceived", rowsOf(loaded.batch).toLong)
    count("pythonDataReceived", loaded.bytes)
    count(EmberMetrics.BatchesReceived, 1)
    loaded.batch
  }

  override def close(): Unit = {
    vectors.foreach(_.close())
    vectors = None
  }
}
