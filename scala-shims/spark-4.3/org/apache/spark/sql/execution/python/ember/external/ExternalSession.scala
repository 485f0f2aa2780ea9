package org.apache.spark.sql.execution.python.ember.external

import scala.jdk.CollectionConverters._

import org.apache.spark.TaskContext
import org.apache.spark.api.python.PythonException
import org.apache.spark.sql.execution.python.ember.{ArrowRun, OpenedSession, UpstreamFiles}
import org.apache.spark.sql.vectorized.ColumnarBatch
import org.apache.spark.udf.worker._
import org.apache.spark.udf.worker.core.{Termination, WorkerHandle, WorkerLogger}
import org.apache.spark.udf.worker.ember.SteppedSession

import dev.ember.nativeapi.NativeException
import dev.ember.session.contract.Outcome

/**
 * Spark's protocol with a worker, spoken to a session of Ember's: `Init` opens it, requests are its input and responses its
 * output, `Finish` is the end of the input, and `Cancel` cancels it.
 *
 * How it ends is what the session says: finished, cancelled, failed by its function, or broken. An error of the function
 * reaches whoever pulls the responses as Spark's own runner throws it.
 */
final class ExternalSession(handle: WorkerHandle, worker: PythonWorkerOf, logger: WorkerLogger)
    extends SteppedSession(handle, logger) {
  private var owner: Option[Thread] = None
  @volatile private var running: Option[ExternalSession.Running] = None

  override protected def doInit(init: Init): InitResponse = {
    owner = Some(Thread.currentThread())
    val function =
      try ExternalFunction.read(init, worker)
      catch { case refused: ProtocolViolation => throw failed(protocol(refused), refused) }
    val runner = new ExternalRunner(function)
    val opened = runner
      .open(taskContext)
      .fold(why => throw broken(new IllegalStateException(why.toString)), identity)
    val input = new RequestedBatches(function.wire)
    val results = new ArrowRun(opened).start(UpstreamFiles.apart(input))
    running = Some(ExternalSession.Running(opened, function.wire, input, results, runner.figures))
    opened.session.whenClosed(ended)
    InitResponse.getDefaultInstance
  }

  override protected def doProcess(
      requests: Iterator[DataRequest],
      finish: () => Finish): Iterator[DataResponse] = {
    val run = running.getOrElse(throw new IllegalStateException("the session is not open"))
    run.input.readFrom(requests, () => finished(finish))
    run.results.map(batch => DataResponse.newBuilder().setData(run.wire.message(batch)).build())
  }

  private def finished(finish: () => Finish): Unit =
    if (enterFinishing()) finish(): Unit

  /** The session is its task's: another thread may only cancel it. */
  override protected def doClose(cancel: () => Cancel): Termination = {
    if (enterCancelling()) cancel(): Unit
    abandon()
    if (owner.contains(Thread.currentThread())) running.foreach(_.opened.session.close())
    completeTerminal(Termination.Cancelled(CancelResponse.getDefaultInstance)): Unit
    settledTermination
  }

  /** From any thread. */
  private[external] def abandon(): Unit = running.foreach(_.opened.session.cancel())

  private def ended(outcome: Outcome): Unit = {
    val told = outcome match {
      case Outcome.Finished =>
        val figures = running.fold(Map.empty[String, String])(_.figures())
        Termination.Finished(FinishResponse.newBuilder().putAllMetrics(figures.asJava).build())
      case Outcome.Cancelled | Outcome.InputFailed(_) =>
        Termination.Cancelled(CancelResponse.getDefaultInstance)
      case Outcome.FunctionFailed(cause) if ExternalSession.died(cause) =>
        Termination.TransportFailed(cause)
      case Outcome.FunctionFailed(cause) => Termination.Failed(user(cause))
      case Outcome.Broken(cause) => Termination.TransportFailed(cause)
    }
    completeTerminal(told): Unit
  }

  private def taskContext: TaskContext = Option(TaskContext.get())
    .getOrElse(throw broken(new IllegalStateException("a session of Ember's belongs to a task")))

  private def failed(error: ExecutionError, cause: Throwable): Throwable = {
    completeTerminal(Termination.Failed(error)): Unit
    cause
  }

  private def broken(cause: Throwable): Throwable = {
    completeTerminal(Termination.TransportFailed(cause)): Unit
    cause
  }

  private def protocol(refused: ProtocolViolation): ExecutionError =
    ExecutionError
      .newBuilder()
      .setProtocol(ProtocolError.newBuilder().setMessage(refused.getMessage))
      .build()

  private def user(cause: Throwable): ExecutionError = {
    val told = UserError.newBuilder().setMessage(String.valueOf(cause.getMessage))
    cause match {
      case python: PythonException => told.setErrorClass(python.getCondition)
      case other => told.setErrorClass(other.getClass.getName)
    }
    ExecutionError.newBuilder().setUser(told).build()
  }
}

private object ExternalSession {

  /** Whether the process of the function has gone: its fault, but nobody can use it again. */
  def died(cause: Throwable): Boolean = cause.getCause match {
    case native: NativeException => native.code == NativeException.DIED
    case _ => false
  }

  /** An open session with its way in and out. */
  final case class Running(
      opened: OpenedSession,
      wire: WireForm,
      input: RequestedBatches,
      results: Iterator[ColumnarBatch],
      figures: () => Map[String, String])
}
