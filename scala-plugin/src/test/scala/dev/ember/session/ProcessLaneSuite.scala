package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.{ClientSession, Scope}

class ProcessLaneSuite extends AnyFunSuite {
  private val python = LaneKey("/usr/bin/python3", Scope.Application, Set.empty, "1")
  private val (ann, bob) = (ClientSession("ann", "1"), ClientSession("bob", "2"))

  /** A lane, and the workers of each scope as they were described. */
  private final class Stage {
    var now = 0L
    var ended = false
    var described = Seq.empty[(Scope, FakeNative)]

    private object starter extends WorkerStarter {
      override val lent: LentBatches = new LentBatches(new FakeNative)
      override def processes: Int = described.size
      override def end(): Unit = ended = true

      override def workers(
          key: LaneKey,
          environment: Map[String, String]): Either[FallbackReason, Native] = {
        val native = new FakeNative
        described :+= (key.scope -> native)
        Right(native)
      }
    }

    val lane = new ProcessLane(starter, () => now)

    def enter(scope: Scope, environment: Map[String, String] = Map.empty): Place =
      lane.enter(python.copy(scope = scope), environment).toOption.get

    /** Scopes whose workers were let go. */
    def gone: Seq[Scope] = described.collect {
      case (scope, native) if native.calls.contains("letGo") => scope
    }
  }

  private def session(client: ClientSession) =
    Scope.Session(s"artifacts of ${client.id}", Some(client))

  test("what is kept for a session goes when its client has ended it, and nothing else") {
    val stage = new Stage
    Seq(session(ann), session(bob), Scope.User("ann"), Scope.Application).foreach(stage.enter(_))
    stage.enter(session(ann), Map("PYTHONPATH" -> "/a")): Unit
    assert(stage.lane.sessions == Set(session(ann), session(bob)))
    stage.lane.ended(Set(ann))
    assert(stage.gone == Seq(session(ann), session(ann)))
    assert(stage.lane.sessions == Set(session(bob)))
  }

  test("a session of an ended client's gets workers all the same, and these go next") {
    val stage = new Stage
    for (_ <- 1 to 2) {
      stage.enter(session(ann)).leave()
      stage.lane.ended(Set(ann))
    }
    assert(stage.described.size == 2)
    assert(stage.gone == Seq(session(ann), session(ann)))
  }

  test("without word of its end, a session's workers go when they have had nothing to do") {
    val stage = new Stage
    val nameless = Scope.Session("a", None)
    val place = stage.enter(nameless)
    stage.enter(Scope.Application).leave()
    stage.now = 1000L
    stage.lane.unused(100L)
    assert(stage.gone.isEmpty, "one is open")
    place.leave()
    stage.now = 1099L
    stage.lane.unused(100L)
    assert(stage.gone.isEmpty, "not for long")
    stage.now = 1100L
    stage.lane.unused(100L)
    assert(stage.gone == Seq(nameless))
  }

  test("an application that ends leaves no workers, and what they are made from is not kept") {
    val stage = new Stage
    val scopes = Seq(session(ann), Scope.Application)
    scopes.foreach(stage.enter(_))
    stage.lane.end()
    assert(stage.gone == scopes)
    assert(stage.ended)
    stage.enter(Scope.Application): Unit
    assert(stage.described.size == 3)
  }

  test("sessions of one scope share workers, those of two never") {
    val stage = new Stage
    val places = Seq(session(ann), session(bob), session(ann)).map(stage.enter(_))
    assert(places(0).native eq places(2).native)
    assert(places(0).native ne places(1).native)
  }
}
