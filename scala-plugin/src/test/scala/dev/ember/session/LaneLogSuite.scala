package dev.ember.session

import org.apache.logging.log4j.Level
import org.scalatest.funsuite.AnyFunSuite

class LaneLogSuite extends AnyFunSuite {
  private val f = Fingerprint("f")
  private val none = "alone: none; beside others: none; apart: none"
  private def said(level: Level)(act: LaneBooks => Unit): Seq[String] =
    Said.by(classOf[LaneBooks], level)(act(new LaneBooks(10)))

  test("a choice is a line at debug, with the figures that it rests on") {
    val lines = said(Level.DEBUG) { books =>
      for (_ <- 1 to 2) {
        val visit = books.choose(7, f, places = 1)
        visit.used(Effort(10, 990, 500, 10, 0, 0))
        visit.leave()
      }
    }
    assert(
      lines == Seq(
        s"Function f, task 7, beside 0: ${Choice.LaneFree}. $none",
        s"Function f, task 7, beside 0: ${Choice.LaneFree}. alone: 50.0 ns CPU and 49.0 ns blocked a row, " +
          "50% running, 1.0% waiting, 1 sessions; beside others: none; apart: none"))
  }

  test("a function that runs on the other lane the next time is a line") {
    val lines = said(Level.DEBUG) { books =>
      books.enter(7, f, apart = false).leave()
      books.enter(7, f, apart = true).leave()
    }
    assert(lines == Seq("Function f moves to workers"))
  }

  test("a session that goes on on the other lane is a line, with what it lost and the price") {
    val lines = said(Level.DEBUG) { books =>
      books.enter(8, Fingerprint("g"), apart = true).opened(3000000)
      val (one, _) = (books.enter(7, f, apart = false), books.enter(9, f, apart = false))
      one.onward(Effort(10, 500000000L, 250000000L, 250000000L, 0, 0), mayStay = true): Unit
    }
    val line =
      """Function f, task 7, goes on in workers: it lost ([\d.]+) ms, and to open there takes 3.0 ms""".r
    assert(
      lines.collect { case line(lost) => lost.toDouble }.forall(_ > 3.0) && lines.size == 1,
      lines)
  }

  test("nothing of it is said at the level that applications have") {
    val lines = said(Level.INFO) { books =>
      books.choose(7, f, places = 1).leave()
      books.enter(7, f, apart = true).leave()
    }
    assert(lines.isEmpty)
  }
}
