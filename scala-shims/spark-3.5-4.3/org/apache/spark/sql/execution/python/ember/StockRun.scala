package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext

import dev.ember.metrics.EmberMetrics
import dev.ember.reason.{FallbackReason, ReasonLog}
import dev.ember.session.StockDispatcher
import dev.ember.session.contract.WorkerFunction

/** A partition on Spark's own runner: a session like any other, and why it is one is said and counted. */
private[ember] object StockRun {
  def apply[Out](
      reason: FallbackReason,
      functions: Seq[String],
      evalType: Int,
      count: (String, Long) => Unit)(compute: => Iterator[Out]): Iterator[Out] = {
    ReasonLog.once(reason)
    count(EmberMetrics.Fallbacks, 1)
    count(EmberMetrics.reason(reason.name), 1)
    val session = StockDispatcher.session[Out]()
    TaskContext.get().addTaskCompletionListener[Unit](_ => session.close()): Unit
    session.init(function(functions, evalType))
    session.process(() => compute)
  }

  /** By its name: Spark's runner has it already. */
  private def function(names: Seq[String], evalType: Int): WorkerFunction = WorkerFunction(
    names.mkString(", "),
    evalType,
    "in Spark's runner",
    Array.emptyByteArray,
    Array.emptyByteArray)
}
