package dev.ember.session

/**
 * The batches of one session: where they come from, how they cross, and the one that came back last.
 *
 * @param leaves
 *   asked before each batch of the input: whether another session takes it and those after it
 */
final class Feed[In, Out](crossing: Crossing[In, Out], input: In, leaves: In => Boolean) {
  private var came: Option[Out] = None

  def isLeft: Boolean = leaves(input)

  /** See [[Crossing]]. */
  def pull(): Boolean = crossing.pull(input)

  def offer(): Unit = crossing.offer()

  def take(): Unit = came = Some(crossing.take())

  /** The batch that was taken last. */
  def last: Out = came.getOrElse(throw new IllegalStateException("no batch has come back"))
}
