package org.apache.spark.sql.execution.python.ember

import java.io.File

import org.apache.spark.{SparkConf, SparkEnv, TaskContext}
import org.apache.spark.api.python.BasePythonRunner
import org.apache.spark.internal.config.Python.{
  PYTHON_UDF_PIPELINED_EXECUTION,
  PYTHON_UDF_PIPELINED_QUEUE_DEPTH
}
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.execution.python.HybridRowQueue

/** What Spark's runners read from settings that not every Spark has. */
trait RunnerSettings { self: BasePythonRunner[_, _] =>

  /** Whether tracebacks tell the values of local variables. */
  private[ember] def tellsLocals: Boolean = self.tracebackWithLocals
}

private[ember] object RunnerSettings {

  /** How many batches Spark prepares ahead, if it does. */
  def pipelineDepth(conf: SparkConf): Option[Int] =
    Option.when(conf.get(PYTHON_UDF_PIPELINED_EXECUTION))(
      conf.get(PYTHON_UDF_PIPELINED_QUEUE_DEPTH))

  /** What `OMP_NUM_THREADS` is for the task's worker. */
  def threads(context: TaskContext): String = context.cpus().toString

  /** The local property of a task that tells how many its executor has at most. */
  val tasksProperty: Option[String] = Some(ResourceProfile.MAX_TASKS_PER_EXECUTOR_LOCAL_PROPERTY)

  def newQueue(context: TaskContext, folder: File, fields: Int): HybridRowQueue =
    HybridRowQueue(
      context.taskMemoryManager(),
      folder,
      fields,
      pipelineDepth(SparkEnv.get.conf).nonEmpty)
}
