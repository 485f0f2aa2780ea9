package org.apache.spark.sql.execution.python.ember

import scala.util.control.NonFatal

import org.apache.spark.{TaskContext, TaskKilledException}
import org.apache.spark.internal.Logging

import dev.ember.contain.TaskLink

/** Ends an attempt of a task that is to be tried again, so that Spark counts no failure. */
object AnotherAttempt extends Logging {
  private val LongestMs = 5000
  @volatile private var driver: Option[TaskLink] = None

  /** From now on there is a driver to ask. */
  def connect(link: TaskLink): Unit = driver = Some(link)

  /**
   * What the attempt ends with. A sink may wrap it, and what it then is counts as a failure, unless Spark has killed the
   * attempt before.
   */
  private[ember] def after(context: TaskContext, why: String): TaskKilledException = {
    if (!context.isInterrupted() && !driver.exists(isKilledBy(_, context, why)))
      logWarning(s"Spark may count an attempt as failed that is to be tried again: $why")
    new TaskKilledException(why)
  }

  private def isKilledBy(link: TaskLink, context: TaskContext, why: String): Boolean =
    try link.kill(context.taskAttemptId(), why) && isKilled(context)
    catch { case NonFatal(_) => false }

  private def isKilled(context: TaskContext): Boolean = {
    val deadline = System.nanoTime() + LongestMs * 1000000L
    while (!context.isInterrupted() && System.nanoTime() < deadline) Thread.sleep(1)
    context.isInterrupted()
  }
}
