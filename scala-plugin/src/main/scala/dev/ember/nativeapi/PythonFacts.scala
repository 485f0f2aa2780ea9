package dev.ember.nativeapi

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.Path
import java.util.concurrent.{FutureTask, TimeoutException, TimeUnit}

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/**
 * What a Python says about itself.
 *
 * @param libpython
 *   its shared library, or why it cannot be embedded; worker processes need none
 */
final case class PythonFacts(
    executable: String,
    version: String,
    fullVersion: String,
    libpython: Either[String, String])

object PythonFacts {
  private val json = new ObjectMapper

  /** Runs `executable script`, once. Gives why this Python is of no use if it is not, or does not answer. */
  def probe(
      executable: String,
      script: Path,
      environment: Map[String, String],
      timeoutSeconds: Int): Either[String, PythonFacts] =
    try {
      val builder = new ProcessBuilder(executable, script.toString).redirectErrorStream(true)
      builder.environment.putAll(environment.asJava)
      val process = builder.start()
      process.getOutputStream.close()
      answer(process, timeoutSeconds.toLong) match {
        case Some(text) => parse(executable, text, process.exitValue)
        case None =>
          process.destroyForcibly()
          Left(s"$executable did not answer within $timeoutSeconds s")
      }
    } catch { case NonFatal(error) => Left(s"$executable: ${error.getMessage}") }

  /** All that it writes, read while it runs: a pipe holds 64 KiB, and a site module may print more. */
  private def answer(process: Process, seconds: Long): Option[String] = {
    val reading =
      new FutureTask(() => new String(process.getInputStream.readAllBytes(), UTF_8))
    val thread = new Thread(reading, "ember-python-facts")
    thread.setDaemon(true)
    thread.start()
    try {
      val text = reading.get(seconds, TimeUnit.SECONDS)
      if (process.waitFor(seconds, TimeUnit.SECONDS)) Some(text) else None
    } catch { case _: TimeoutException => None }
  }

  /** The answer is the last line; a site module may have printed before it. */
  private[nativeapi] def parse(
      executable: String,
      text: String,
      exit: Int): Either[String, PythonFacts] = {
    val lines = text.linesIterator.map(_.trim).filter(_.nonEmpty).toList
    lines.lastOption.filter(line => exit == 0 && line.startsWith("{")) match {
      case None => Left(s"$executable ended with $exit: ${lines.lastOption.getOrElse("no output")}")
      case Some(line) => read(executable, json.readTree(line))
    }
  }

  private def read(executable: String, answer: JsonNode): Either[String, PythonFacts] = {
    def text(name: String): Option[String] =
      Option(answer.get(name)).filter(_.isTextual).map(_.asText)

    text("workers_problem").toLeft(()).flatMap { _ =>
      text("version").toRight(s"$executable does not tell its version").map { version =>
        PythonFacts(
          text("executable").getOrElse(executable),
          version,
          text("fullVersion").getOrElse(version),
          text("libpython").toRight(
            text("problem").getOrElse(s"$executable has no shared libpython")))
      }
    }
  }
}
