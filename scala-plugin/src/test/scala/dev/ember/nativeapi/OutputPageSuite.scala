package dev.ember.nativeapi

import org.scalatest.funsuite.AnyFunSuite

class OutputPageSuite extends AnyFunSuite {
  private val numbers = Array(64L, 48L, 2L, 100L, 1L, 4096L, 0L, 0L)

  test("a page of rows has nothing behind its numbers") {
    val page = OutputPage.of(numbers)
    assert((page.address, page.bytes, page.rows) == ((64L, 48L, 2L)))
    assert(page.forSpark.isEmpty)
  }

  test("behind the numbers comes the batch that only Spark's own code can read") {
    val page = OutputPage.of(numbers ++ Array(7L, 2L, 1L))
    assert((page.address, page.held) == ((64L, 4096L)))
    assert(page.forSpark.map(_.toSeq).contains(Seq(7L, 2L, 1L)))
  }

  test("fewer numbers are no page") {
    assertThrows[IllegalStateException](OutputPage.of(numbers.take(7)))
  }
}
