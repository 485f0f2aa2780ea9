package dev.ember.status

import dev.ember.contain.QuarantineBook

/**
 * Tells an application's event log what has changed in the driver's books: at the ends of jobs, if the last time is
 * long enough ago, and at the end.
 *
 * @param log
 *   takes an event; it may drop it, where nobody asked for a log
 */
final class StatusLog(books: DriverStatus, log: StatusEvent => Unit, pauseMs: Long = 10000L) {
  private var executors = Map.empty[String, ExecutorFacts]
  private var standings = Set.empty[QuarantineBook.Entry]
  private var due = System.nanoTime()

  def jobEnded(): Unit = synchronized {
    if (System.nanoTime() - due >= 0) tell()
  }

  /** Nothing is told after this. */
  def close(): Unit = synchronized(tell())

  private def tell(): Unit = {
    due = System.nanoTime() + pauseMs * 1000000L
    val told = changedExecutors() ++ changedFunctions() ++ changedStandings()
    if (told.nonEmpty) log(StatusEvent(told))
  }

  private def changedExecutors(): Seq[Seq[String]] = {
    val (before, now) = (executors, books.book.living)
    executors = now.toMap
    now.collect {
      case (executor, facts) if !before.get(executor).contains(facts) =>
        StatusLink.words(executor, facts)
    }
  }

  /** All executors together, so that a log does not grow with them. */
  private def changedFunctions(): Seq[Seq[String]] =
    books.book.takeChanges().map { case (function, totals) =>
      StatusLink.words("all", function, totals)
    }

  private def changedStandings(): Seq[Seq[String]] = {
    val (before, now) = (standings, books.quarantine.entries)
    standings = now.toSet
    now.filterNot(before).map(StatusSnapshot.words)
  }
}
