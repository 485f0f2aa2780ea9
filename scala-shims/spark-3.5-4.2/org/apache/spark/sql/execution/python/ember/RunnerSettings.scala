package org.apache.spark.sql.execution.python.ember

import java.io.File

import scala.annotation.unused

import org.apache.spark.{SparkConf, SparkEnv, TaskContext}
import org.apache.spark.api.python.BasePythonRunner
import org.apache.spark.internal.config.CPUS_PER_TASK
import org.apache.spark.sql.execution.python.HybridRowQueue

/** What Spark's runners read from settings that not every Spark has. */
trait RunnerSettings { self: BasePythonRunner[_, _] =>

  /** Whether tracebacks tell the values of local variables. */
  private[ember] def tellsLocals: Boolean = false
}

private[ember] object RunnerSettings {

  /** How many batches Spark prepares ahead, if it does. */
  def pipelineDepth(conf: SparkConf): Option[Int] = None

  /** What `OMP_NUM_THREADS` is for the task's worker. */
  def threads(@unused context: TaskContext): String =
    SparkEnv.get.conf.get(CPUS_PER_TASK.key, "1")

  /** The local property of a task that tells how many its executor has at most. */
  val tasksProperty: Option[String] = None

  def newQueue(context: TaskContext, folder: File, fields: Int): HybridRowQueue =
    HybridRowQueue(context.taskMemoryManager(), folder, fields)
}
