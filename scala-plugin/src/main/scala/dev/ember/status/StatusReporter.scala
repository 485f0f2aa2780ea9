package dev.ember.status

import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.session.SessionWatch

/**
 * Tells the driver what changes in this executor, a fifth of a second after it did.
 *
 * @param now
 *   adds to the facts what may be another each time
 */
final class StatusReporter(
    link: StatusLink,
    ledger: FunctionLedger,
    watch: SessionWatch,
    now: ExecutorFacts => ExecutorFacts)
    extends Logging {
  @volatile private var facts = ExecutorFacts()

  def start(): Unit = ledger.whenChanged(() => watch.after(0)(() => tellChanges()))

  /** What this executor has found out about itself. */
  def found(what: ExecutorFacts): Unit = {
    facts = what
    guarded(link.tell(now(facts)))
  }

  private def tellChanges(): Unit = guarded {
    ledger.takeChanges().foreach { case (function, totals) => link.tell(function, totals) }
    link.tell(now(facts))
  }

  private def guarded(tell: => Unit): Unit =
    try tell
    catch { case NonFatal(error) => logDebug("Ember's driver could not be told", error) }
}
