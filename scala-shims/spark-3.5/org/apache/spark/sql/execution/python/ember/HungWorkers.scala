package org.apache.spark.sql.execution.python.ember

/** What Spark does with a worker that is long silent: 3.5 waits for it. */
trait HungWorkers {
  protected final def idleTimeoutSeconds: Long = 0
  protected final def killsSilent: Boolean = false
  protected final def tracebackSeconds: Long = 0
  protected final def killsUnflushed: Boolean = false
}

private[ember] object HungWorkers {

  /** What ends the task of a worker that was ended. */
  def ended(words: String): Throwable =
    new IllegalStateException(s"Spark 3.5 ends no worker for its silence: $words")
}
