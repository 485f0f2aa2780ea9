package dev.ember.session

/**
 * What the sessions of one function used under the same circumstances: sums in which each session weighs a little
 * more than the one before it. The first one is kept only until there is a second, for it also loads code.
 *
 * @param weight
 *   how many sessions the sums stand for
 */
final case class Sums(
    sessions: Long,
    weight: Double,
    rows: Double,
    busy: Double,
    cpu: Double,
    lock: Double,
    delay: Double,
    elapsed: Double) {

  def and(effort: Effort): Sums = {
    val kept = if (sessions <= 1) 0.0 else Sums.Kept
    Sums(
      sessions + 1,
      weight * kept + 1,
      rows * kept + effort.rows.toDouble,
      busy * kept + effort.busyNanos.toDouble,
      cpu * kept + effort.cpuNanos.toDouble,
      lock * kept + effort.lockNanos.toDouble,
      delay * kept + effort.delayNanos.toDouble,
      elapsed * kept + effort.nanos.toDouble)
  }

  def isEmpty: Boolean = sessions == 0

  /** CPU nanoseconds a row: of the two it is the one that other work on the machine changes least. */
  def cpuPerRow: Double = Sums.part(cpu, rows)

  def busyPerSession: Double = Sums.part(busy, weight)

  def lockPerSession: Double = Sums.part(lock, weight)

  def rowsPerSession: Double = Sums.part(rows, weight)

  /**
   * The part of the time in which the function's thread ran, or would have run on an idle machine: the most that it
   * can have held the lock.
   */
  def running: Double = math.min(1.0, Sums.part(cpu + delay, elapsed))

  /** Time for each row in which the function waited for something that is not a core. */
  def blockedPerRow: Double = Sums.part(math.max(0.0, busy - cpu - delay), rows)

  /** The part of the time in which it waited for the lock at the ends of batches. */
  def waiting: Double = Sums.part(lock, elapsed)

  /** The same within batches too, if it waits for other things as long as `elsewhere`. */
  def waitingBut(elsewhere: Sums): Double =
    waiting + Sums.part(rows * math.max(0.0, blockedPerRow - elsewhere.blockedPerRow), elapsed)

  override def toString: String =
    if (isEmpty) "none"
    else {
      f"$cpuPerRow%.1f ns CPU and $blockedPerRow%.1f ns blocked a row, " +
        f"${running * 100}%.0f%% running, ${waiting * 100}%.1f%% waiting, $sessions sessions"
    }
}

object Sums {

  /** What is left of the sums when another session is added. */
  private val Kept = 0.8

  val none: Sums = Sums(0L, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

  private def part(of: Double, in: Double): Double = if (in > 0) of / in else 0.0
}

/**
 * What is known of one function on this executor.
 *
 * @param alone
 *   in the executor, while no other session used the interpreter
 * @param beside
 *   in the executor, while others did
 * @param apart
 *   in worker processes
 * @param busy
 *   how long it ran, on whichever lane, in nanoseconds
 * @param tries
 *   how often it ran somewhere only to see how it does there
 */
final case class Figures(
    alone: Sums,
    beside: Sums,
    apart: Sums,
    busy: Long,
    tries: Map[Choice, Int]) {

  def and(company: Company, effort: Effort): Figures = {
    val longer = copy(busy = busy + effort.busyNanos)
    company match {
      case Company.Alone => longer.copy(alone = alone.and(effort))
      case Company.Beside => longer.copy(beside = beside.and(effort))
      case Company.Apart => longer.copy(apart = apart.and(effort))
    }
  }

  def tried(choice: Choice): Figures =
    copy(tries = tries.updated(choice, timesTried(choice) + 1))

  def timesTried(choice: Choice): Int = tries.getOrElse(choice, 0)

  /**
   * The part of the time in which it waited for the lock beside others. What it was never seen to wait for without
   * them counts as the lock.
   */
  def waitingBeside: Double = beside.waitingBut(elsewhere)

  /** What tells how it does without others beside it. */
  def elsewhere: Sums = Seq(alone, apart).find(!_.isEmpty).getOrElse(Sums.none)

  /** What tells most of how much it runs. */
  def best: Sums = Seq(alone, beside, apart).find(!_.isEmpty).getOrElse(Sums.none)

  override def toString: String = s"alone: $alone; beside others: $beside; apart: $apart"
}

object Figures {
  val none: Figures = Figures(Sums.none, Sums.none, Sums.none, 0L, Map.empty)
}

/** What a session had around it. */
sealed trait Company

object Company {
  case object Alone extends Company
  case object Beside extends Company
  case object Apart extends Company
}
