package dev.ember.session

import java.io.IOException
import java.nio.file.{Files, Path}

import org.apache.spark.SparkException

import dev.ember.nativeapi.NativeException

/** What a task says whose worker process has gone: Spark's own error, and how it went. */
object WorkerDied {
  private val Process = "worker process (\\d+) ".r

  /** Spark 4 says so of its own workers; 3.5 has the first setting alone. */
  private val Advice =
    "Consider setting 'spark.python.worker.faulthandler.enabled', or in Spark 4 " +
      "'spark.sql.execution.pyspark.udf.faulthandler.enabled', to 'true' for the better Python traceback."

  /**
   * @param faultFolder
   *   where Python's fault handler writes, if it is on, into a file by the number of its process
   */
  def apply(
      functions: Seq[String],
      how: NativeException,
      faultFolder: Option[Path]): SparkException = {
    val named = if (functions.isEmpty) "" else functions.mkString("function ", ", ", " in ")
    val trace = faultFolder.fold(s". $Advice")(traceOf(how, _))
    val words = s"$named${how.getMessage}$trace"
    new SparkException(s"Python worker exited unexpectedly (crashed): $words", how)
  }

  private def traceOf(how: NativeException, folder: Path): String = {
    val trace = for {
      number <- Process.findFirstMatchIn(how.getMessage)
      text <- taken(folder.resolve(number.group(1)))
    } yield s"\n$text"
    trace.getOrElse("")
  }

  private def taken(file: Path): Option[String] =
    try {
      val text = Files.readString(file)
      Files.delete(file)
      Some(text)
    } catch { case _: IOException => None }
}
