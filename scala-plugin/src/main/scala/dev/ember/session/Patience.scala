package dev.ember.session

/**
 * Spark's limit on how long a function may give nothing: a warning each time it is reached, and where the user wants
 * it the end of the session.
 *
 * @param seconds
 *   0 for no limit
 */
final class Patience(seconds: Long, ends: Boolean, warn: String => Unit) {
  @volatile private var over = false
  private var warned = false

  /** Whether the session is to end that has waited for its function for so long. */
  def endsAfter(waitedMs: Long): Boolean = {
    val late = seconds > 0 && waitedMs >= seconds * 1000
    if (late && !warned)
      warn(s"Idle timeout reached for a Python function (timeout: $seconds seconds)")
    warned = late
    if (late && ends) over = true
    late && ends
  }

  /** The words of Spark's error, once the session was ended for this. */
  def verdict: Option[String] =
    if (!over) None
    else Some(s"Python worker process terminated due to idle timeout (timeout: $seconds seconds)")
}
