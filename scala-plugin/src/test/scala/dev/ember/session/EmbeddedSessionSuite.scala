package dev.ember.session

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.nativeapi.{Native, NativeException}
import dev.ember.nativeapi.Native.{Ended, HasOutput, WantsInput}
import dev.ember.rows.{InputBatch, InputBatches}
import dev.ember.session.contract.Outcome

class EmbeddedSessionSuite extends AnyFunSuite {
  private final class Input(batches: Int) extends InputBatches {
    val closed = new ArrayBuffer[Int]
    private var taken = 0

    override def next(): Option[InputBatch] = Option.when(taken < batches) {
      taken += 1
      val number = taken
      InputBatch(Array(number.toLong, 0L), 1, 8, () => closed += number)
    }

    override def close(): Unit = ()
  }

  private final class Opened(
      native: Native,
      killed: => Boolean = false,
      tail: Array[Byte] => Unit = _ => (),
      leaves: InputBatches => Boolean = _ => false) {
    val lent = new LentBatches(native)
    val session: EmbeddedSession = new FakeTask(killed, tail).session(native, lent)

    def run(input: InputBatches): Iterator[Unit] =
      session.process(new Feed(new ArrowCrossing(native, 1L, lent), input, leaves))
  }

  test(
    "input is given when it is wanted, output taken when it is ready, and the tail read at the end") {
    val native = new FakeNative(WantsInput, HasOutput, WantsInput, WantsInput, HasOutput, Ended)
    native.tailBytes = Array[Byte](1, 2)
    var tail = Array.emptyByteArray
    val opened = new Opened(native, tail = tail = _)
    assert(opened.run(new Input(2)).size == 2)
    assert(
      native.calls == Seq("offer 1,0", "output", "offer 2,0", "endInput", "output", "close 50"))
    assert(tail.toSeq == Seq[Byte](1, 2))
    assert(opened.session.outcome.contains(Outcome.Finished))
  }

  test("a session that another one takes over from ends in order, and leaves the rest unread") {
    val native = new FakeNative(WantsInput, HasOutput, WantsInput, HasOutput, Ended)
    var asked = 0
    var read = false
    val opened =
      new Opened(native, tail = _ => read = true, leaves = { _ => asked += 1; asked == 2 })
    val input = new Input(9)
    assert(opened.run(input).size == 2)
    assert(native.calls == Seq("offer 1,0", "output", "endInput", "output", "close 50"))
    assert(opened.session.hasLeft && read)
    assert(opened.session.outcome.contains(Outcome.Finished))
    assert(input.next().map(_.layout.head).contains(2L))
  }

  test("closing frees the handle once and tells how it ended") {
    val native = new FakeNative(Ended)
    native.used = Effort(6, 5, 4, 3, 2, 1)
    val opened = new Opened(native)
    assert(opened.run(new Input(0)).isEmpty)
    opened.session.close()
    opened.session.close()
    assert(native.calls == Seq("close 50"))
    assert(opened.session.outcome.contains(Outcome.Finished))
    assert(
      opened.session.ending == EmbeddedSession
        .Ending(laneCameBack = true, native.used, waitedMs = 50))
  }

  test("a session closed before its end was cancelled, and an abandoned lane is told") {
    val native = new FakeNative(HasOutput)
    native.laneComesBack = false
    val opened = new Opened(native)
    assert(opened.run(new Input(0)).hasNext)
    opened.session.close()
    assert(native.calls.takeRight(2) == Seq("cancel", "close 50"))
    assert(opened.session.outcome.contains(Outcome.Cancelled))
    assert(
      opened.session.ending == EmbeddedSession
        .Ending(laneCameBack = false, Effort.none, waitedMs = 50))
  }

  test("lent batches are freed when their tokens come back, and not before") {
    val native = new FakeNative(WantsInput, WantsInput, Ended)
    val opened = new Opened(native)
    val input = new Input(2)
    assert(opened.run(input).isEmpty)
    assert(opened.lent.size == 2)
    assert(input.closed.isEmpty)
    native.free = Seq(native.offered(1))
    opened.lent.collect()
    assert(input.closed == Seq(2))
    assert(opened.lent.size == 1)
    native.free = Seq(native.offered(0), native.offered(0))
    opened.lent.collect()
    assert(input.closed == Seq(2, 1))
  }

  test("an error of the upstream is thrown as it is, after the function was told to stop") {
    val native = new FakeNative(WantsInput)
    val opened = new Opened(native)
    val failed = new java.io.IOException("disk")
    val input = new InputBatches {
      override def next(): Option[InputBatch] = throw failed
      override def close(): Unit = ()
    }
    assert(intercept[java.io.IOException](opened.run(input).hasNext) eq failed)
    assert(native.calls == Seq("cancel", "close 50"))
    assert(opened.session.outcome.contains(Outcome.InputFailed(failed)))
  }

  test("a task waits for its function no longer than a moment, but where it was killed") {
    def waited(task: FakeTask, end: (EmbeddedSession, Iterator[Unit]) => Unit): String = {
      val native = new FakeNative(WantsInput)
      val lent = new LentBatches(native)
      val session = task.session(native, lent, graceMs = 2000)
      val input = new InputBatches {
        override def next(): Option[InputBatch] = throw new java.io.IOException("disk")
        override def close(): Unit = ()
      }
      val feed = new Feed(new ArrowCrossing(native, 1L, lent), input, (_: InputBatches) => false)
      end(session, session.process(feed))
      native.calls.last
    }
    val upstream =
      waited(new FakeTask, (_, batches) => intercept[java.io.IOException](batches.hasNext): Unit)
    val unfinished = waited(new FakeTask, (session, _) => session.close())
    val killed = waited(new FakeTask(givesTime = true), (session, _) => session.close())
    val apart = waited(new FakeTask(isApart = true), (session, _) => session.close())
    assert(
      Seq(upstream, unfinished, killed, apart) ==
        Seq("close 300", "close 300", "close 2000", "close 2000"))
  }

  test("the watch does what is due, once") {
    val done = new java.util.concurrent.atomic.AtomicInteger
    val watch = new SessionWatch(periodMs = 5, idleMs = 5)
    val begun = System.nanoTime()
    watch.after(40)(() => done.incrementAndGet(): Unit)
    while (done.get == 0) Thread.sleep(5)
    assert(System.nanoTime() - begun >= 40L * 1000 * 1000)
    Thread.sleep(50)
    assert(done.get == 1)
  }

  test("an error in the tail is the function's, and the lane stays sound") {
    val error = new IllegalArgumentException("from Python")
    val opened = new Opened(new FakeNative(Ended), tail = _ => throw error)
    assert(intercept[IllegalArgumentException](opened.run(new Input(0)).hasNext) eq error)
    assert(opened.session.outcome.contains(Outcome.FunctionFailed(error)))
  }

  test("a malformed result is the function's fault, any other native failure is ours") {
    for ((code, ours) <- Seq(NativeException.MALFORMED -> false, NativeException.PANIC -> true)) {
      val native = new FakeNative
      native.laterThrow(new NativeException(code, "no"))
      val opened = new Opened(native)
      intercept[NativeException](opened.run(new Input(0)).hasNext)
      assert(opened.session.outcome.exists(_.isInstanceOf[Outcome.Broken]) == ours)
    }
  }

  test("a killed task ends with its kill and not with what the cancelled function left") {
    var killed = false
    val native = new FakeNative(HasOutput)
    val opened = new Opened(native, killed, tail = _ => fail("the tail of a killed task was read"))
    val batches = opened.run(new Input(0))
    batches.next()
    val watch = new SessionWatch(periodMs = 5, idleMs = 5)
    watch.watch(opened.session, () => killed)
    killed = true
    assert(intercept[IllegalStateException](batches.hasNext).getMessage == "killed")
  }

  test("the watch wakes a thread that waits for a function that does not end") {
    @volatile var killed = false
    val native = new FakeNative
    val opened = new Opened(native, killed)
    val watch = new SessionWatch(periodMs = 5, idleMs = 5)
    watch.watch(opened.session, () => killed)
    val killer = new Thread(() => {
      Thread.sleep(50)
      killed = true
    })
    killer.start()
    assert(
      intercept[IllegalStateException](opened.run(new Input(0)).hasNext).getMessage == "killed")
    killer.join()
  }

  test("cancel after the end, or after close, reaches no freed handle") {
    val native = new FakeNative(Ended)
    val opened = new Opened(native)
    assert(opened.run(new Input(0)).isEmpty)
    opened.session.cancel()
    opened.session.close()
    opened.session.cancel()
    assert(!native.calls.contains("cancel"))
  }

  test("a session runs once") {
    val opened = new Opened(new FakeNative(Ended))
    assert(opened.run(new Input(0)).isEmpty)
    intercept[IllegalStateException](opened.run(new Input(0)))
  }

  test("memory whose batch was refused is taken back at once") {
    val native = new FakeNative
    val lent = new LentBatches(native)
    var closed = false
    intercept[NativeException] {
      lent.lend(() => closed = true)(_ => throw new NativeException(NativeException.ARGUMENT, "no"))
    }
    assert(closed)
    assert(lent.size == 0)
  }
}
