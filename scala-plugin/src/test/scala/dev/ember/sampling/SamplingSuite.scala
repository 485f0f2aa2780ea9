package dev.ember.sampling

import org.scalatest.funsuite.AnyFunSuite

class SamplingSuite extends AnyFunSuite {
  test("where nobody samples, sessions are told nothing and nothing can be ended") {
    assert(Sampling.variables.isEmpty)
    assert(Sampling.stop() == Left("nothing is being sampled"))
  }

  test("what cannot begin says why, and does not begin") {
    assert(Sampling.start(0).left.exists(_.contains("1 to 1000 milliseconds")))
    assert(Sampling.start(10).left.exists(_.contains("with a local master alone")))
    assert(Sampling.variables.isEmpty)
  }
}
