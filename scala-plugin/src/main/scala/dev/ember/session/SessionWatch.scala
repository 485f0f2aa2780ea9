package dev.ember.session

import java.util.concurrent.{ConcurrentHashMap, CopyOnWriteArrayList}

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.session.contract.Session

/**
 * Cancels the sessions of killed tasks. A task thread that waits in native code feels no interrupt, so one
 * thread looks after all of them. It also does the chores that no task would come back for.
 */
class SessionWatch(periodMs: Long, idleMs: Long) extends Logging {
  private val watched = new ConcurrentHashMap[Session[?, ?], () => Boolean]
  private val chores = new CopyOnWriteArrayList[() => Unit]
  private lazy val thread: Thread = {
    val made = new Thread(() => lookAfter(), "ember-session-watch")
    made.setDaemon(true)
    made.start()
    made
  }

  /** Cancels `session` when `killed` becomes true, until `forget`. */
  def watch(session: Session[?, ?], killed: () => Boolean): Unit = {
    watched.put(session, killed): Unit
    wake()
  }

  def forget(session: Session[?, ?]): Unit = watched.remove(session): Unit

  /** Does `chore` again and again, until `never`. */
  def always(chore: () => Unit): Unit = {
    chores.add(chore): Unit
    wake()
  }

  def never(chore: () => Unit): Unit = chores.remove(chore): Unit

  /** Does `step` once, when so much time has passed. */
  def after(ms: Long)(step: () => Unit): Unit = {
    val due = System.nanoTime() + ms * 1000000L
    lazy val chore: () => Unit = () =>
      if (System.nanoTime() - due >= 0) {
        chores.remove(chore): Unit
        step()
      }
    always(chore)
  }

  private def wake(): Unit = {
    require(thread.isAlive, "the watching thread has died")
    watched.synchronized(watched.notifyAll())
  }

  private def lookAfter(): Unit = while (true) {
    watched.forEach((session, killed) => guarded(if (killed()) cancelOnce(session)))
    chores.forEach(chore => guarded(chore()))
    watched.synchronized {
      if (watched.isEmpty) watched.wait(idleMs)
    }
    Thread.sleep(periodMs)
  }

  private def cancelOnce(session: Session[?, ?]): Unit = {
    forget(session)
    session.cancel()
  }

  private def guarded(step: => Unit): Unit =
    try step
    catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember's watch could not do its work", error)
    }
}

object SessionWatch extends SessionWatch(periodMs = 200L, idleMs = 2000L)
