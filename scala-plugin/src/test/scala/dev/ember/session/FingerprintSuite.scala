package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

class FingerprintSuite extends AnyFunSuite {
  private def bytes(values: Int*): Array[Byte] = values.map(_.toByte).toArray

  test("the same functions of the same kind have the same fingerprint, whoever asks") {
    val asked = Fingerprint.of(200, Seq(Seq(bytes(1, 2))))
    assert(asked == Fingerprint.of(200, Seq(Seq(bytes(1, 2)))))
    assert(asked.text == "a7e9e36a53aa19283baacfa6ea031ffb")
  }

  test("a function that asks for a process of its own is known by words in its pickle") {
    def pickled(words: String) = Seq(Seq(bytes(1)), Seq(bytes(2), words.getBytes("UTF-8")))
    assert(Fingerprint.isIsolated(pickled("..this function of Ember's is isolated.")))
    assert(!Fingerprint.isIsolated(pickled("this function is isolated")))
  }

  test("another kind, another byte, another order or another chain is another fingerprint") {
    val different = Seq(
      Fingerprint.of(200, Seq(Seq(bytes(1, 2)))),
      Fingerprint.of(201, Seq(Seq(bytes(1, 2)))),
      Fingerprint.of(200, Seq(Seq(bytes(1, 3)))),
      Fingerprint.of(200, Seq(Seq(bytes(1), bytes(2)))),
      Fingerprint.of(200, Seq(Seq(bytes(2), bytes(1)))),
      Fingerprint.of(200, Seq(Seq(bytes(1)), Seq(bytes(2)))),
      Fingerprint.of(200, Nil))
    assert(different.distinct.size == different.size)
  }
}
