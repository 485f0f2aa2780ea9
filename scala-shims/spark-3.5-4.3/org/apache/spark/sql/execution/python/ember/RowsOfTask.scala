package org.apache.spark.sql.execution.python.ember

import java.io.File

import org.apache.spark.{SparkEnv, TaskContext}
import org.apache.spark.sql.execution.python.HybridRowQueue
import org.apache.spark.util.Utils

/** Spark's queue of rows, which go to a file when they are many, for as long as a task lives. */
private[ember] object RowsOfTask {
  def queue(context: TaskContext, fields: Int): HybridRowQueue = {
    val folder = new File(Utils.getLocalDir(SparkEnv.get.conf))
    val queue = RunnerSettings.newQueue(context, folder, fields)
    context.addTaskCompletionListener[Unit](_ => queue.close()): Unit
    queue
  }
}
