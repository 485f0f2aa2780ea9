package org.apache.spark.sql.execution.python.ember

import scala.util.Try

import org.apache.spark.{TaskContext, TaskKilledException}

import dev.ember.contain.TaskLink

/** Ends an attempt of a task that is to be tried again, so that Spark counts no failure. */
object AnotherAttempt {
  private val LongestMs = 5000
  @volatile private var driver: Option[TaskLink] = None

  /** From now on there is a driver to ask. */
  def connect(link: TaskLink): Unit = driver = Some(link)

  /**
   * What the attempt ends with. A sink may wrap it, and what it then is counts as a failure, unless Spark has killed the
   * attempt before.
   */
  private[ember] def after(context: TaskContext, why: String): TaskKilledException = {
    if (driver.exists(link => Try(link.kill(context.taskAttemptId(), why)).getOrElse(false)))
      awaitKill(context)
    new TaskKilledException(why)
  }

  private def awaitKill(context: TaskContext): Unit = {
    val deadline = System.nanoTime() + LongestMs * 1000000L
    while (!context.isInterrupted() && System.nanoTime() < deadline) Thread.sleep(1)
  }
}
