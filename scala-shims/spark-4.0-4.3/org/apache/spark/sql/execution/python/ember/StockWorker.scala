package org.apache.spark.sql.execution.python.ember

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, DataInputStream, DataOutputStream}
import java.io.File
import java.nio.channels.SocketChannel
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.{SparkEnv, TaskContext}
import org.apache.spark.api.python.{BasePythonRunner, PythonWorker}

/**
 * Spark's protocol with its worker, spoken by Spark's own runner to a worker that is not there: what it would
 * have written as a header, and how it reads the end of a worker's answer.
 *
 * The worker is a socket that was never connected; it is an open file all the same, so it is closed.
 */
final class StockWorker[IN, OUT](runner: StockRunner[IN, OUT], partition: Int, context: TaskContext)
    extends AutoCloseable {
  private val startTime = System.currentTimeMillis()
  private val worker = new PythonWorker(SocketChannel.open())
  private val writer = runner.stockWriter(SparkEnv.get, worker, partition, context)

  /** The command header, as a worker would read it. Throws if it cannot be written. */
  def header(): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    writer.open(new DataOutputStream(bytes))
    writer.exception.foreach(throw _)
    bytes.toByteArray
  }

  /** Reads times, accumulators and the end, or throws the error that the worker tells. */
  def readTail(tail: Array[Byte]): Unit = {
    val stream = new DataInputStream(new ByteArrayInputStream(tail))
    val rest = runner.stockReader(stream, writer, startTime, SparkEnv.get, worker, context)
    while (rest.hasNext) rest.next(): Unit
  }

  override def close(): Unit = worker.stop()
}

/** The two methods of a runner that speak the protocol, and what Spark 3.5 has otherwise. */
trait StockRunner[IN, OUT]
    extends BasePythonRunner[IN, OUT]
    with RunnerSettings
    with HungWorkers[IN, OUT]
    with ProfiledRunner
    with NamedRuntime {
  protected final def faultLogs: File = BasePythonRunner.faultHandlerLogDir

  /** What a worker is told in its environment beside what every Spark tells it. */
  protected final def workerVariables: Map[String, String] =
    runtimeVariables + ("PYTHON_UDF_BATCH_SIZE" -> batchSizeForPythonUDF.toString)

  /** Whether a header is not written to its end before a worker has fetched its broadcasts. */
  protected final def waitsForBroadcasts: Boolean = false

  private[ember] def stockWriter(
      env: SparkEnv,
      worker: PythonWorker,
      partition: Int,
      context: TaskContext): Writer = newWriter(env, worker, Iterator.empty, partition, context)

  private[ember] def stockReader(
      stream: DataInputStream,
      writer: Writer,
      startTime: Long,
      env: SparkEnv,
      worker: PythonWorker,
      context: TaskContext): Iterator[OUT] = {
    // "Released" already: this worker must never get into the pool of real ones.
    val released = new AtomicBoolean(true)
    newReaderIterator(stream, writer, startTime, env, worker, None, released, context)
  }
}
