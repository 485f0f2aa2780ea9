package dev.ember.session

import java.nio.file.{Files, Paths}

import dev.ember.reason.FallbackReason

/** Why a Python, or what needs one, is of no use, as it was found a while ago, in nanoseconds. */
private[session] final case class Useless(why: FallbackReason, since: Long) {
  def isOver(now: Long): Boolean = now - since > Useless.LastsNanos
}

private[session] object Useless {
  val LastsNanos = 30000000000L

  /**
   * Whether what was found with `python` is to be remembered: one that is not there may come, with its environment. A
   * name alone is looked for where programs are.
   */
  def stands(python: String): Boolean =
    !python.contains('/') || Files.isExecutable(Paths.get(python))
}
