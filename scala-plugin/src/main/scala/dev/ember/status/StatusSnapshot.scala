package dev.ember.status

import dev.ember.contain.QuarantineBook

/** What the page "Ember" shows: of an application that runs, or of what its event log was told. */
final case class StatusSnapshot(
    executors: Seq[(String, ExecutorFacts)],
    functions: Seq[FunctionStatus])

object StatusSnapshot {
  private val StandingWord = "status-standing"

  def of(books: DriverStatus): StatusSnapshot =
    StatusSnapshot(books.book.living, FunctionStatus.all(books))

  /** What was told in words, the newest of each thing. */
  def of(told: Iterable[Seq[String]]): StatusSnapshot = {
    val book = new StatusBook
    val standings = told.flatMap {
      case Seq(StandingWord, function, name, standing, why) =>
        Some(QuarantineBook.Entry(function, name, standing, Option(why)))
      case words =>
        StatusLink.receive(book, words.toArray): Unit
        None
    }
    StatusSnapshot(book.living, FunctionStatus.all(book.totals, standings.toSeq))
  }

  def words(entry: QuarantineBook.Entry): Seq[String] =
    Seq(StandingWord, entry.function, entry.name, entry.standing, entry.why.orNull)

  /** Names the thing that words are about: newer ones of the same take their place. */
  def about(words: Seq[String]): String = words.take(3).mkString("/")
}
