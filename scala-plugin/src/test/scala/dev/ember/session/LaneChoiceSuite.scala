package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.session.LaneChoice.{Asked, Neighbour}

class LaneChoiceSuite extends AnyFunSuite {
  private val function = Fingerprint("f")
  private val other = Fingerprint("g")
  private val second = 1000000000L

  /** What sessions of a second and 1000 rows used, as parts of that second. */
  private def sums(
      cpu: Double,
      lock: Double = 0.0,
      delay: Double = 0.0,
      idle: Double = 0.0,
      sessions: Int = 4): Sums =
    (1 to sessions).foldLeft(Sums.none) { (sums, _) =>
      val busy = second - part(lock) - part(idle)
      sums.and(Effort(1000, busy, part(cpu), part(lock), part(idle), part(delay)))
    }

  private def part(of: Double): Long = (of * second).toLong

  private def known(alone: Sums, apart: Sums = Sums.none, seconds: Double = 4.0): Figures =
    Figures(alone, Sums.none, apart, part(seconds), Map.empty)

  private def choose(
      figures: Figures,
      others: Seq[Neighbour] = Nil,
      places: Int = 1,
      worker: Double = LaneChoice.FirstWorker): Choice =
    LaneChoice.choose(Asked(task = 1, function, figures, worker), others, places)

  private def neighbour(held: Double, task: Long = 2, of: Fingerprint = other): Neighbour =
    Neighbour(task, of, held)

  private val heavy = known(alone = sums(cpu = 0.95))
  private val light = known(alone = sums(cpu = 0.2, idle = 0.8))
  private val sleeper = known(alone = sums(cpu = 0.01))

  test("with nobody else in the executor every function is embedded, known or not") {
    for (figures <- Seq(Figures.none, heavy, light, sleeper)) {
      assert(choose(figures) == Choice.LaneFree)
    }
  }

  test("beside others an unknown function runs apart") {
    assert(choose(Figures.none, Seq(neighbour(0.0))) == Choice.PlacesTaken)
  }

  test("functions that run little share the interpreter, as many as ask for it seldom enough") {
    assert(choose(light, Seq(neighbour(0.2))) == Choice.SharesLock)
    assert(choose(light, Seq(neighbour(0.2), neighbour(0.25, task = 3))) == Choice.SharesLock)
    assert(choose(light, Seq.fill(3)(neighbour(0.2))) == Choice.PlacesTaken)
    assert(choose(sleeper, Seq.fill(8)(neighbour(0.01))) == Choice.SharesLock)
  }

  test("a function that runs all the time is not put beside others, nor they beside it") {
    assert(choose(heavy, Seq(neighbour(0.01))) == Choice.PlacesTaken)
    assert(choose(sleeper, Seq(neighbour(0.95))) == Choice.PlacesTaken)
  }

  test("places are given to what is not known to wait: another task's, and the same task's") {
    assert(choose(Figures.none, Seq(neighbour(1.0)), places = 2) == Choice.WithinPlaces)
    assert(choose(heavy, Seq(neighbour(1.0)), places = 2) == Choice.WithinPlaces)
    assert(choose(Figures.none, Seq(neighbour(1.0, task = 1))) == Choice.WithinPlaces)
    assert(choose(heavy, Seq(neighbour(1.0, task = 1))) == Choice.PlacesTaken)
    val both = Seq(neighbour(1.0), neighbour(1.0, task = 3))
    assert(choose(heavy, both, places = 2) == Choice.PlacesTaken)
  }

  test("what was seen to wait for the lock runs apart, in spite of places, unless it is alone") {
    val waits = heavy.copy(beside = sums(cpu = 0.5, lock = 0.2, sessions = 1))
    assert(choose(waits, Seq(neighbour(0.01)), places = 9) == Choice.WaitsForLock)
    assert(choose(waits, Seq(neighbour(1.0, task = 1))) == Choice.WaitsForLock)
    assert(choose(waits) == Choice.LaneFree)
  }

  test("what waits even alone shares the lock with leftover threads, and runs apart for a while") {
    val waits = known(alone = sums(cpu = 0.5, lock = 0.2))
    assert(choose(waits) == Choice.WaitsForLock)
    assert(choose(waits.copy(busy = 20 * second)) == Choice.TriesEmbedded)
  }

  test("sessions next to nothing long are not moved for a moment's wait") {
    def waiting(nanos: Long): Figures = {
      val effort = Effort(0, 4 * nanos, 0, nanos, 0, 0)
      known((1 to 4).foldLeft(Sums.none)((sums, _) => sums.and(effort)), seconds = 0.01)
    }
    assert(choose(waiting(100000)) == Choice.LaneFree)
    assert(choose(waiting(2000000)) == Choice.WaitsForLock)
  }

  test(
    "turns that are taken within long batches show as waits that the function has nowhere else") {
    val slow = heavy.copy(beside = sums(cpu = 0.5, lock = 0.01))
    assert(choose(slow, Seq(neighbour(0.01))) == Choice.WaitsForLock)
    val sleepy = known(alone = sums(cpu = 0.5)).copy(beside = sums(cpu = 0.5, lock = 0.01))
    assert(choose(sleepy, Seq(neighbour(0.01))) == Choice.SharesLock)
    val unfounded = sleepy.copy(alone = Sums.none)
    assert(choose(unfounded, Seq(neighbour(0.01))) == Choice.WaitsForLock)
    assert(
      choose(unfounded.copy(apart = sums(cpu = 0.5)), Seq(neighbour(0.01))) == Choice.SharesLock)
  }

  test("a busy machine makes no function light, and no function wait for the lock") {
    val starved = known(alone = sums(cpu = 0.1, delay = 0.85))
    assert(choose(starved, Seq(neighbour(0.01))) == Choice.PlacesTaken)
    val together = starved.copy(beside = sums(cpu = 0.1, delay = 0.85, lock = 0.01))
    assert(choose(together, Seq(neighbour(0.01))) == Choice.SharesLock)
  }

  test("a function that was seen beside itself without waiting counts for less") {
    val proven = heavy.copy(beside = sums(cpu = 0.95, lock = 0.01))
    assert(LaneChoice.heldBy(proven) == LaneChoice.HeldByProven)
    assert(choose(proven, Seq.fill(2)(neighbour(0.2))) == Choice.SharesLock)
    assert(choose(proven, Seq.fill(3)(neighbour(0.2))) == Choice.PlacesTaken)
    val guilty = heavy.copy(beside = sums(cpu = 0.5, lock = 0.2))
    assert(LaneChoice.heldBy(guilty) == heavy.alone.running)
  }

  test("sharing is tried beside the same function, once a try is a twentieth of what it has run") {
    val own = Seq(neighbour(0.95, of = function))
    assert(choose(heavy, own) == Choice.PlacesTaken)
    val seen = heavy.copy(busy = 20 * second)
    assert(choose(seen, own) == Choice.TriesSharing)
    assert(choose(seen, Seq(neighbour(0.95))) == Choice.PlacesTaken)
    assert(choose(seen.tried(Choice.TriesSharing), own) == Choice.PlacesTaken)
  }

  test("after a try that showed waits the next one needs twice the time") {
    val own = Seq(neighbour(0.95, of = function))
    val waits = heavy.copy(beside = sums(cpu = 0.5, lock = 0.2)).tried(Choice.TriesSharing)
    assert(choose(waits.copy(busy = 39 * second), own) == Choice.WaitsForLock)
    assert(choose(waits.copy(busy = 40 * second), own) == Choice.TriesSharing)
  }

  test("rows that cost clearly less apart are sent there, whoever is in the executor") {
    val cheaper = known(alone = sums(cpu = 0.9), apart = sums(cpu = 0.7))
    assert(choose(cheaper) == Choice.CheaperApart)
    assert(choose(cheaper, Seq(neighbour(0.01))) == Choice.CheaperApart)
  }

  test("a small or little founded difference moves nothing") {
    assert(choose(known(alone = sums(cpu = 0.9), apart = sums(cpu = 0.8))) == Choice.LaneFree)
    val few = sums(cpu = 0.1, sessions = 2)
    assert(choose(known(alone = sums(cpu = 0.9), apart = few)) == Choice.LaneFree)
    val nothing = 1.0e-5 // 10 nanoseconds a row
    assert(
      choose(known(alone = sums(cpu = nothing), apart = sums(cpu = nothing / 2))) ==
        Choice.LaneFree)
  }

  test("what is cheaper apart comes back once in a while to see whether it still is") {
    val cheaper = known(alone = sums(cpu = 0.9), apart = sums(cpu = 0.7), seconds = 20.0)
    assert(choose(cheaper) == Choice.TriesEmbedded)
    assert(choose(cheaper, Seq(neighbour(0.01))) == Choice.CheaperApart)
    assert(choose(cheaper.tried(Choice.TriesEmbedded)) == Choice.CheaperApart)
  }

  test("a worker is tried where the price of its start does not count") {
    assert(choose(heavy.copy(busy = 39 * second)) == Choice.LaneFree)
    val long = heavy.copy(busy = 40 * second)
    assert(choose(long) == Choice.TriesApart)
    assert(choose(long.tried(Choice.TriesApart)) == Choice.LaneFree)
    assert(choose(heavy.copy(busy = 20 * second), worker = 1e7) == Choice.LaneFree)
    assert(choose(heavy.copy(busy = 21 * second), worker = 1e7) == Choice.TriesApart)
    val ran = long.copy(apart = sums(cpu = 0.95, sessions = 3))
    assert(choose(ran) == Choice.LaneFree)
  }

  test("sessions of a few rows are not moved for what they might save") {
    def sessions(rows: Long, cpu: Long): Sums =
      (1 to 4).foldLeft(Sums.none)((sums, _) => sums.and(Effort(rows, cpu, cpu, 0, 0, 0)))
    val short = known(sessions(10, 300000), sessions(10, 100000), seconds = 0.001)
    assert(choose(short) == Choice.LaneFree)
    val long = known(sessions(100, 3000000), sessions(100, 1000000), seconds = 0.001)
    assert(choose(long) == Choice.CheaperApart)
  }

  test("the first session of a function is forgotten for the second, later ones fade") {
    val first = Sums.none.and(Effort(10, 1000, 1000, 0, 0, 0))
    assert(first.cpuPerRow == 100.0)
    val later = first.and(Effort(10, 100, 100, 0, 900, 0))
    assert(later.cpuPerRow == 10.0)
    val last = later.and(Effort(10, 200, 200, 0, 800, 0))
    assert(last.cpuPerRow > 15.0 && last.cpuPerRow < 20.0)
    assert(last.sessions == 3)
  }

  /** A session that has run for a second and made 1000 rows. */
  private def ran(cpu: Double, lock: Double = 0.0, delay: Double = 0.0): Effort =
    Effort(1000, second - part(lock), part(cpu), part(lock), 0, part(delay))

  test(
    "beside others a session loses what it waits for the lock, at the ends of batches and within") {
    val beside = LaneChoice.lost(ran(cpu = 0.5, lock = 0.1), Company.Beside, heavy)
    assert(beside > 0.4 * second && beside < 0.6 * second)
    assert(LaneChoice.lost(ran(cpu = 0.955, lock = 0.04), Company.Beside, light) == 0.0)
    assert(LaneChoice.lost(ran(cpu = 0.1, delay = 0.89), Company.Beside, heavy) == 0.0)
    val sleeps = known(alone = sums(cpu = 0.5))
    assert(LaneChoice.lost(ran(cpu = 0.5), Company.Beside, sleeps) == 0.0)
    assert(LaneChoice.lost(ran(cpu = 0.5, lock = 0.4), Company.Alone, heavy) == 0.0)
  }

  test("on either lane a session loses what its rows are known to cost less on the other") {
    val cheaper = known(alone = sums(cpu = 0.9), apart = sums(cpu = 0.5))
    val lost = LaneChoice.lost(ran(cpu = 0.9), Company.Alone, cheaper)
    assert(lost > 0.35 * second && lost < 0.45 * second)
    assert(LaneChoice.lost(ran(cpu = 0.5), Company.Apart, cheaper) == 0.0)
    val dearer = known(alone = sums(cpu = 0.5), apart = sums(cpu = 0.9))
    assert(LaneChoice.lost(ran(cpu = 0.9), Company.Apart, dearer) == lost)
    val unfounded = known(alone = sums(cpu = 0.9), apart = sums(cpu = 0.1, sessions = 2))
    assert(LaneChoice.lost(ran(cpu = 0.9), Company.Alone, unfounded) == 0.0)
  }

  test("an open session whose first rows cost more than whole sessions did has lost nothing") {
    val alike = known(alone = sums(cpu = 0.5), apart = sums(cpu = 0.5))
    assert(LaneChoice.lost(ran(cpu = 0.9), Company.Alone, alike) == 0.0)
    assert(LaneChoice.lost(ran(cpu = 0.9), Company.Apart, alike) == 0.0)
    val never = alike.copy(alone = Sums.none)
    assert(LaneChoice.lost(ran(cpu = 0.9), Company.Alone, never) == 0.0)
  }

  test("every choice has a name of its own") {
    assert(Choice.all.map(_.name).distinct.size == Choice.all.size)
    assert(Choice.tries.subsetOf(Choice.all.toSet))
  }
}
