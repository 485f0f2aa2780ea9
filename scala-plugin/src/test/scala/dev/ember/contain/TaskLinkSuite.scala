package dev.ember.contain

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.status.Channel

final class TaskLinkSuite extends AnyFunSuite {
  private var killed = Seq.empty[(Long, String)]

  private def kill(attempt: Long, why: String): Boolean = {
    killed :+= attempt -> why
    attempt == 7
  }

  test("an attempt is killed by its number, with what is said of it") {
    val link = TaskLink.to(new Channel("1", message => TaskLink.receive(kill, message).orNull))
    assert(link.kill(7, "it has to run elsewhere"))
    assert(!link.kill(8, "one that ended"))
    assert(killed == Seq(7L -> "it has to run elsewhere", 8L -> "one that ended"))
  }

  test("a driver that knows no such message kills nothing") {
    assert(!TaskLink.to(new Channel("1", _ => null)).kill(7, "why"))
  }

  test("messages of others are left to them") {
    val before = killed
    for (message <- Seq(Array("idle", "1"), Array("kill-attempt"), "kill-attempt"))
      assert(TaskLink.receive(kill, message).isEmpty)
    assert(killed == before)
  }
}
