package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.Scope

class EmbeddedLaneSuite extends AnyFunSuite {
  private val key = LaneKey("/usr/bin/python3", Scope.Application, Set.empty, "1")

  private val mostAbandoned = 4

  private final class Starter(var result: Either[NotStarted, Native]) extends LaneStarter {
    var starts = 0

    override def start(
        key: LaneKey,
        environment: Map[String, String]): Either[NotStarted, Native] = {
      starts += 1
      result
    }
  }

  private def lane(): EmbeddedLane = new EmbeddedLane(new Starter(Right(new FakeNative)))

  private def enter(
      lane: EmbeddedLane,
      task: Long,
      key: LaneKey = key,
      places: Int = 1,
      environment: Map[String, String] = Map.empty) =
    lane.enter(key, environment, task, places, mostAbandoned)

  test("the interpreter is started once") {
    val starter = new Starter(Right(new FakeNative))
    val lane = new EmbeddedLane(starter)
    for (task <- 1 to 3) assert(enter(lane, task.toLong, places = 9).isRight)
    assert(starter.starts == 1)
  }

  test("a failed start is remembered, and holds no place") {
    val failed = FallbackReason.StartFailed("no")
    val starter = new Starter(Left(NotStarted(failed, forGood = true)))
    val lane = new EmbeddedLane(starter)
    assert(enter(lane, 1) == Left(failed))
    assert(enter(lane, 2) == Left(failed))
    assert(starter.starts == 1)
  }

  test("a Python that was not found, or did not answer in time, is asked again") {
    val failed = FallbackReason.NoPython("it did not answer within 60 s")
    val starter = new Starter(Left(NotStarted(failed, forGood = false)))
    val lane = new EmbeddedLane(starter)
    assert(enter(lane, 1) == Left(failed))
    starter.result = Right(new FakeNative)
    assert(enter(lane, 1).isRight)
    assert(starter.starts == 2)
  }

  test("a Python that cannot be embedded does not keep out another that can") {
    val failed = FallbackReason.NoPython("it is static")
    var asked = Seq.empty[String]
    val lane = new EmbeddedLane((key: LaneKey, _: Map[String, String]) => {
      asked :+= key.python
      Either.cond(key.python == "/opt/python", new FakeNative, NotStarted(failed, forGood = true))
    })
    val other = key.copy(python = "/opt/python")
    assert(enter(lane, 1) == Left(failed))
    assert(enter(lane, 2, other).isRight)
    assert(
      enter(lane, 3, key, places = 9) == Left(FallbackReason.OtherPython(other.python, key.python)))
    assert(asked == Seq(key.python, other.python))
  }

  test("tasks beyond the places find the lane busy until a place is left") {
    val full = lane()
    val first = enter(full, 1).toOption.get
    assert(enter(full, 2) == Left(FallbackReason.LaneBusy))
    first.leave()
    first.leave()
    assert(enter(full, 2).isRight)
    assert(enter(full, 3) == Left(FallbackReason.LaneBusy))
  }

  test("the sessions of a task share its place, and the last to leave gives it back") {
    val shared = lane()
    val sessions = Seq.fill(3)(enter(shared, 1).toOption.get)
    sessions.tail.foreach(_.leave())
    assert(enter(shared, 2) == Left(FallbackReason.LaneBusy))
    sessions.head.leave()
    assert(enter(shared, 2).isRight)
  }

  test("another Python, or another's function, than the lane was started with does not get in") {
    val pinned = lane()
    assert(enter(pinned, 1).isRight)
    val python = key.copy(python = "/opt/python")
    assert(enter(pinned, 1, python) == Left(FallbackReason.OtherPython(key.python, python.python)))
    val other = key.copy(scope = Scope.User("ann"))
    assert(
      enter(pinned, 1, other) == Left(FallbackReason.OtherScope("the application", "user ann")))
  }

  test("files may be added to those the lane knows, but not exchanged") {
    val growing = lane()
    for (files <- Seq(Set("a.py"), Set("a.py", "b.py"), Set("b.py"))) {
      assert(enter(growing, 1, key.copy(includes = files)).isRight)
    }
    val other = key.copy(includes = Set("a.py", "c.py"))
    assert(enter(growing, 1, other) == Left(FallbackReason.OtherIncludes))
  }

  test("another application has the interpreter while it is as new, with files of its own") {
    val native = new FakeNative
    val shared = new EmbeddedLane(new Starter(Right(native)))
    assert(enter(shared, 1, key.copy(includes = Set("a.py"))).isRight)
    val next = key.copy(includes = Set("b.py"), application = "2")
    for (_ <- 1 to 3) assert(enter(shared, 1, next).isRight)
    assert(native.calls.count(_ == "isAsNew") == 1)
  }

  test("another application does not get an interpreter in which modules were left") {
    val native = new FakeNative
    native.asNew = false
    val used = new EmbeddedLane(new Starter(Right(native)))
    val next = key.copy(application = "2")
    assert(enter(used, 1).isRight)
    for (_ <- 1 to 3)
      assert(enter(used, 2, next, places = 9) == Left(FallbackReason.OtherApplication))
    assert(native.calls.count(_ == "isAsNew") == 1)
    assert(enter(used, 1).isRight)
  }

  test(
    "another application does not get an interpreter whose libraries were loaded with other variables") {
    def variables(path: String, folder: String) =
      Map("PYTHONPATH" -> path, "SPARK_LOCAL_DIRS" -> folder, "SPARK_BUFFER_SIZE" -> folder)
    val lane = new EmbeddedLane(new Starter(Right(new FakeNative)))
    assert(enter(lane, 1, environment = variables("/a", "/x")).isRight)
    val next = key.copy(application = "2")
    assert(enter(lane, 1, next, environment = variables("/a", "/y")).isRight)
    val other = key.copy(application = "3")
    assert(
      enter(lane, 1, other, environment = variables("/b", "/x")) ==
        Left(FallbackReason.OtherApplication))
  }

  test("functions with other variables find no modules that were loaded without these") {
    val lane = new EmbeddedLane(new Starter(Right(new FakeNative)))
    def read(mode: String, query: String) =
      enter(lane, 1, environment = Map("MODE" -> mode, "SPARK_BUFFER_SIZE" -> query))
    assert(read("a", "1").isRight)
    assert(read("b", "1") == Left(FallbackReason.OtherEnvironment))
    assert(enter(lane, 1) == Left(FallbackReason.OtherEnvironment))
    assert(read("a", "2").isRight)
  }

  test(
    "what Spark itself sets for a stage or by where a function was made is nobody's to be loaded with") {
    val lane = new EmbeddedLane(new Starter(Right(new FakeNative)))
    val first = Map("PYTHONPATH" -> "/a:/b", "PYTHONHASHSEED" -> "0", "OMP_NUM_THREADS" -> "1")
    assert(enter(lane, 1, environment = first).isRight)
    val others = Seq(
      first + ("OMP_NUM_THREADS" -> "2"),
      first + ("PYTHON_WORKER_UNIFIED_EXECUTION_ENABLED" -> "YES"),
      Map("PYTHONPATH" -> "/a:/b:/a:/b"))
    for (environment <- others)
      assert(enter(lane, 1, environment = environment).isRight, environment)
    assert(
      enter(lane, 1, environment = first + ("PYTHONPATH" -> "/b:/c")) == Left(
        FallbackReason.OtherEnvironment))
  }

  test("a closed lane lets nobody in and keeps its first reason") {
    val closed = lane()
    closed.close(FallbackReason.LaneBroken("first"))
    closed.close(FallbackReason.LaneBroken("later"))
    assert(!closed.isOpen)
    assert(enter(closed, 1) == Left(FallbackReason.LaneBroken("first")))
  }

  test("abandoned lanes shut the gate when there are too many, and open it when they come back") {
    val native = new FakeNative
    val gate = new EmbeddedLane(new Starter(Right(native)))
    for (out <- 0 until mostAbandoned) {
      native.lanesOut = out
      assert(enter(gate, 1, places = 9).isRight, s"with $out out")
    }
    native.lanesOut = mostAbandoned
    assert(enter(gate, 2, places = 9) == Left(FallbackReason.LaneAbandoned))
    assert(gate.isOpen)
    native.lanesOut -= 1
    assert(enter(gate, 2, places = 9).isRight)
  }

  test("who stands up gives its seat to another, and leaving gives nothing back twice") {
    val gate = lane()
    val first = enter(gate, 1).toOption.get
    assert(enter(gate, 2) == Left(FallbackReason.LaneBusy))
    first.stand()
    assert(enter(gate, 2).isRight)
    first.leave()
    assert(enter(gate, 3) == Left(FallbackReason.LaneBusy))
  }

  test("who is refused for abandoned lanes holds no place") {
    val native = new FakeNative
    native.lanesOut = mostAbandoned
    val gate = new EmbeddedLane(new Starter(Right(native)))
    assert(enter(gate, 1) == Left(FallbackReason.LaneAbandoned))
    native.lanesOut = 0
    assert(enter(gate, 2).isRight)
  }
}
