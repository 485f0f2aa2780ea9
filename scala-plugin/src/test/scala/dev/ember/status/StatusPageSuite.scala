package dev.ember.status

import scala.xml.{Elem, Node}

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.contain.QuarantineBook

class StatusPageSuite extends AnyFunSuite {
  private def books(): DriverStatus =
    DriverStatus(new StatusBook, new QuarantineBook(_ => true, _ => ()))

  private def cells(page: Seq[Node], id: String): Seq[Seq[String]] =
    (<page>{page}</page> \\ "table")
      .filter(table => (table \ "@id").text == id)
      .flatMap(_ \\ "tr")
      .map(row => (row \ "_").map(_.text))

  test("before anything has run, the page says so") {
    val text = <page>{StatusPage.content(StatusSnapshot.of(books()))}</page>.text
    assert(text.contains("No executor has told of itself yet."))
    assert(text.contains("No Python function has run yet."))
  }

  test("a function has its lanes, rates, waits and reasons in a row as long as the heads") {
    val status = books()
    val totals = FunctionTotals(
      "f",
      LaneTotals(2, 3000, 1500000000L, 1000000L, 90000000000L, 250000000L),
      LaneTotals(1, 0, 0),
      Map("LaneBusy" -> 3L, "MemoryLimit" -> 4L),
      Some("LaneFree"))
    status.book.told("1", "x", totals)
    val rows = cells(StatusPage.content(StatusSnapshot.of(status)), "ember-functions")
    val (heads, row) = (rows.head, rows.last)
    val of = heads.zip(row).toMap
    assert(heads.size == row.size)
    assert(of("Rows") == "3,000")
    assert(of("Rows a second in executors") == "2,000")
    assert(of("Rows a second in workers") == "")
    assert(of("Time in Python") == "1.5 s")
    assert(of("Time in conversions") == "250.0 ms")
    assert(of("Waiting for Python's lock") == "1.0 ms")
    assert(of("Waiting for batches") == "1.5 min")
    assert(of("Lane chosen because") == "no other session uses the interpreter")
    assert(of("Why on Spark's runner") == "MemoryLimit: 4, LaneBusy: 3")
  }

  test("a function that was shut out is told of with what it did, though it never ran well") {
    val status = books()
    status.quarantine.shut("x", "f", "it did harm")
    val row = cells(StatusPage.content(StatusSnapshot.of(status)), "ember-functions").last
    assert(row.last == "quarantined: it did harm")
  }

  test("an executor has its Python, its memory and what is the matter") {
    val status = books()
    val facts =
      ExecutorFacts("host", Some("/python"), Some("3.11.7"), None, Some("no library"), 3L << 30, 2)
    status.book.told("1", facts)
    val row = cells(StatusPage.content(StatusSnapshot.of(status)), "ember-executors").last
    assert(row == Seq("1", "host", "3.11.7 at /python", "", "3.0 GiB", "2", "no library"))
  }

  test("what users call things cannot become markup") {
    val status = books()
    status.book.told("1", "x", FunctionTotals("<script>"))
    val page: Elem = <page>{StatusPage.content(StatusSnapshot.of(status))}</page>
    assert((page \\ "script").isEmpty)
    assert(page.toString.contains("&lt;script&gt;"))
  }
}
