package dev.ember.status

import scala.collection.mutable

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.contain.QuarantineBook

class StatusLogSuite extends AnyFunSuite {
  private val books = DriverStatus(new StatusBook, new QuarantineBook(_ => true, _ => ()))
  private val events = mutable.Buffer.empty[StatusEvent]

  private def log(pauseMs: Long) = new StatusLog(books, events += _, pauseMs)

  private def shown: StatusSnapshot = StatusSnapshot.of(
    events.flatMap(_.told).map(words => StatusSnapshot.about(words) -> words).toMap.values)

  private val totals =
    FunctionTotals("f", LaneTotals(2, 20, 200, 3, 5), choice = Some("LaneFree"))

  test("what a log was told gives what the books have, the newest of each thing") {
    val told = log(pauseMs = 0)
    books.book.told("1", ExecutorFacts("host", residentBytes = 7L))
    Seq("1", "2").foreach(books.book.told(_, "x", totals.stayed("LaneBusy")))
    told.jobEnded()
    assert(shown == StatusSnapshot.of(books))
    books.book.told("1", ExecutorFacts("host", residentBytes = 9L, problem = Some("no library")))
    books.book.told("1", "x", totals.and(totals))
    books.quarantine.shut("y", "g", "it did harm")
    told.close()
    assert(shown == StatusSnapshot.of(books))
    assert(shown.functions.map(_.standing.map(_.standing)) == Seq(None, Some("quarantined")))
  }

  test("what has not changed is not told again") {
    events.clear()
    val told = log(pauseMs = 0)
    told.jobEnded()
    events.clear()
    told.jobEnded()
    assert(events.isEmpty)
    books.book.told("1", "x", totals)
    told.close()
    assert(events.flatMap(_.told).map(_.take(3)) == Seq(Seq("status-function", "all", "x")))
  }

  test("jobs that end one after the other are told of once, and all at the end") {
    events.clear()
    val told = log(pauseMs = 3600000)
    (1 to 3).foreach { at =>
      books.book.told("1", s"function$at", totals)
      told.jobEnded()
    }
    assert(events.size == 1)
    told.close()
    val functions = events.flatMap(_.told).map(_(2)).filter(_.startsWith("function"))
    assert(functions == Seq("function1", "function2", "function3"))
  }
}
