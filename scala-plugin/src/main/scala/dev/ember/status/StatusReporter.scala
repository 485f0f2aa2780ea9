package dev.ember.status

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.session.SessionWatch

/**
 * Tells the driver what changes in this executor: what functions did at once, or, where much changes, a fifth of a
 * second after they did it; and how many processes there are with the next look of the watch.
 *
 * @param now
 *   adds to the facts what may be another each time
 * @param counted
 *   adds how many processes there are alone, which every look of the watch asks
 */
final class StatusReporter(
    link: StatusLink,
    ledger: FunctionLedger,
    watch: SessionWatch,
    now: ExecutorFacts => ExecutorFacts,
    counted: ExecutorFacts => ExecutorFacts)
    extends Logging {
  private val pauseNanos = 200000000L
  @volatile private var quietUntil = System.nanoTime()
  @volatile private var facts = ExecutorFacts()
  @volatile private var told = ExecutorFacts()
  private val looking: () => Unit = () => tellProcesses()

  /** Begins with nothing: what the ledger has is another application's. */
  def start(): Unit = {
    ledger.clear()
    ledger.whenChanged(() => changed())
    watch.always(looking)
  }

  /** Tells what is not told yet, and nothing from then on. */
  def close(): Unit = {
    tellChanges()
    watch.never(looking)
    ledger.clear()
  }

  /** What this executor has found out about itself. */
  def found(what: ExecutorFacts): Unit = {
    facts = what
    guarded(tell(now(facts)))
  }

  private def changed(): Unit =
    if (System.nanoTime() - quietUntil >= 0) tellChanges()
    else watch.after(0)(() => tellChanges())

  private def tellChanges(): Unit = guarded(synchronized {
    quietUntil = System.nanoTime() + pauseNanos
    ledger.takeChanges().foreach { case (function, totals) => link.tell(function, totals) }
    tell(now(facts))
  })

  /** Workers come with sessions, of which is told, and go by themselves. */
  private def tellProcesses(): Unit = guarded {
    if (counted(told) != told) tell(now(facts))
  }

  private def tell(current: ExecutorFacts): Unit = {
    link.tell(current)
    told = current
  }

  private def guarded(step: => Unit): Unit =
    try step
    catch { case NonFatal(error) => logDebug("Ember's driver could not be told", error) }
}
