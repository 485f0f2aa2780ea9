package dev.ember

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

class EndingSuite extends AnyFunSuite {
  test("what fails is told, and what comes after it ends all the same") {
    val ended, told = new ArrayBuffer[String]
    val end = new Ending((words, error) => told += s"$words: ${error.getMessage}": Unit)
    end("the first", throw new IllegalStateException("not now"))
    end("the second", throw new UnsatisfiedLinkError("no library"))
    end("the third", ended += "the third": Unit)
    assert(ended == Seq("the third"))
    assert(
      told == Seq(
        "Ember could not end the first: not now",
        "Ember could not end the second: no library"))
  }
}
