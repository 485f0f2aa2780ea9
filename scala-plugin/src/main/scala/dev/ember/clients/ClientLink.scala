package dev.ember.clients

import org.apache.spark.api.plugin.PluginContext

import dev.ember.session.contract.ClientSession

/** How executors learn that sessions of clients have ended. */
trait ClientLink {

  /** Which of these the driver has seen end; waits for it. */
  def ended(sessions: Set[ClientSession]): Set[ClientSession]
}

/** The same as messages of Spark's plugin channel: arrays of text, as `DriverLink` has them. */
object ClientLink {
  private val Word = "ended-of"

  /** An executor's end. */
  def to(plugin: PluginContext): ClientLink = (sessions: Set[ClientSession]) =>
    plugin.ask(Word +: texts(sessions)) match {
      case ended: Array[String] => sessionsOf(ended.toSeq).toSet
      case _ => Set.empty
    }

  /** The driver's end: the answer, where the message was for `book`. */
  def receive(book: EndedSessions, message: AnyRef): Option[AnyRef] = message match {
    case words: Array[String] if words.headOption.contains(Word) =>
      Some(texts(book.of(sessionsOf(words.toSeq.tail))))
    case _ => None
  }

  private def texts(sessions: Iterable[ClientSession]): Array[String] =
    sessions.toArray.flatMap(session => Array(session.user, session.id))

  private def sessionsOf(words: Seq[String]): Seq[ClientSession] =
    words.grouped(2).collect { case Seq(user, id) => ClientSession(user, id) }.toList
}
