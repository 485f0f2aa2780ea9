package dev.ember.contain

/** What Spark says of the end of an executor. */
object ExecutorLoss {
  private val Code = "(?i)(?:exit(?:ed with)? (?:code|status):?|exited with code) (-?\\d+)".r

  /** What was asked for, and what went with the machine it was on. */
  private val asked = Seq(
    "killed by driver",
    "decommission",
    "heartbeat timed out",
    "spark scale down",
    "was preempted",
    "was deleted by a user or the framework",
    "worker lost",
    "slave lost",
    "worker shutting down")

  /**
   * Of Spark's own making: the signal of an orderly end, and the codes that Spark gives its reasons. Below zero are
   * YARN's, of containers that were let go, whose disks failed, or that were preempted.
   */
  private val sparksOwn: Set[Int] = Set(143, -100, -101, -102) ++ (50 to 58)

  /** Whether the process may have died of a function that ran in it. */
  def mayBeAFunctions(reason: String): Boolean = {
    val lower = reason.toLowerCase(java.util.Locale.ROOT)
    val code = Code.findFirstMatchIn(reason).map(_.group(1).toInt)
    !asked.exists(lower.contains) && !code.exists(sparksOwn)
  }
}
