package dev.ember.session.contract

import scala.collection.mutable.ArrayBuffer

/** Who is to fail, and where. */
final case class Faults(
    init: Boolean = false,
    process: Boolean = false,
    after: Option[Int] = None,
    cancel: Boolean = false,
    close: Boolean = false)

/**
 * A session whose worker counts to `results`. It notes what is asked of it, and calls `amid` in the middle of
 * everything, where another thread could do something.
 */
final class FakeSession(results: Int, faults: Faults = Faults(), amid: String => Unit = _ => ())
    extends Session[Unit, Int] {
  private val asked = new ArrayBuffer[String]

  def calls: Seq[String] = asked.synchronized(asked.toSeq)

  /** What a subclass does that finds out by itself how it ends. */
  def ends(end: Outcome): Boolean = settle(end)

  override protected def doInit(function: WorkerFunction): Unit = step("init", faults.init)

  override protected def doProcess(input: Unit): Iterator[Int] = {
    step("process", faults.process)
    Iterator.range(0, results).map { number =>
      step(s"result $number", faults.after.contains(number))
      number
    }
  }

  override protected def doCancel(): Unit = step("cancel", faults.cancel)
  override protected def doClose(end: Outcome): Unit = step("close", faults.close)

  override protected def blame(error: Throwable): Outcome = Outcome.FunctionFailed(error)

  private def step(name: String, fails: Boolean): Unit = {
    asked.synchronized(asked += name): Unit
    amid(name)
    if (fails) throw new FakeSession.Fault(name)
  }
}

object FakeSession {
  final class Fault(val at: String) extends RuntimeException(s"at $at")

  val function: WorkerFunction =
    WorkerFunction("f", 200, "bytes", Array.emptyByteArray, Array.emptyByteArray)
}
