package dev.ember.session

import dev.ember.nativeapi.Native

/**
 * What a session's function has used, as the native library measures it at the ends of batches.
 *
 * @param busyNanos
 *   wall time in which the function had a batch
 * @param cpuNanos
 *   CPU time of its thread in that time
 * @param lockNanos
 *   waits for the interpreter's lock where a batch was taken or given; no part of `busyNanos`
 * @param idleNanos
 *   waits for batches, or for room for them
 * @param delayNanos
 *   time in which the function's thread was ready to run and had no core
 * @param stateless
 *   the function is known to keep nothing between batches
 * @param leftThreads
 *   the function has come to its end, and threads that it started have not
 * @param convertNanos
 *   time in which the task's thread turned rows or columns into batches, and batches into rows
 */
final case class Effort(
    rows: Long,
    busyNanos: Long,
    cpuNanos: Long,
    lockNanos: Long,
    idleNanos: Long,
    delayNanos: Long,
    stateless: Boolean = false,
    leftThreads: Boolean = false,
    convertNanos: Long = 0L) {

  /** From the first batch to the end. */
  def nanos: Long = busyNanos + lockNanos + idleNanos
}

object Effort {
  val none: Effort = Effort(0L, 0L, 0L, 0L, 0L, 0L)

  // The bits of the native library's last figure.
  private val KeepsNothing = 1L
  private val LeftThreads = 2L

  /** Of an open session. */
  def of(native: Native, session: Long): Effort = native.spent(session) match {
    case Array(rows, busy, cpu, lock, idle, delay, converted, known) =>
      def is(bit: Long): Boolean = (known & bit) != 0
      Effort(
        rows,
        busy,
        cpu,
        lock,
        idle,
        delay,
        stateless = is(KeepsNothing),
        leftThreads = is(LeftThreads),
        convertNanos = converted)
    case other => throw new IllegalStateException(s"${other.length} figures of a session, not 8")
  }
}
