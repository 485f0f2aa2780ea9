package org.apache.spark.sql.execution.python.ember.external

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.{AtomicBoolean, AtomicLong}

import org.apache.spark.udf.worker.{UDFWorkerDataFormat, UDFWorkerSpecification}
import org.apache.spark.udf.worker.core.{
  UDFDispatcherFactory,
  WorkerDispatcher,
  WorkerHandle,
  WorkerLogger,
  WorkerSecurityScope,
  WorkerSession
}

/** For workers that are Python's, as Spark describes them; anything else is refused with words. */
final class ExternalDispatcherFactory extends UDFDispatcherFactory {
  override def createDispatcher(
      specification: UDFWorkerSpecification,
      logger: WorkerLogger): WorkerDispatcher = {
    val worker = PythonWorkerOf(specification).fold(
      why => throw new UnsupportedOperationException(s"Ember cannot be this worker: $why"),
      identity)
    new ExternalDispatcher(specification, worker, logger)
  }
}

/**
 * The Python that a specification asks for.
 *
 * @param executable
 *   whose installation runs the functions
 */
final case class PythonWorkerOf(executable: String, environment: java.util.Map[String, String])

object PythonWorkerOf {
  private val Module = "pyspark.worker"

  def apply(specification: UDFWorkerSpecification): Either[String, PythonWorkerOf] = {
    val runner = specification.getDirect.getRunner
    val command = runner.getCommandList
    val formats = specification.getCapabilities.getSupportedDataFormatsList
    if (!specification.hasDirect || command.isEmpty) Left("it has no command")
    else if (!formats.contains(UDFWorkerDataFormat.ARROW)) Left("it does not speak Arrow")
    else if (command.size != 3 || command.get(1) != "-m" || command.get(2) != Module)
      Left(s"its command is no python -m $Module: ${String.join(" ", command)}")
    else Right(new PythonWorkerOf(command.get(0), runner.getEnvironmentVariablesMap))
  }
}

/** Makes sessions for functions of one Python; each finds its lane when it is opened. */
final class ExternalDispatcher(
    override val workerSpec: UDFWorkerSpecification,
    worker: PythonWorkerOf,
    logger: WorkerLogger)
    extends WorkerDispatcher {
  private val closed = new AtomicBoolean(false)
  private val open = ConcurrentHashMap.newKeySet[ExternalSession]()

  /** How many sessions were not released. */
  def running: Int = open.size

  override def createSession(scope: Option[WorkerSecurityScope]): WorkerSession = {
    if (closed.get) throw new IllegalStateException("the dispatcher is closed")
    val handle = new Handle
    val session = new ExternalSession(handle, worker, logger)
    handle.of = Some(session)
    open.add(session): Unit
    session
  }

  /** Cancels what still runs; its task gives the rest back. */
  override def close(): Unit =
    if (closed.compareAndSet(false, true)) open.forEach(_.abandon())

  /** A lane is not a worker's process: where it broke, it has said so itself, and nothing is kept here. */
  private final class Handle extends WorkerHandle {
    var of: Option[ExternalSession] = None
    override val id: String = s"ember-${ExternalDispatcher.sessions.incrementAndGet()}"
    override def markInvalid(): Unit = ()
    override def releaseSession(): Unit = of.foreach(open.remove(_))
  }
}

private object ExternalDispatcher {
  val sessions = new AtomicLong
}
