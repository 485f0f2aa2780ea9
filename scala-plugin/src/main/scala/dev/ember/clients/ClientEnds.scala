package dev.ember.clients

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.session.ProcessLane

/**
 * Lets go of what an executor keeps for sessions of clients that have ended.
 *
 * Spark tells the driver alone, and messages of plugins lead one way: so the driver is asked, for as long as anything
 * is kept. Where Spark says nothing of a session's end, its workers have gone when they had nothing to do for long.
 *
 * @param idleMs
 *   how long that is
 */
final class ClientEnds(lane: ProcessLane, link: ClientLink, idleMs: Long)
    extends AutoCloseable
    with Logging {
  @volatile private var over = false

  def start(): Unit = {
    val thread = new Thread(() => lookAfter(), "ember-client-ends")
    thread.setDaemon(true)
    thread.start()
  }

  /** One look. */
  def look(): Unit = {
    val clients = lane.sessions.flatMap(_.client)
    if (clients.nonEmpty) lane.ended(link.ended(clients))
    lane.unused(idleMs)
  }

  override def close(): Unit = over = true

  private def lookAfter(): Unit = while (!over) {
    try look()
    catch {
      case NonFatal(error) => logDebug("Ember's driver does not say which sessions ended", error)
    }
    Thread.sleep(ClientEnds.PeriodMs)
  }
}

object ClientEnds {
  private val PeriodMs = 1000L
}
