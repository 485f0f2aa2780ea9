package dev.ember.session

import java.util.concurrent.ConcurrentHashMap

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

/**
 * Cancels the sessions of killed tasks. A task thread that waits in native code feels no interrupt, so one
 * thread looks after all of them.
 */
class SessionWatch(periodMs: Long) extends Logging {
  private val watched = new ConcurrentHashMap[Session[?, ?], () => Boolean]
  private lazy val thread: Thread = {
    val made = new Thread(() => lookAfter(), "ember-session-watch")
    made.setDaemon(true)
    made.start()
    made
  }

  /** Cancels `session` when `killed` becomes true, until `forget`. */
  def watch(session: Session[?, ?], killed: () => Boolean): Unit = {
    watched.put(session, killed): Unit
    require(thread.isAlive, "the watching thread has died")
    watched.synchronized(watched.notifyAll())
  }

  def forget(session: Session[?, ?]): Unit = watched.remove(session): Unit

  private def lookAfter(): Unit = while (true) {
    watched.synchronized {
      while (watched.isEmpty) watched.wait()
    }
    watched.forEach { (session, killed) =>
      try if (killed()) cancelOnce(session)
      catch { case NonFatal(error) => logWarning("Ember could not cancel a session", error) }
    }
    Thread.sleep(periodMs)
  }

  private def cancelOnce(session: Session[?, ?]): Unit = {
    forget(session)
    session.cancel()
  }
}

object SessionWatch extends SessionWatch(200L)
