package dev.ember.session

import dev.ember.session.contract.{Dispatcher, Outcome, Session, WorkerFunction}

/**
 * A session on Spark's own runner, which brings its function, its worker and its input itself, and hears of its task's end
 * by itself.
 */
final class StockSession[Out] extends Session[() => Iterator[Out], Out] {
  override protected def doInit(function: WorkerFunction): Unit = ()
  override protected def doProcess(compute: () => Iterator[Out]): Iterator[Out] = compute()
  override protected def doCancel(): Unit = ()
  override protected def doClose(end: Outcome): Unit = ()
  override protected def blame(error: Throwable): Outcome = Outcome.FunctionFailed(error)
}

/** Makes sessions on Spark's own runner. There is always one to be had. */
object StockDispatcher extends Dispatcher {
  def session[Out](): StockSession[Out] = counted(new StockSession[Out])
}
