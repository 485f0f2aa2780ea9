package dev.ember.session.contract

import scala.collection.mutable.ArrayBuffer

import FakeSession.{function, Fault}
import org.scalatest.funsuite.AnyFunSuite

class SessionSuite extends AnyFunSuite {
  private def opened(results: Int, faults: Faults = Faults()): FakeSession = {
    val session = new FakeSession(results, faults)
    session.init(function)
    session
  }

  test("a session that gives all its results has finished, and closed itself without a cancel") {
    val session = opened(2)
    assert(session.process(()).toSeq == Seq(0, 1))
    assert(session.outcome.contains(Outcome.Finished))
    assert(session.calls == Seq("init", "process", "result 0", "result 1", "close"))
  }

  test("a finished session says again that nothing is left") {
    val results = opened(0).process(())
    assert(!results.hasNext && !results.hasNext)
    intercept[NoSuchElementException](results.next())
  }

  test("a session that is left early is cancelled, and then closed") {
    val session = opened(2)
    assert(session.process(()).next() == 0)
    session.close()
    assert(session.outcome.contains(Outcome.Cancelled))
    assert(session.calls == Seq("init", "process", "result 0", "cancel", "close"))
  }

  test("an error is thrown as it is, again and again, and the session is cancelled and closed") {
    val session = opened(2, Faults(after = Some(1)))
    val results = session.process(())
    assert(results.next() == 0)
    val error = intercept[Fault](results.next())
    assert(intercept[Fault](results.hasNext) eq error)
    assert(session.outcome.contains(Outcome.FunctionFailed(error)))
    assert(session.calls.takeRight(3) == Seq("result 1", "cancel", "close"))
  }

  test("a session that does not open is closed, and was never told to stop") {
    val session = new FakeSession(1, Faults(init = true))
    val error = intercept[Fault](session.init(function))
    assert(session.outcome.contains(Outcome.FunctionFailed(error)))
    assert(session.calls == Seq("init", "close"))
  }

  test("a session whose worker takes no input is cancelled and closed") {
    val session = opened(1, Faults(process = true))
    intercept[Fault](session.process(()))
    assert(session.calls == Seq("init", "process", "cancel", "close"))
  }

  test("the iterator of a session that somebody cancelled throws, and does not end") {
    val session = opened(2)
    val results = session.process(())
    assert(results.next() == 0)
    session.cancel()
    assert(session.calls.last == "cancel")
    intercept[SessionCancelled](results.hasNext)
    assert(session.calls.takeRight(2) == Seq("cancel", "close"))
    intercept[SessionCancelled](results.hasNext)
  }

  test("a session that was cancelled before it opened does not open, and none that waits is fed") {
    val fresh = new FakeSession(1)
    fresh.cancel()
    intercept[SessionCancelled](fresh.init(function))
    assert(fresh.calls == Seq("close"))
    val open = opened(1)
    open.cancel()
    intercept[SessionCancelled](open.process(()))
    assert(open.calls == Seq("init", "cancel", "close"))
  }

  test("a cancel that comes while the session opens reaches the worker when it is open") {
    lazy val session: FakeSession =
      new FakeSession(1, amid = at => if (at == "init") session.cancel())
    intercept[SessionCancelled](session.init(function))
    assert(session.calls == Seq("init", "cancel", "close"))
  }

  test("the first outcome stays") {
    val session = opened(1)
    assert(session.ends(Outcome.InputFailed(new Fault("upstream"))))
    assert(!session.ends(Outcome.Finished))
    session.cancel()
    session.close()
    assert(session.outcome.exists(_.isInstanceOf[Outcome.InputFailed]))
    assert(session.calls == Seq("init", "cancel", "close"))
  }

  test("only a broken session leaves a worker that may not be used again") {
    val error = new Fault("anywhere")
    val ends = Seq(Outcome.Finished, Outcome.Cancelled) ++
      Seq(Outcome.InputFailed(_), Outcome.FunctionFailed(_), Outcome.Broken(_)).map(_(error))
    assert(ends.map(_.sound) == Seq(true, true, true, true, false))
  }

  test("closing and cancelling again do nothing, in any state") {
    val session = opened(1)
    assert(session.process(()).size == 1)
    val before = session.calls
    session.close()
    session.cancel()
    assert(session.calls == before)
    assert(session.outcome.contains(Outcome.Finished))
  }

  private val states: Seq[(String, () => FakeSession, Set[String])] = Seq(
    ("fresh", () => new FakeSession(1), Set("init")),
    ("open", () => opened(1), Set("process")),
    ("running", () => { val it = opened(1); it.process(()): Unit; it }, Set.empty),
    ("closed", () => { val it = opened(1); it.close(); it }, Set.empty))

  for ((name, make, allowed) <- states)
    test(
      s"a $name session allows ${if (allowed.isEmpty) "no call of the owner" else allowed.head}") {
      def refused(call: FakeSession => Unit): Boolean = {
        val session = make()
        val before = (session.calls, session.outcome)
        val threw =
          try {
            call(session)
            false
          } catch { case _: IllegalStateException => true }
        assert(!threw || (session.calls, session.outcome) == before, "a refused call did something")
        session.close()
        threw
      }
      assert(refused(_.init(function)) == !allowed("init"))
      assert(refused(_.process(()): Unit) == !allowed("process"))
    }

  test("listeners are called once each, in their order, when everything is given back") {
    val session = opened(1)
    val heard = new ArrayBuffer[(Int, Outcome)]
    for (number <- 1 to 3) session.whenClosed { end =>
      assert(session.calls.last == "close")
      heard += number -> end
    }
    assert(session.process(()).size == 1)
    session.close()
    session.whenClosed(end => heard += 4 -> end)
    assert(heard == (1 to 4).map(_ -> Outcome.Finished))
  }

  test("a listener that is added by a listener is called, too") {
    val session = opened(1)
    var heard = 0
    session.whenClosed(_ => session.whenClosed(_ => heard += 1))
    session.close()
    assert(heard == 1)
  }

  test("whatever throws on the way out, the rest is done, and the first error is told") {
    val session = opened(1, Faults(cancel = true, close = true))
    var heard = 0
    session.whenClosed(_ => throw new Fault("listener"))
    session.whenClosed(_ => heard += 1)
    val error = intercept[Fault](session.close())
    assert(error.at == "cancel")
    assert(error.getSuppressed.map(_.asInstanceOf[Fault].at).toSeq == Seq("close", "listener"))
    assert(heard == 1)
  }

  test("an error of the function is not hidden by one on the way out") {
    val session = opened(1, Faults(after = Some(0), close = true))
    val error = intercept[Fault](session.process(()).next())
    assert(error.at == "result 0")
    assert(error.getSuppressed.map(_.asInstanceOf[Fault].at).toSeq == Seq("close"))
  }

  test("a worker that is being told to stop is not left before it was") {
    val telling, closing = new java.util.concurrent.CountDownLatch(1)
    val order = new java.util.concurrent.ConcurrentLinkedQueue[String]
    val session = new FakeSession(
      1,
      amid = {
        case "cancel" =>
          telling.countDown()
          closing.await()
          Thread.sleep(20)
          order.add("told"): Unit
        case "close" => order.add("left"): Unit
        case _ => ()
      })
    session.init(function)
    val other = new Thread(() => session.cancel())
    other.start()
    telling.await()
    Thread.currentThread().interrupt() // as Spark does to a task that it kills
    closing.countDown()
    session.close()
    assert(Thread.interrupted())
    other.join()
    assert(order.toArray.toSeq == Seq("told", "left"))
  }
}
