package dev.ember

import scala.util.control.NonFatal

/** Ends one thing after another: of what fails is told, and what comes after it ends all the same. */
private[ember] final class Ending(warn: (String, Throwable) => Unit) {
  def apply(what: String, end: => Unit): Unit =
    try end
    catch {
      case error @ (NonFatal(_) | _: LinkageError) => warn(s"Ember could not end $what", error)
    }
}
