package dev.ember.session.contract

/**
 * How a session ended. The first outcome to arrive wins; later ones are dropped.
 *
 * @param sound
 *   whether the session's worker may serve another session
 */
sealed abstract class Outcome(val sound: Boolean)

object Outcome {
  case object Finished extends Outcome(sound = true)

  /** The task was killed, or its consumer wanted no more. */
  case object Cancelled extends Outcome(sound = true)

  /** The upstream of the function raised; its error is the task's. */
  final case class InputFailed(cause: Throwable) extends Outcome(sound = true)

  /** The user's function raised, or what it returned cannot be read. */
  final case class FunctionFailed(cause: Throwable) extends Outcome(sound = true)

  /** The way to the function broke. */
  final case class Broken(cause: Throwable) extends Outcome(sound = false)
}
