package dev.ember.session

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

class PatienceSuite extends AnyFunSuite {
  test("without a limit a function may take for ever") {
    val patience = new Patience(0, ends = true, fail(_))
    assert(!patience.endsAfter(Long.MaxValue))
    assert(patience.verdict.isEmpty)
  }

  test("a limit warns once for each wait, and ends a session only where it is asked to") {
    val warnings = new ArrayBuffer[String]
    val patience = new Patience(2, ends = false, warnings += _)
    for (waited <- Seq(1999L, 2000L, 2500L, 0L, 2100L)) assert(!patience.endsAfter(waited))
    assert(warnings.size == 2)
    assert(patience.verdict.isEmpty)
    val strict = new Patience(2, ends = true, warnings += _)
    assert(!strict.endsAfter(1999) && strict.endsAfter(2000))
    assert(strict.verdict.exists(_.contains("idle timeout (timeout: 2 seconds)")))
  }
}
