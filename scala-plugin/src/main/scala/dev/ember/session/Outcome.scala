package dev.ember.session

/** How a session ended. The first outcome to arrive wins; later ones are dropped. */
sealed trait Outcome

object Outcome {
  case object Finished extends Outcome
  case object Cancelled extends Outcome

  /** The upstream of the function raised; its error is the task's. */
  final case class InputFailed(cause: Throwable) extends Outcome

  /** The user's function raised, or what it returned cannot be read: the lane is sound. */
  final case class FunctionFailed(cause: Throwable) extends Outcome

  /** The embedded path broke: the lane must not be used again. */
  final case class Broken(cause: Throwable) extends Outcome
}
