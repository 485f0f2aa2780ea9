package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

class LaneBooksSuite extends AnyFunSuite {
  private val (f, g) = (Fingerprint("f"), Fingerprint("g"))

  private final class Books(most: Int = 10) {
    val books = new LaneBooks(most)

    def end(visit: LaneBooks#Visit, cpu: Long): Unit = {
      visit.used(Effort(10, 900, cpu, 0, 100, 0))
      visit.leave()
    }
  }

  test("figures are kept by the company that a session had") {
    val kept = new Books
    import kept.{books, end}
    end(books.enter(1, f, apart = false), cpu = 100)
    val (first, second) = (books.enter(1, f, apart = false), books.enter(2, f, apart = false))
    end(second, cpu = 200)
    end(first, cpu = 300)
    end(books.enter(1, f, apart = true), cpu = 400)
    val figures = books.figures(f)
    assert(figures.alone.sessions == 1 && figures.beside.sessions == 2)
    assert(figures.apart.cpuPerRow == 40.0)
    assert(figures.busy == 3600)
    assert(books.figures(g) == Figures.none)
  }

  test("who chooses sees the sessions that are open, until they leave") {
    val kept = new Books
    val first = kept.books.choose(1, f, places = 1)
    assert(first.choice.contains(Choice.LaneFree))
    val second = kept.books.choose(2, f, places = 1)
    assert(second.choice.contains(Choice.PlacesTaken) && second.isApart)
    kept.end(first, cpu = 100)
    assert(kept.books.choose(2, f, places = 1).choice.contains(Choice.LaneFree))
  }

  test("sessions apart take no part of the lock") {
    val kept = new Books
    kept.books.enter(1, g, apart = true): Unit
    assert(kept.books.choose(2, f, places = 1).choice.contains(Choice.LaneFree))
  }

  test("a function that goes to the other lane in the same circumstances has moved") {
    val kept = new Books
    for (_ <- 1 to 2) { // a stage that uses both lanes is no move, however often it runs
      val visits = (1L to 4L).map(kept.books.choose(_, f, places = 1))
      assert(visits.map(_.isApart) == Seq(false, true, true, true))
      assert(!visits.exists(_.hasMoved))
      visits.foreach(_.leave())
    }
    assert(kept.books.enter(1, f, apart = true).hasMoved)
    assert(!kept.books.enter(1, g, apart = true).hasMoved)
  }

  test("what a session took to open in a worker is the price of the next one") {
    val kept = new Books
    for (_ <- 1 to 25) kept.end(kept.books.enter(1, f, apart = false), cpu = 890)
    val inside = kept.books.enter(1, g, apart = false)
    inside.opened(0)
    inside.leave()
    def choice = {
      val visit = kept.books.choose(1, f, places = 1)
      visit.leave()
      visit.choice.get
    }
    assert(choice == Choice.LaneFree)
    kept.books.enter(1, g, apart = true).opened(0)
    assert(choice == Choice.TriesApart)
  }

  private val waits = Effort(10, 500000000L, 250000000L, 250000000L, 0, 0)

  test(
    "a session that has lost more than another one costs to open goes on there, and makes room") {
    val kept = new Books
    import kept.books
    val (first, second) = (books.enter(1, f, apart = false), books.enter(2, f, apart = false))
    assert(first.onward(waits, mayStay = true).isEmpty) // a second for the first worker
    books.enter(9, g, apart = true).opened(1000000)
    val next = first.onward(waits, mayStay = true).get
    assert(next.isApart && next.choice.contains(Choice.MovesApart))
    assert(first.company == Company.Beside && next.company == Company.Apart)
    assert(second.onward(waits, mayStay = true).isEmpty) // nobody is beside it any more
    first.stay()
    assert(second.onward(waits, mayStay = true).nonEmpty)
  }

  test("what may not stay goes on elsewhere, whatever it has lost") {
    val kept = new Books
    val alone = kept.books.enter(1, f, apart = false)
    assert(alone.onward(Effort.none, mayStay = true).isEmpty)
    assert(alone.onward(Effort.none, mayStay = false).exists(_.isApart))
    assert(kept.books.choose(2, g, places = 1).choice.contains(Choice.LaneFree))
  }

  test("a session apart comes in if its rows cost less there and nobody is in the executor") {
    val kept = new Books
    import kept.books
    for (_ <- 1 to 3) {
      val inside = books.enter(1, f, apart = false)
      inside.opened(1000)
      kept.end(inside, cpu = 100)
    }
    kept.end(books.enter(1, f, apart = true), cpu = 9000)
    val apart = books.enter(2, f, apart = true)
    val dear = Effort(1000, 900000, 900000, 0, 0, 0)
    val other = books.enter(3, g, apart = false)
    assert(apart.onward(dear, mayStay = true).isEmpty)
    other.leave()
    val next = apart.onward(dear, mayStay = true).get
    assert(!next.isApart && next.choice.contains(Choice.MovesInside))
  }

  test("a lane that could not be had is turned from, and the session counts for the other one") {
    val kept = new Books
    val visit = kept.books.choose(1, f, places = 1).turn()
    assert(visit.isApart && visit.choice.contains(Choice.LaneFree))
    assert(kept.books.choose(2, g, places = 1).choice.contains(Choice.LaneFree))
    kept.end(visit, cpu = 10)
    assert(kept.books.figures(f).apart.sessions == 1)
  }

  test("a try is counted when it is made") {
    val kept = new Books
    for (_ <- 1 to 200) kept.end(kept.books.enter(1, f, apart = false), cpu = 890)
    val first = kept.books.choose(1, f, places = 1)
    val beside = Seq(2L, 3L).map(kept.books.choose(_, f, places = 1).choice.get)
    assert(first.choice.contains(Choice.LaneFree))
    assert(beside.head == Choice.TriesSharing)
    assert(kept.books.figures(f).timesTried(Choice.TriesSharing) >= 1)
  }

  test("the function that was asked for longest ago is forgotten") {
    val kept = new Books(most = 2)
    for (function <- Seq(f, g, f, Fingerprint("h"))) {
      kept.end(kept.books.enter(1, function, apart = false), cpu = 1)
    }
    assert(kept.books.figures(f).alone.sessions == 2)
    assert(kept.books.figures(g) == Figures.none)
  }
}
