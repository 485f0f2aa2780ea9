package dev.ember.session

import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.ISO_8859_1
import java.security.MessageDigest
import java.util.HexFormat

/**
 * What a function is known by, on every executor of an application: its pickled form and the kind that runs it. Equal
 * fingerprints are the same code with the same constants; a function that is pickled anew may get another one.
 */
final case class Fingerprint(text: String) {
  override def toString: String = text
}

object Fingerprint {

  /** In the pickle of a function that is to have a process of its own; `ember.native_function` puts it there. */
  private val Isolated = "this function of Ember's is isolated"

  /** Whether one of these pickled functions asks for that. */
  def isIsolated(chains: Seq[Seq[Array[Byte]]]): Boolean =
    chains.exists(_.exists(new String(_, ISO_8859_1).contains(Isolated)))

  /** Bytes of the digest that are kept. */
  private val Kept = 16

  /**
   * @param kind
   *   Spark's number for the kind of function
   * @param chains
   *   the pickled functions of a session; those of one chain feed one another
   */
  def of(kind: Int, chains: Seq[Seq[Array[Byte]]]): Fingerprint = {
    val digest = MessageDigest.getInstance("SHA-256")
    def number(value: Int): Unit = digest.update(ByteBuffer.allocate(4).putInt(value).array())
    number(kind)
    for (chain <- chains) {
      number(chain.size)
      for (pickled <- chain) {
        number(pickled.length)
        digest.update(pickled)
      }
    }
    Fingerprint(HexFormat.of().formatHex(digest.digest(), 0, Kept))
  }
}
