package org.apache.spark.udf.worker.ember

import org.apache.spark.udf.worker.core.{WorkerHandle, WorkerLogger, WorkerSession}
import org.apache.spark.udf.worker.core.WorkerSession.SessionState

/** A session of Spark's whose steps can be taken from outside this package, to which Spark keeps their names. */
abstract class SteppedSession(handle: WorkerHandle, logger: WorkerLogger)
    extends WorkerSession(handle, logger) {

  /** The input has ended; false if that was said before, or the session is over. */
  protected final def enterFinishing(): Boolean =
    compareAndSetState(SessionState.Streaming, SessionState.Finishing)

  /** The engine wants no more; false if the session is over. */
  protected final def enterCancelling(): Boolean = {
    val now = currentState
    !now.isTerminal && (compareAndSetState(now, SessionState.Cancelling) || enterCancelling())
  }
}
