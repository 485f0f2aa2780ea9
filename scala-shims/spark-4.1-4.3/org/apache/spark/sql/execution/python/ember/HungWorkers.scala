package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.{BasePythonRunner, PythonWorkerException}

/** What Spark does with a worker that is long silent. */
trait HungWorkers[IN, OUT] extends BasePythonRunner[IN, OUT] {

  /** Whether it ends it. */
  protected final def killsSilent: Boolean = killOnIdleTimeout

  /** How often it has it tell where it is; never if zero. */
  protected final def tracebackSeconds: Long = tracebackDumpIntervalSeconds

  /** Whether one that cannot write its last words is ended. */
  protected final def killsUnflushed: Boolean = killWorkerOnFlushFailure
}

private[ember] object HungWorkers {

  /** What ends the task of a worker that was ended. */
  def ended(words: String): Throwable = new PythonWorkerException(words)
}
