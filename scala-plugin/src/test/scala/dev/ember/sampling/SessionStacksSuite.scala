package dev.ember.sampling

import java.nio.file.Files

import org.scalatest.funsuite.AnyFunSuite

class SessionStacksSuite extends AnyFunSuite {
  private val lines = Seq("7 10 20", "5\tf (a.py:1);g (b.py:2)", "2\tf (a.py:1)", "1\tf (a.py:1)")
  private val session =
    SampledSession(7, 10, 20, Map(Seq("f (a.py:1)", "g (b.py:2)") -> 5L, Seq("f (a.py:1)") -> 3L))

  test("a session's stacks are read as its worker writes them") {
    assert(SessionStacks.parse(lines).contains(session))
  }

  test("what no worker of ours wrote is left out") {
    assert(SessionStacks.parse(Nil).isEmpty)
    assert(SessionStacks.parse(Seq("7 10")).isEmpty)
    assert(SessionStacks.parse(Seq("seven 10 20 30")).isEmpty)
    assert(SessionStacks.parse("7 10 20" +: Seq("f", "x\tf")).exists(_.stacks.isEmpty))
  }

  test("only whole files are read, and the folder goes with all that is in it") {
    val folder = Files.createTempDirectory("ember-samples")
    Files.writeString(folder.resolve("1.stacks"), lines.mkString("\n"))
    Files.writeString(folder.resolve("2"), "7 10")
    assert(SessionStacks.take(folder) == Seq(session))
    assert(!Files.exists(folder))
    assert(!Files.exists(folder.resolveSibling(s"${folder.getFileName}-taken")))
  }
}
