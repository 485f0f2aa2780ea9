package dev.ember.contain

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.reason.FallbackReason
import dev.ember.session.{Effort, FakeNative, LentBatches, Place}
import dev.ember.status.Channel

class QuarantineSuite extends AnyFunSuite {
  private val run = FunctionRun("f", "name", 1, again = false)

  private class Executor extends DriverLink {
    var now = 0L
    var answer: Answer = Answer.Yes
    val heard = new ArrayBuffer[String]
    val quarantine = new Quarantine(() => now)
    quarantine.connect(this, None, new Growth(() => 0L, () => 0L, 1L))

    override def mayEmbed(run: FunctionRun, wish: Wish): Answer = {
      heard += "may"
      answer
    }
    override def produced(run: FunctionRun): Unit = heard += "produced"
    override def idle(functions: Iterable[String]): Unit = heard += s"idle ${functions.mkString}"
    override def shut(run: FunctionRun, why: String): Unit = heard += "shut"
    override def found(words: CrashJournal.LastWords): Unit = ()

    def here(run: FunctionRun = run): Either[FallbackReason, Place] =
      quarantine.here(run, Wish.Try)(Right(place()))

    def veto(run: FunctionRun = run): Option[FallbackReason] = here(run).swap.toOption
    def asked: Int = heard.count(_ == "may")
  }

  private def place(): Place = {
    val native = new FakeNative
    new Place(native, new LentBatches(native)) {
      override def apart: Boolean = false
      override def broke(reason: FallbackReason): Unit = ()
      override protected def giveBack(): Unit = ()
    }
  }

  test("without a driver everything may run") {
    assert(new Quarantine(() => 0L).here(run, Wish.OnlyProven)(Right(place())).isRight)
  }

  test("an answer holds for a second, and not for a task that has failed before") {
    val executor = new Executor
    for (_ <- 1 to 3) assert(executor.veto().isEmpty)
    assert(executor.asked == 1)
    executor.answer = Answer.Never("it died")
    assert(executor.veto(run.copy(again = true)).contains(FallbackReason.Quarantined("it died")))
    executor.now += 2000
    executor.answer = Answer.NotYet
    assert(executor.veto().contains(FallbackReason.Unproven))
    assert(executor.asked == 3)
  }

  test("a driver that does not answer keeps a function out of the executor") {
    val executor = new Executor {
      override def mayEmbed(run: FunctionRun, wish: Wish): Answer =
        throw new IllegalStateException("gone")
    }
    assert(executor.veto().contains(FallbackReason.Unproven))
  }

  test("the first batch is told once for each function") {
    val executor = new Executor
    executor.here().foreach(_.produced())
    executor.quarantine.apart(place(), run, None).produced()
    assert(executor.heard.count(_ == "produced") == 1)
  }

  test(
    "a driver that was asked anew hears of the next batch, since it may have forgotten the function") {
    val executor = new Executor
    executor.quarantine.apart(place(), run, None).produced()
    executor.answer = Answer.NotYet
    for (_ <- 1 to 3) {
      executor.now += 2000
      assert(executor.veto().contains(FallbackReason.Unproven))
      executor.quarantine.apart(place(), run, Some(FallbackReason.Unproven)).produced()
    }
    assert(executor.heard.toSeq == "produced" +: Seq.fill(3)(Seq("may", "produced")).flatten)
  }

  test("with a cautious driver a function that was lifted is embedded once it has made a batch") {
    val book = new QuarantineBook(_ => true, _ => ())
    val link = DriverLink.to(new Channel("1", DriverLink.receive(book, _)))
    var now = 0L
    val quarantine = new Quarantine(() => now)
    quarantine.connect(link, None, new Growth(() => 0L, () => 0L, 1L))
    def mayEmbed(): Boolean = {
      now += 2000
      quarantine.here(run, Wish.OnlyProven)(Right(place())).isRight
    }
    def makesBatchApart(): Unit = quarantine.apart(place(), run, None).produced()

    assert(!mayEmbed())
    makesBatchApart()
    assert(mayEmbed())
    link.shut(run, "it did not stop")
    assert(!mayEmbed())
    book.lift(run.name): Unit
    assert(!mayEmbed())
    makesBatchApart()
    assert(mayEmbed())
  }

  test("what the driver of one application said does not hold for the next") {
    val (first, second) = (new Executor, new Executor)
    first.answer = Answer.Never("it died")
    assert(first.veto().nonEmpty)
    first.quarantine.connect(second, None, new Growth(() => 0L, () => 0L, 1L))
    assert(first.veto().isEmpty)
    first.here().foreach(_.produced())
    assert(second.heard.toSeq == Seq("may", "produced"))
  }

  test("a function that runs on without its task is told of") {
    val executor = new Executor
    executor.here().foreach { held =>
      held.runsOnWithoutTask()
      held.leave()
    }
    assert(executor.heard.contains("shut"))
  }

  test("a function whose threads run on is told of, and one that leaves nothing is not") {
    val executor = new Executor
    executor.here().foreach { held =>
      held.used(Effort.none)
      assert(!executor.heard.contains("shut"))
      held.used(Effort.none.copy(leftThreads = true))
      held.leave()
    }
    assert(executor.heard.count(_ == "shut") == 1)
  }
}
