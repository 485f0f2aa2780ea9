package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.BasePythonRunner

/** What Spark does with a worker that is long silent: 4.0 says so, and no more. */
trait HungWorkers[IN, OUT] extends BasePythonRunner[IN, OUT] {
  protected final def killsSilent: Boolean = false
  protected final def tracebackSeconds: Long = 0
  protected final def killsUnflushed: Boolean = false
}

private[ember] object HungWorkers {

  /** What ends the task of a worker that was ended. */
  def ended(words: String): Throwable =
    new IllegalStateException(s"Spark 4.0 ends no worker for its silence: $words")
}
