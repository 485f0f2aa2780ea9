package dev.ember.session

import org.apache.spark.SparkException

import dev.ember.nativeapi.NativeException

/** What a task says whose worker process has gone: Spark's own error, and how it went. */
object WorkerDied {
  def apply(functions: Seq[String], how: NativeException): SparkException = {
    val named = if (functions.isEmpty) "" else functions.mkString("function ", ", ", " in ")
    new SparkException(s"Python worker exited unexpectedly (crashed): $named${how.getMessage}", how)
  }
}
