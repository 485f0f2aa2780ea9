package dev.ember.sampling

import org.scalatest.funsuite.AnyFunSuite

class JoinedStacksSuite extends AnyFunSuite {
  private val advance = "dev.ember.session.EmbeddedSession.advance"
  private val next = "dev.ember.nativeapi.NativeApi.next"
  private val task = SampledTask("3.0", 7)
  private val waiting: Stack = Seq("run", advance, next)
  private val scanning: Stack = Seq("run", advance, "scan")

  private def session(stacks: (Stack, Long)*): SampledSession =
    SampledSession(7, begun = 10, ended = 20, stacks.toMap)

  private def joined(java: Map[Stack, Long], sessions: SampledSession*): Map[Stack, Long] =
    JoinedStacks.of(Map(task -> java), sessions)

  test("Python's frames stand where the task takes batches, and are taken from its waiting") {
    val found = joined(Map(waiting -> 100L, scanning -> 30L), session(Seq("f (a.py:1)") -> 80L))
    assert(
      found == Map(
        ("stage 3.0" +: waiting) -> 20L,
        ("stage 3.0" +: scanning) -> 30L,
        Seq("stage 3.0", "run", advance, "f (a.py:1)") -> 80L))
  }

  test("a function that works while its task does something else takes nothing from that") {
    val found = joined(Map(scanning -> 30L), session(Seq("f (a.py:1)") -> 80L))
    assert(found.values.sum == 110L)
    assert(found("stage 3.0" +: scanning) == 30L)
  }

  test("waiting that Python explains in full is gone") {
    val found = joined(Map(waiting -> 50L), session(Seq("f (a.py:1)") -> 80L))
    assert(found == Map(Seq("stage 3.0", "run", advance, "f (a.py:1)") -> 80L))
  }

  test("a session whose task was never seen at it stands below the stage") {
    val found = joined(Map(Seq("run") -> 5L), session(Seq("f (a.py:1)") -> 8L))
    assert(found == Map(Seq("stage 3.0", "run") -> 5L, Seq("stage 3.0", "f (a.py:1)") -> 8L))
  }

  test("of functions over one another, the one that opened first stands deepest") {
    val inner: Stack = Seq("run", advance, "pull", advance, next)
    val upper = SampledSession(7, begun = 11, ended = 21, Map(Seq("upper (a.py:1)") -> 10L))
    val lower = SampledSession(7, begun = 10, ended = 20, Map(Seq("lower (a.py:1)") -> 40L))
    val found = joined(Map(waiting -> 10L, inner -> 50L), upper, lower)
    assert(
      found == Map(
        Seq("stage 3.0", "run", advance, "upper (a.py:1)") -> 10L,
        Seq("stage 3.0", "run", advance, "pull", advance, "lower (a.py:1)") -> 40L,
        ("stage 3.0" +: inner) -> 10L))
  }

  test("sessions after one another stand at the same depth") {
    val first = SampledSession(7, begun = 10, ended = 20, Map(Seq("f (a.py:1)") -> 10L))
    val second = SampledSession(7, begun = 20, ended = 30, Map(Seq("f (a.py:1)") -> 5L))
    val found = joined(Map(waiting -> 15L), first, second)
    assert(found == Map(Seq("stage 3.0", "run", advance, "f (a.py:1)") -> 15L))
  }

  test("tasks of a stage are one in the picture, those of another are not") {
    val stacks = Map[Stack, Long](Seq("run") -> 5L)
    val found = JoinedStacks.of(
      Map(
        SampledTask("3.0", 7) -> stacks,
        SampledTask("3.0", 8) -> stacks,
        SampledTask("4.0", 9) -> stacks),
      Nil)
    assert(found == Map(Seq("stage 3.0", "run") -> 10L, Seq("stage 4.0", "run") -> 5L))
  }
}
