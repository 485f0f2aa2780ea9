package org.apache.spark.sql.execution.python.ember

import java.nio.file.Path

import org.apache.spark.{BarrierTaskContext, TaskContext}
import org.apache.spark.api.python.PythonException

import dev.ember.nativeapi.NativeException
import dev.ember.session.{Patience, Place, TaskSide, WorkerDied}

/** A task as its session asks it, in Spark's words. */
private[ember] final class SessionTask(
    place: Place,
    worker: StockWorker[?, ?],
    context: TaskContext,
    functions: Seq[String],
    patience: Patience,
    faultFolder: Option[Path])
    extends TaskSide {

  override def failIfEnded(): Unit = {
    context.killTaskIfInterrupted()
    patience.verdict.foreach(words => throw HungWorkers.ended(words))
  }

  override def givesGrace: Boolean = context.isInterrupted() && !context.isFailed()

  /**
   * A task whose function needs a process is no failure: it is tried again, and finds one. One of a barrier fails, and
   * so its stage is tried again.
   */
  override def readTail(tail: Array[Byte]): Unit =
    try worker.readTail(tail)
    catch {
      case error: PythonException =>
        for {
          why <- SessionTask.whyProcess(error.getMessage)
          if place.refuse(why) && !context.isInstanceOf[BarrierTaskContext]
        } throw AnotherAttempt.after(
          context,
          s"Ember runs the function again, in a worker process: $why")
        throw error
    }

  /**
   * The lane in the executor takes no further session once it broke, so the task finds another way when it is tried
   * again: with all of its input, and without a failed attempt, for it is only killed. A stage of a barrier would end.
   */
  override def broke(how: NativeException): Throwable =
    if (place.apart || context.isInstanceOf[BarrierTaskContext]) how
    else
      AnotherAttempt.after(
        context,
        s"Ember runs the task again outside of this executor's interpreter, which broke: ${how.getMessage}")

  override def died(how: NativeException): Throwable = WorkerDied(functions, how, faultFolder)
}

private object SessionTask {

  /** An exception of the worker package's, as Python writes it, and what it says. */
  private val NeedsProcess = "ember_worker\\.signals\\.NeedsProcess: (.*)".r.unanchored

  def whyProcess(traceback: String): Option[String] =
    Option(traceback).collect { case NeedsProcess(why) => why }
}
