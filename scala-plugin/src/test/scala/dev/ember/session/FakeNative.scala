package dev.ember.session

import java.util.concurrent.LinkedBlockingQueue

import scala.collection.mutable
import scala.collection.mutable.ArrayBuffer

import org.apache.spark.unsafe.Platform

import dev.ember.nativeapi.{Native, OutputPage}

/**
 * A native library whose one session does what a script says, and which notes what is asked of it. Its pages are
 * to be closed.
 */
final class FakeNative(answers: Int*) extends Native with AutoCloseable {
  private val script = new LinkedBlockingQueue[() => Int]
  private val pages = mutable.Map.empty[Boolean, (Long, Long)]
  private var outputPages = 0L
  answers.foreach(later)

  val calls = new ArrayBuffer[String]
  val offered = new ArrayBuffer[Long]
  var free: Seq[Long] = Nil
  var tailBytes: Array[Byte] = Array.emptyByteArray
  var laneComesBack = true
  var used: Effort = Effort.none
  var lanesOut = 0
  var asNew = true

  /** Which pages were asked for: the input's, the arguments'. */
  def wanted: Set[Boolean] = pages.keySet.toSet

  def later(answer: Int): Unit = script.put(() => answer)
  def laterThrow(error: Throwable): Unit = script.put(() => throw error)

  override def start(libpython: String, bridge: String, config: Array[Byte]): Unit = note("start")

  override def open(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int): Long = 1L

  override def next(session: Long): Int = script.take()()

  override def offer(session: Long, layout: Array[Long], length: Int, token: Long): Unit = {
    note(s"offer ${layout.take(length).mkString(",")}")
    offered += token
  }

  override def endInput(session: Long): Unit = note("endInput")

  override def output(session: Long): Array[Long] = {
    note("output")
    Array(9L, 1L, 0L)
  }

  override def outputSchema(session: Long): Array[Byte] = Array.emptyByteArray
  override def releaseOutput(batch: Long): Unit = note(s"release $batch")
  override def tail(session: Long): Array[Byte] = tailBytes

  override def spent(session: Long): Array[Long] =
    Array(
      used.rows,
      used.busyNanos,
      used.cpuNanos,
      used.lockNanos,
      used.idleNanos,
      used.delayNanos,
      used.convertNanos,
      (if (used.stateless) 1L else 0L) | (if (used.leftThreads) 2L else 0L))

  override def held(session: Long): Long = 0L

  override def cancel(session: Long): Unit = {
    note("cancel")
    later(Native.Ended)
  }

  override def close(session: Long, graceMs: Long): Boolean = {
    note(s"close $graceMs")
    laneComesBack
  }

  override def isOut(session: Long): Boolean = !laneComesBack

  override def abandoned(): Int = lanesOut

  override def isAsNew(): Boolean = {
    note("isAsNew")
    asNew
  }

  override def released(): Array[Long] = {
    val told = free
    free = Nil
    told.toArray
  }

  override def trim(): Unit = ()
  override def letGo(): Unit = note("letGo")

  override def openRows(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long = 1L

  override def room(session: Long, arguments: Boolean, bytes: Long): Long = {
    val (address, size) = pages.getOrElse(arguments, (0L, 0L))
    if (size >= bytes) address
    else {
      val larger = Platform.reallocateMemory(address, size, bytes)
      pages(arguments) = (larger, bytes)
      larger
    }
  }

  override def offerRows(session: Long, arguments: Boolean, bytes: Long, rows: Int): Long = {
    note(s"offerRows $arguments $bytes $rows")
    pages.values.map(_._2).sum
  }

  override def offerGroups(
      session: Long,
      arguments: Boolean,
      bytes: Long,
      rows: Int,
      joined: Int,
      pieces: Array[Int]): Long = {
    note(s"offerGroups $arguments $bytes $rows $joined ${pieces.mkString(",")}")
    pages.values.map(_._2).sum
  }

  override def outputRows(session: Long): OutputPage = {
    note("outputRows")
    outputPages += 1
    OutputPage(0, 0, outputPages, 0, 1, pages.values.map(_._2).sum, 0, 0)
  }

  override def openColumns(
      header: Array[Byte],
      inputSchema: Array[Byte],
      environment: Array[Byte],
      depth: Int,
      plan: Array[Byte]): Long = 1L

  override def offerColumns(
      session: Long,
      arguments: Array[Long],
      columns: Array[Long],
      token: Long): Unit = {
    note(s"offerColumns ${arguments.mkString(",")} ${columns.mkString(",")}")
    offered += token
  }

  override def outputColumns(session: Long): OutputPage = outputRows(session)
  override def freeColumns(session: Long): Unit = freeRows(session)

  override def freeRows(session: Long): Unit = note("freeRows")

  override def close(): Unit = {
    pages.values.foreach { case (address, _) => Platform.freeMemory(address) }
    pages.clear()
  }

  private def note(call: String): Unit = calls.synchronized(calls += call): Unit
}
