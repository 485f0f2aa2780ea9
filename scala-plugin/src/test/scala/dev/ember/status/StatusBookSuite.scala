package dev.ember.status

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.contain.{QuarantineBook, Wish}
import dev.ember.session.Choice

class StatusBookSuite extends AnyFunSuite {

  /** An executor's channel to a driver that has this book. */
  private def channel(executor: String, book: StatusBook) = new Channel(
    executor,
    message => {
      assert(StatusLink.receive(book, message))
      null
    })

  private val facts =
    ExecutorFacts("host", Some("/python"), Some("3.11.7"), None, Some("no library"), 7L, 2, 3, 1)

  private val totals = FunctionTotals(
    "name",
    LaneTotals(2, 20, 200, 3, 5, 11),
    LaneTotals(1, 10, 400, 7, 9, 13),
    Map("LaneBusy" -> 3L, "MemoryLimit" -> 1L),
    Some("PlacesTaken"))

  test("what an executor tells is what the book holds, texts that are not there included") {
    val book = new StatusBook
    val link = StatusLink.to(channel("1", book))
    link.tell(facts)
    link.tell("f", totals)
    assert(book.living == Seq("1" -> facts))
    assert(book.totals == Seq("f" -> totals))
    link.tell("g", FunctionTotals("other"))
    assert(book.totals.last == "g" -> FunctionTotals("other"))
  }

  test("functions without end do not make the book endless") {
    val book = new StatusBook(mostFunctions = 2)
    val link = StatusLink.to(channel("1", book))
    for (function <- Seq("f", "g", "h")) link.tell(function, totals)
    assert(book.totals == Seq("g" -> totals, "h" -> totals))
    assert(book.takeChanges().map(_._1) == Seq("g", "h"))
    link.tell("f", totals)
    assert(book.totals.map(_._1) == Seq("h", "f"))
  }

  test("an executor's newer sums replace its older ones, and add to those of others") {
    val book = new StatusBook
    val (one, two) = (channel("1", book), channel("2", book))
    Seq(one, one, two).foreach(StatusLink.to(_).tell("f", totals))
    val (_, both) = book.totals.head
    assert(both.inExecutor == LaneTotals(4, 40, 400, 6, 10, 22))
    assert(both.onSpark == Map("LaneBusy" -> 6L, "MemoryLimit" -> 2L))
  }

  test("a lost executor is told of no more, and its functions still are") {
    val book = new StatusBook
    val link = StatusLink.to(channel("1", book))
    link.tell(facts)
    link.tell("f", totals)
    book.lost("1")
    assert(book.living.isEmpty)
    assert(book.totals == Seq("f" -> totals))
  }

  test("messages for others, and broken ones, change nothing") {
    val book = new StatusBook
    assert(!StatusLink.receive(book, Array("may", "1", "f", "name", "try")))
    assert(!StatusLink.receive(book, "word"))
    assert(StatusLink.receive(book, Array("status-function", "1", "f", "name", null, "many")))
    assert(StatusLink.receive(book, Array("status-executor", "1")))
    assert(book.living.isEmpty && book.totals.isEmpty)
  }

  test("the table of functions joins what ran with how it stands") {
    val quarantine = new QuarantineBook(_ => true, _ => ())
    val book = new StatusBook
    StatusLink.to(channel("1", book)).tell("f", totals)
    quarantine.mayEmbed("1", "f", "name", Wish.Try): Unit
    quarantine.shut("g", "bad", "it did harm")
    val rows = StatusTable.Functions.rows(DriverStatus(book, quarantine), Nil)
    val (f, g) = (rows.head, rows.last)
    assert(rows.size == 2)
    def of(row: org.apache.spark.sql.Row)(column: String) =
      row.get(StatusTable.Functions.schema.fieldIndex(column))
    assert(of(f)("rows") == 30L)
    assert(of(f)("sessions_on_spark") == 4L)
    assert(of(f)("ns_per_row_in_executor") == 10.0)
    assert(of(f)("ns_per_row_in_workers") == 40.0)
    assert(of(f)("lane_choice_because") == Choice.PlacesTaken.words)
    assert(of(f)("standing") == "on trial in executor 1")
    assert(of(g)("function") == "bad")
    assert(of(g)("quarantined_because") == "it did harm")
    assert(of(g)("ns_per_row_in_workers") == null)
  }

  test("reset lifts what was shut out, by name or fingerprint, and says what it was") {
    val quarantine = new QuarantineBook(_ => true, _ => ())
    val books = DriverStatus(new StatusBook, quarantine)
    Seq("f", "g").foreach(quarantine.shut(_, "bad", "it did harm"))
    quarantine.shut("h", "worse", "it did harm")
    assert(StatusTable.Reset.rows(books, Seq("nobody")).isEmpty)
    assert(StatusTable.Reset.rows(books, Seq("h")).map(_.getString(0)) == Seq("worse"))
    assert(StatusTable.Reset.rows(books, Seq("bad")).map(_.getString(1)).toSet == Set("f", "g"))
    assert(quarantine.entries.forall(!_.isShut))
  }
}
