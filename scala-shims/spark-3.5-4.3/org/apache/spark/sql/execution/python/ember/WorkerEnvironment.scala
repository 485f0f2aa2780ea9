package org.apache.spark.sql.execution.python.ember

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.Paths

import org.apache.spark.{SparkEnv, SparkFiles, TaskContext}
import org.apache.spark.api.python.PythonUtils
import org.apache.spark.internal.config.EXECUTOR_CORES
import org.apache.spark.internal.config.Python.{PYTHON_USE_DAEMON, PYTHON_WORKER_REUSE}
import org.apache.spark.resource.ResourceProfile

/**
 * The variables that Spark would set for a worker process, beyond those the executor has itself. They are the
 * contract with PySpark's worker code.
 *
 * Left out, since they speak of a socket: the port and the secret.
 */
object WorkerEnvironment {

  /** What Spark calls the artifacts of functions that no client has sent. */
  val NoArtifacts = "default"

  /** What a runner contributes. */
  trait Source {
    def variables: Map[String, String]
    def bufferBytes: Int
    def authTimeout: Long
    def hidesTraceback: Boolean
    def simplifiesTraceback: Boolean
    def showsLocals: Boolean
    def artifacts: String
    def faultFolder: Option[String]
    def tracebackSeconds: Long
    def killsOnFlushFailure: Boolean

    /** What not every Spark tells its workers. */
    def others: Map[String, String]
  }

  def of(source: Source, context: TaskContext): Map[String, String] = {
    val env = SparkEnv.get
    val conf = env.conf
    def when(condition: Boolean)(variable: (String, String)): Option[(String, String)] =
      if (condition) Some(variable) else None

    val ownThreads = conf.getOption("spark.executorEnv.OMP_NUM_THREADS").isEmpty
    val ahead = RunnerSettings.pipelineDepth(conf).map(_.toString)
    source.variables ++
      source.others ++
      ahead.map(_ => "SPARK_PIPELINED_UDF" -> "1") ++
      ahead.map("SPARK_PIPELINED_UDF_QUEUE_DEPTH" -> _) ++
      when(ownThreads)("OMP_NUM_THREADS" -> RunnerSettings.threads(context)) ++
      when(conf.get(PYTHON_WORKER_REUSE))("SPARK_REUSE_WORKER" -> "1") ++
      memory(context).map("PYSPARK_EXECUTOR_MEMORY_MB" -> _.toString) ++
      source.faultFolder.map("PYTHON_FAULTHANDLER_DIR" -> _) ++
      when(source.tracebackSeconds > 0)(
        "PYTHON_TRACEBACK_DUMP_INTERVAL_SECONDS" -> source.tracebackSeconds.toString) ++
      when(source.hidesTraceback)("SPARK_HIDE_TRACEBACK" -> "1") ++
      when(source.simplifiesTraceback)("SPARK_SIMPLIFIED_TRACEBACK" -> "1") ++
      when(source.showsLocals)("SPARK_TRACEBACK_WITH_LOCALS" -> "1") ++
      when(conf.get(PYTHON_USE_DAEMON) && source.killsOnFlushFailure)(
        "PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE" -> "1") ++
      Map(
        "SPARK_LOCAL_DIRS" -> env.blockManager.diskBlockManager.localDirs
          .map(_.getPath)
          .mkString(","),
        "SPARK_AUTH_SOCKET_TIMEOUT" -> source.authTimeout.toString,
        "SPARK_BUFFER_SIZE" -> source.bufferBytes.toString,
        "SPARK_JOB_ARTIFACT_UUID" -> source.artifacts,
        "PYTHONPATH" -> pythonPath(source.variables.get("PYTHONPATH")),
        "PYTHONUNBUFFERED" -> "YES")
  }

  /** The share of one task in `spark.executor.pyspark.memory`, in MiB, which a worker limits itself to. */
  private def memory(context: TaskContext): Option[Long] = {
    def property(name: String): Option[Int] = Option(context.getLocalProperty(name)).map(_.toInt)
    def cores: Int = property(ResourceProfile.EXECUTOR_CORES_LOCAL_PROPERTY)
      .getOrElse(SparkEnv.get.conf.get(EXECUTOR_CORES))
    Option(context.getLocalProperty(ResourceProfile.PYSPARK_MEMORY_LOCAL_PROPERTY)).map { all =>
      val tasks = RunnerSettings.tasksProperty.flatMap(property)
      all.toLong / tasks.getOrElse(math.max(1, cores / context.cpus()))
    }
  }

  /** Where a Python is. Spark starts workers in the folder of their artifacts, which may have brought it along. */
  def executable(python: String, artifacts: String): String =
    if (artifacts == NoArtifacts || !python.contains('/')) python
    else Paths.get(SparkFiles.getRootDirectory(), artifacts).resolve(python).toString

  /** As it crosses the border: entries joined by NUL. */
  def bytes(variables: Map[String, String]): Array[Byte] =
    variables.map { case (name, value) => s"$name=$value" }.mkString("\u0000").getBytes(UTF_8)

  /** The same for the executor as a whole, before any function has come. */
  def pythonPath(ofFunction: Option[String]): String = PythonUtils.mergePythonPaths(
    PythonUtils.sparkPythonPath,
    ofFunction.getOrElse(""),
    sys.env.getOrElse("PYTHONPATH", ""))
}
