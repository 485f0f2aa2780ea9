package dev.ember.nativeapi

/**
 * The native library as the plugin sees it. `NativeApi` has the contract of each method; production knows one
 * implementation, `JniNative`, and the tests of the session another.
 */
trait Native {
  def start(libpython: String, bridge: String, config: Array[Byte]): Unit
  def open(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int): Long
  def next(session: Long): Int
  def offer(session: Long, layout: Array[Long], length: Int, token: Long): Unit
  def endInput(session: Long): Unit
  def output(session: Long): Array[Long]
  def outputSchema(session: Long): Array[Byte]
  def releaseOutput(batch: Long): Unit
  def tail(session: Long): Array[Byte]
  def spent(session: Long): Array[Long]
  def held(session: Long): Long
  def cancel(session: Long): Unit
  def close(session: Long, graceMs: Long): Boolean
  def isOut(session: Long): Boolean
  def abandoned(): Int
  def isAsNew(): Boolean
  def released(): Array[Long]
  def trim(): Unit

  /** No session is opened here any more, and nothing is kept for one. */
  def letGo(): Unit
  def openRows(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long
  def room(session: Long, arguments: Boolean, bytes: Long): Long
  def offerRows(session: Long, arguments: Boolean, bytes: Long, rows: Int): Long
  def offerGroups(
      session: Long,
      arguments: Boolean,
      bytes: Long,
      rows: Int,
      joined: Int,
      pieces: Array[Int]): Long
  def outputRows(session: Long): OutputPage
  def freeRows(session: Long): Unit
  def openColumns(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long
  def offerColumns(session: Long, arguments: Array[Long], columns: Array[Long], token: Long): Unit
  def outputColumns(session: Long): OutputPage
  def freeColumns(session: Long): Unit
}

object Native {

  /** What `next` answers. */
  final val WantsInput = 1
  final val HasOutput = 2
  final val Ended = 3
}

/**
 * Needs `NativeLibraries` to have loaded the library.
 *
 * @param lane
 *   where it opens sessions: 0 in this process, else a number from `NativeApi.workers`
 */
sealed class JniNative(lane: Long) extends Native {
  override def start(libpython: String, bridge: String, config: Array[Byte]): Unit =
    NativeApi.start(libpython, bridge, config)

  override def open(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int): Long = NativeApi.open(header, inputSchema, environment, depth, lane)

  override def next(session: Long): Int = NativeApi.next(session)

  override def offer(session: Long, layout: Array[Long], length: Int, token: Long): Unit =
    NativeApi.offer(session, layout, length, token)

  override def endInput(session: Long): Unit = NativeApi.endInput(session)
  override def output(session: Long): Array[Long] = NativeApi.output(session)
  override def outputSchema(session: Long): Array[Byte] = NativeApi.outputSchema(session)
  override def releaseOutput(batch: Long): Unit = NativeApi.releaseOutput(batch)
  override def tail(session: Long): Array[Byte] = NativeApi.tail(session)
  override def spent(session: Long): Array[Long] = NativeApi.spent(session)
  override def held(session: Long): Long = NativeApi.held(session)
  override def cancel(session: Long): Unit = NativeApi.cancel(session)
  override def close(session: Long, graceMs: Long): Boolean = NativeApi.close(session, graceMs)
  override def isOut(session: Long): Boolean = NativeApi.isOut(session)
  override def abandoned(): Int = NativeApi.abandoned()
  override def isAsNew(): Boolean = NativeApi.isAsNew()
  override def released(): Array[Long] = NativeApi.released()
  override def trim(): Unit = NativeApi.trim()
  override def letGo(): Unit = NativeApi.letGo(lane)

  override def openRows(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long =
    NativeApi.openRows(header, inputSchema, environment, depth, lane, plan)

  override def room(session: Long, arguments: Boolean, bytes: Long): Long =
    NativeApi.room(session, arguments, bytes)

  override def offerRows(session: Long, arguments: Boolean, bytes: Long, rows: Int): Long =
    NativeApi.offerRows(session, arguments, bytes, rows)

  override def offerGroups(
      session: Long,
      arguments: Boolean,
      bytes: Long,
      rows: Int,
      joined: Int,
      pieces: Array[Int]): Long =
    NativeApi.offerGroups(session, arguments, bytes, rows, joined, pieces)

  override def outputRows(session: Long): OutputPage =
    OutputPage.of(NativeApi.outputRows(session))
  override def freeRows(session: Long): Unit = NativeApi.freeRows(session)

  override def openColumns(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long =
    NativeApi.openColumns(header, inputSchema, environment, depth, lane, plan)

  override def offerColumns(
      session: Long,
      arguments: Array[Long],
      columns: Array[Long],
      token: Long): Unit = NativeApi.offerColumns(session, arguments, columns, token)

  override def outputColumns(session: Long): OutputPage =
    OutputPage.of(NativeApi.outputColumns(session))
  override def freeColumns(session: Long): Unit = NativeApi.freeColumns(session)
}

/** Sessions on threads of this process. */
object JniNative extends JniNative(0L)

/** Sessions in worker processes that `config` describes. */
final class JniWorkers(config: Array[Byte]) extends JniNative(NativeApi.workers(config)) {

  /** A worker that does not stop is killed. */
  override def abandoned(): Int = 0
}
