package dev.ember.session

import java.io.IOException
import java.nio.file.{Files, Path}

import org.apache.spark.SparkException

import dev.ember.nativeapi.NativeException

/** What a task says whose worker process has gone: Spark's own error, and how it went. */
object WorkerDied {
  private val Process = "worker process (\\d+) ".r

  /**
   * @param faultFolder
   *   where Python's fault handler writes, into a file by the number of its process
   */
  def apply(
      functions: Seq[String],
      how: NativeException,
      faultFolder: Option[Path]): SparkException = {
    val named = if (functions.isEmpty) "" else functions.mkString("function ", ", ", " in ")
    val trace = for {
      folder <- faultFolder
      number <- Process.findFirstMatchIn(how.getMessage)
      text <- taken(folder.resolve(number.group(1)))
    } yield s"\n$text"
    val words = s"$named${how.getMessage}${trace.getOrElse("")}"
    new SparkException(s"Python worker exited unexpectedly (crashed): $words", how)
  }

  private def taken(file: Path): Option[String] =
    try {
      val text = Files.readString(file)
      Files.delete(file)
      Some(text)
    } catch { case _: IOException => None }
}
