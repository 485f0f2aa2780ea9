package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.config.{EmberConf, Lane}
import dev.ember.contain.{FunctionRun, Quarantine}
import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.{Scope, WorkerSpec}
import dev.ember.status.FunctionLedger

class LaneOfSessionSuite extends AnyFunSuite {
  private val key = LaneKey("/usr/bin/python3", Scope.Application, Set("a.py"), "1")
  private val plain = SessionFacts(
    waitsForBroadcasts = false,
    profiler = false,
    profilesInput = false,
    workerLogging = false,
    faultHandler = false,
    memoryLimit = false,
    customWorker = false,
    idleTimeoutKills = false,
    otherHashSeed = false,
    isolated = false)

  private final class Workers(refusal: Option[FallbackReason]) extends WorkerStarter {
    private val native = new FakeNative
    var described: Seq[(LaneKey, Map[String, String])] = Nil

    override val lent: LentBatches = new LentBatches(native)
    override def processes: Int = 0
    override def end(): Unit = ()

    override def workers(
        key: LaneKey,
        environment: Map[String, String]): Either[FallbackReason, Native] = {
      described :+= ((key, environment))
      refusal.toLeft(native)
    }
  }

  private object starter extends LaneStarter {
    override def start(key: LaneKey, environment: Map[String, String]): Either[NotStarted, Native] =
      Right(new FakeNative)
  }

  private final class Lanes(refusal: Option[FallbackReason] = None) {
    val workers = new Workers(refusal)
    val books = new LaneBooks(mostFunctions = 9)
    val ledger = new FunctionLedger(mostFunctions = 9)
    private val lanes = new LaneOfSession(
      new EmbeddedLane(starter),
      new ProcessLane(workers, () => 0L),
      books,
      new Quarantine(() => 0L),
      ledger)

    def enter(
        lane: Lane,
        task: Long = 1L,
        facts: SessionFacts = plain,
        environment: Map[String, String] = Map.empty,
        scope: Scope = key.scope): Either[FallbackReason, Place] =
      lanes.enter(
        EmberConf.read(_ => None).copy(lane = lane),
        facts,
        WorkerSpec(key.python, scope, key.includes, environment, key.application),
        FunctionRun("f", "name", task, again = false))
  }

  test("a named lane is the one that a session gets") {
    val lanes = new Lanes
    assert(lanes.enter(Lane.Process).exists(_.apart))
    assert(lanes.enter(Lane.Embedded).exists(!_.apart))
    assert(lanes.enter(Lane.Spark) == Left(FallbackReason.LaneIsSpark))
  }

  test("auto embeds while there is a place, and then takes workers") {
    val lanes = new Lanes
    val first = lanes.enter(Lane.Auto, task = 1)
    assert(first.exists(!_.apart))
    assert(lanes.enter(Lane.Auto, task = 2).exists(_.apart))
    assert(lanes.enter(Lane.Auto, task = 1).exists(!_.apart))
    assert(lanes.enter(Lane.Embedded, task = 2) == Left(FallbackReason.LaneBusy))
  }

  test("auto takes workers for what needs a process of its own") {
    val limited = plain.copy(memoryLimit = true)
    assert(new Lanes().enter(Lane.Auto, facts = limited).exists(_.apart))
    assert(new Lanes().enter(Lane.Embedded, facts = limited) == Left(FallbackReason.MemoryLimit))
  }

  test("a session of a client's gets workers, and Spark's runner where its lane was named") {
    val session = Scope.Session("s", None)
    assert(new Lanes().enter(Lane.Auto, scope = session).exists(_.apart))
    val named = new Lanes().enter(Lane.Embedded, scope = session)
    assert(named == Left(FallbackReason.NotTrusted))
  }

  test("without workers, auto says why the executor itself did not do") {
    val lanes = new Lanes(Some(FallbackReason.NoWorkers("no")))
    assert(lanes.enter(Lane.Auto, task = 1).isRight)
    assert(lanes.enter(Lane.Auto, task = 2) == Left(FallbackReason.LaneBusy))
    assert(lanes.enter(Lane.Process) == Left(FallbackReason.NoWorkers("no")))
  }

  /** Notes sessions that make rows of `f` much cheaper in a worker process. */
  private def cheaperApart(books: LaneBooks): Unit =
    for {
      (apart, nanos) <- Seq(false -> 1000L, true -> 100L)
      _ <- 1 to 3
    } {
      val visit = books.enter(9L, Fingerprint("f"), apart)
      visit.used(Effort(10000, nanos * 10000, nanos * 10000, 0, 0, 0))
      visit.leave()
    }

  test("auto takes the lane that the books tell, and says why") {
    val lanes = new Lanes
    val first = lanes.enter(Lane.Auto).toOption.get
    assert(!first.apart && first.choice.contains(Choice.LaneFree))
    first.leave()
    cheaperApart(lanes.books)
    val place = lanes.enter(Lane.Auto, task = 2).toOption.get
    assert(place.apart && place.choice.contains(Choice.CheaperApart))
    assert(lanes.enter(Lane.Process).exists(_.choice.isEmpty))
  }

  test("a lane that is only better is done without where it cannot be had") {
    val lanes = new Lanes(Some(FallbackReason.NoWorkers("no")))
    cheaperApart(lanes.books)
    val place = lanes.enter(Lane.Auto).toOption.get
    assert(!place.apart && place.choice.contains(Choice.CheaperApart))
  }

  private val waits = Effort(10, 9000000000L, 1000000000L, 0, 0, 0)

  test("a session that waits beside another gets a place on the other lane, once") {
    val lanes = new Lanes
    def beside = lanes.enter(Lane.Auto, task = 1).toOption.get
    val (_, second) = (beside, beside)
    assert(second.elsewhere(Effort.none).isEmpty)
    val next = second.elsewhere(waits).get
    assert(next.apart && next.choice.contains(Choice.MovesApart))
    assert(next.elsewhere(waits).isEmpty)
  }

  test("a session that can go nowhere stays, and so does one whose lane was named") {
    val lanes = new Lanes(Some(FallbackReason.NoWorkers("no")))
    val (_, second) = (lanes.enter(Lane.Auto), lanes.enter(Lane.Auto).toOption.get)
    assert(second.elsewhere(waits).isEmpty)
    assert(lanes.enter(Lane.Auto, task = 2) == Left(FallbackReason.LaneBusy))
    val embedded = new Lanes
    val named = Seq.fill(2)(embedded.enter(Lane.Embedded).toOption.get)
    assert(named.forall(_.elsewhere(waits).isEmpty))
  }

  test("a session that may not go on elsewhere takes nobody's place there") {
    val lanes = new Lanes
    lanes.enter(Lane.Embedded).toOption.get.leave()
    for (_ <- 1 to 3) {
      val visit = lanes.books.enter(9L, Fingerprint("f"), apart = false)
      visit.used(Effort(10000, 1000, 1000, 0, 0, 0))
      visit.opened(1)
      visit.leave()
    }
    val dear = Effort(10000, 1000000000L, 1000000000L, 0, 0, 0)
    val named = lanes.enter(Lane.Process).toOption.get
    assert(named.elsewhere(dear).isEmpty)
    named.leave()
    assert(lanes.enter(Lane.Auto, task = 2).exists(_.choice.contains(Choice.LaneFree)))
  }

  test("the books get what a session used, on a named lane too, and the place back") {
    val lanes = new Lanes
    for (lane <- Seq(Lane.Embedded, Lane.Process, Lane.Auto)) {
      val place = lanes.enter(lane).toOption.get
      place.used(Effort(10, 30, 20, 0, 0, 0))
      place.leave()
    }
    val figures = lanes.books.figures(Fingerprint("f"))
    assert((figures.alone.sessions, figures.apart.sessions) == ((2L, 1L)))
    assert(lanes.enter(Lane.Auto, task = 2).exists(_.choice.contains(Choice.LaneFree)))
  }

  test("workers are described once for sessions that differ in a query's variables only") {
    val lanes = new Lanes
    val lasting = "PYTHONPATH" -> "/a"
    for (batch <- Seq("100", "200")) {
      lanes.enter(Lane.Process, environment = Map(lasting, "PYTHON_UDF_BATCH_SIZE" -> batch))
    }
    assert(lanes.workers.described == Seq(key.copy(includes = Set.empty) -> Map(lasting)))
    lanes.enter(Lane.Process, environment = Map("PYTHONPATH" -> "/b"))
    assert(lanes.workers.described.size == 2)
  }
}
