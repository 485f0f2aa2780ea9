package dev.ember.status

import dev.ember.contain.QuarantineBook
import dev.ember.session.Choice

/** All that the driver knows of one function: what executors have told, and how it stands. */
final case class FunctionStatus(
    function: String,
    totals: FunctionTotals,
    standing: Option[QuarantineBook.Entry]) {

  /** Why its newest lane was chosen, where there was a choice. */
  def becauseOf: Option[String] =
    totals.choice.flatMap(name => Choice.all.find(_.name == name)).map(_.words)
}

object FunctionStatus {

  def all(books: DriverStatus): Seq[FunctionStatus] =
    all(books.book.totals, books.quarantine.entries)

  /** Those that ran, and then those that only have a standing. */
  def all(
      seen: Seq[(String, FunctionTotals)],
      entries: Seq[QuarantineBook.Entry]): Seq[FunctionStatus] = {
    val standings = entries.map(entry => entry.function -> entry).toMap
    val ran = seen.map(_._1).toSet
    val unseen = standings.values.filterNot(entry => ran(entry.function))
    seen.map { case (function, totals) =>
      FunctionStatus(function, totals, standings.get(function))
    } ++ unseen.map(entry =>
      FunctionStatus(entry.function, FunctionTotals(entry.name), Some(entry)))
  }
}
