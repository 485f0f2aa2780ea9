package dev.ember.status

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.contain.FunctionRun
import dev.ember.reason.FallbackReason
import dev.ember.session.{Choice, Effort}

class FunctionLedgerSuite extends AnyFunSuite {
  private val run = FunctionRun("f", "name", 1L, again = false)
  private val effort = Effort(10L, 100L, 90L, 4L, 6L, 0L)

  test("sessions add up by lane, and the newest choice stays") {
    val ledger = new FunctionLedger(mostFunctions = 9)
    ledger.ran(run, apart = false, Some(Choice.LaneFree), effort)
    ledger.ran(run, apart = false, None, effort)
    ledger.ran(run, apart = true, Some(Choice.PlacesTaken), effort)
    ledger.stayed("f", "name", FallbackReason.LaneBusy)
    assert(
      ledger.takeChanges() == Seq(
        "f" -> FunctionTotals(
          "name",
          LaneTotals(2, 20, 200, 8, 12),
          LaneTotals(1, 10, 100, 4, 6),
          Map("LaneBusy" -> 1L),
          Some("PlacesTaken"))))
  }

  test("what was taken is not given again until it changes, and then whole") {
    val ledger = new FunctionLedger(mostFunctions = 9)
    ledger.ran(run, apart = false, None, effort)
    ledger.takeChanges(): Unit
    assert(ledger.takeChanges().isEmpty)
    ledger.ran(run, apart = false, None, effort)
    assert(ledger.takeChanges().map(_._2.inExecutor) == Seq(LaneTotals(2, 20, 200, 8, 12)))
  }

  test("who listens hears of the first change only, until it is taken") {
    val ledger = new FunctionLedger(mostFunctions = 9)
    var heard = 0
    ledger.whenChanged(() => heard += 1)
    (1 to 3).foreach(_ => ledger.ran(run, apart = false, None, effort))
    assert(heard == 1)
    ledger.takeChanges(): Unit
    ledger.stayed("g", "other", FallbackReason.LaneBusy)
    assert(heard == 2)
  }

  test("a ledger that was cleared begins anew, for who listens from then on") {
    val ledger = new FunctionLedger(mostFunctions = 9)
    var heard = Seq.empty[String]
    ledger.whenChanged(() => heard :+= "first")
    ledger.ran(run, apart = false, None, effort)
    ledger.clear()
    ledger.whenChanged(() => heard :+= "second")
    ledger.ran(run, apart = false, None, effort)
    assert(heard == Seq("first", "second"))
    assert(ledger.takeChanges().map(_._2.inExecutor.sessions) == Seq(1L))
  }

  test("so many functions are kept, those that ran last") {
    val ledger = new FunctionLedger(mostFunctions = 2)
    Seq("a", "b", "c").foreach(ledger.stayed(_, "name", FallbackReason.LaneBusy))
    assert(ledger.takeChanges().map(_._1) == Seq("b", "c"))
  }
}
