package dev.ember.status

import dev.ember.session.{Choice, Effort}

/**
 * What sessions of one function did on one lane.
 *
 * @param busyNanos
 *   wall time in which the function had a batch
 * @param lockNanos
 *   waits for the interpreter's lock where a batch was taken or given
 * @param idleNanos
 *   waits for batches, or for room for them
 * @param convertNanos
 *   time of the tasks' threads in conversions between rows and batches
 */
final case class LaneTotals(
    sessions: Long,
    rows: Long,
    busyNanos: Long,
    lockNanos: Long = 0L,
    idleNanos: Long = 0L,
    convertNanos: Long = 0L) {

  def and(effort: Effort): LaneTotals = and(
    LaneTotals(
      1L,
      effort.rows,
      effort.busyNanos,
      effort.lockNanos,
      effort.idleNanos,
      effort.convertNanos))

  def and(other: LaneTotals): LaneTotals = LaneTotals(
    sessions + other.sessions,
    rows + other.rows,
    busyNanos + other.busyNanos,
    lockNanos + other.lockNanos,
    idleNanos + other.idleNanos,
    convertNanos + other.convertNanos)
}

object LaneTotals {
  val none: LaneTotals = LaneTotals(0L, 0L, 0L)
}

/**
 * What one executor, or all, have seen of one function: sums from the start, so that a newer report takes the place
 * of an older one.
 *
 * @param name
 *   what a user calls it
 * @param onSpark
 *   sessions on Spark's own runner, by the name of the reason
 * @param choice
 *   the newest choice of a lane, by its name
 */
final case class FunctionTotals(
    name: String,
    inExecutor: LaneTotals = LaneTotals.none,
    inWorkers: LaneTotals = LaneTotals.none,
    onSpark: Map[String, Long] = Map.empty,
    choice: Option[String] = None) {

  def ran(apart: Boolean, made: Option[Choice], effort: Effort): FunctionTotals = {
    val chosen = copy(choice = made.map(_.name).orElse(choice))
    if (apart) chosen.copy(inWorkers = inWorkers.and(effort))
    else chosen.copy(inExecutor = inExecutor.and(effort))
  }

  def stayed(reason: String): FunctionTotals =
    copy(onSpark = onSpark.updated(reason, onSpark.getOrElse(reason, 0L) + 1))

  def and(other: FunctionTotals): FunctionTotals = FunctionTotals(
    name,
    inExecutor.and(other.inExecutor),
    inWorkers.and(other.inWorkers),
    other.onSpark.foldLeft(onSpark) { case (all, (reason, times)) =>
      all.updated(reason, all.getOrElse(reason, 0L) + times)
    },
    other.choice.orElse(choice))
}
