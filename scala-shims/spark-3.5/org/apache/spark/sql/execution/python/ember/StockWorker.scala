package org.apache.spark.sql.execution.python.ember

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, DataInputStream, DataOutputStream}
import java.io.{File, OutputStream}
import java.net.Socket
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.{SparkEnv, TaskContext}
import org.apache.spark.api.python.{BasePythonRunner, SpecialLengths}
import org.apache.spark.internal.config.Python.PYTHON_WORKER_FAULTHANLDER_ENABLED
import org.apache.spark.sql.execution.metric.SQLMetric

/**
 * Spark's protocol with its worker, spoken by Spark's own runner to a worker that is not there: what it would
 * have written as a header, and how it reads the end of a worker's answer.
 *
 * Spark 3.5 writes in a thread of its own, which ends with the input; here it is run as it is, without input.
 */
final class StockWorker[IN, OUT](runner: StockRunner[IN, OUT], partition: Int, context: TaskContext)
    extends AutoCloseable {
  private val startTime = System.currentTimeMillis()
  private val worker = new StockWorker.Listener
  private val writer = runner.stockWriter(SparkEnv.get, worker, partition, context)

  /** The command header, as a worker would read it. Throws if it cannot be written. */
  def header(): Array[Byte] = {
    writer.run()
    writer.exception.foreach(throw _)
    context.killTaskIfInterrupted() // what fails then, Spark's writer keeps to itself
    StockWorker.withoutEnd(worker.heard())
  }

  /** Reads times, accumulators and the end, or throws the error that the worker tells. */
  def readTail(tail: Array[Byte]): Unit = {
    val stream = new DataInputStream(new ByteArrayInputStream(tail))
    val rest = runner.stockReader(stream, writer, startTime, SparkEnv.get, worker, context)
    while (rest.hasNext) rest.next(): Unit
  }

  override def close(): Unit = worker.close()
}

private object StockWorker {
  private val End = ByteBuffer.allocate(4).putInt(SpecialLengths.END_OF_STREAM).array()

  /** Behind the data, of which there was none, stands that it has ended. */
  private def withoutEnd(written: Array[Byte]): Array[Byte] = {
    require(written.endsWith(End), "Spark's runner did not write its header to the end")
    written.dropRight(End.length)
  }

  /** A socket without another end, which keeps what is written to it. */
  private final class Listener extends Socket {
    private val bytes = new ByteArrayOutputStream

    def heard(): Array[Byte] = bytes.toByteArray
    override def getOutputStream: OutputStream = bytes
    override def shutdownOutput(): Unit = ()
  }
}

/** The two methods of a runner that speak the protocol, and what other lines have of a runner beside. */
trait StockRunner[IN, OUT]
    extends BasePythonRunner[IN, OUT]
    with RunnerSettings
    with HungWorkers
    with ProfiledRunner {
  protected def metrics: Map[String, SQLMetric]

  protected final def hideTraceback: Boolean = false

  protected final def faultHandlerEnabled: Boolean =
    SparkEnv.get.conf.get(PYTHON_WORKER_FAULTHANLDER_ENABLED)

  protected final def faultLogs: File = RunnerInternals.faultLogs()

  /** What a worker is told in its environment beside what every Spark tells it. */
  protected final def workerVariables: Map[String, String] = Map.empty

  /** Whether a header is not written to its end before a worker has fetched its broadcasts. */
  protected final def waitsForBroadcasts: Boolean =
    SparkEnv.get.serializerManager.encryptionEnabled

  private[ember] def stockWriter(
      env: SparkEnv,
      worker: Socket,
      partition: Int,
      context: TaskContext): WriterThread = {
    val stock = newWriterThread(env, worker, Iterator.empty, partition, context)
    new WriterThread(env, worker, Iterator.empty, partition, context) {
      override protected def writeCommand(out: DataOutputStream): Unit =
        RunnerInternals.writeCommand(stock, out)

      override protected def writeIteratorToStream(out: DataOutputStream): Unit = ()
    }
  }

  private[ember] def stockReader(
      stream: DataInputStream,
      writer: WriterThread,
      startTime: Long,
      env: SparkEnv,
      worker: Socket,
      context: TaskContext): Iterator[OUT] = {
    // "Released" already: this worker must never get into the pool of real ones.
    val released = new AtomicBoolean(true)
    newReaderIterator(stream, writer, startTime, env, worker, None, released, context)
  }
}
