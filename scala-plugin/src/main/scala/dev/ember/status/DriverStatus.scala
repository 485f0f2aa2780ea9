package dev.ember.status

import dev.ember.clients.{ClientLink, EndedSessions}
import dev.ember.contain.{DriverLink, QuarantineBook}

/** The books of a driver, as its sessions read them and its executors write them. */
final case class DriverStatus(
    book: StatusBook,
    quarantine: QuarantineBook,
    clients: EndedSessions = new EndedSessions) {

  /** Spark has lost an executor, and says why. */
  def lost(executor: String, why: String): Unit = {
    quarantine.lost(executor, why)
    book.lost(executor)
  }

  /** The answer to an executor's message, or null to one that needs none. */
  def receive(message: AnyRef): AnyRef =
    ClientLink
      .receive(clients, message)
      .getOrElse(
        if (StatusLink.receive(book, message)) null else DriverLink.receive(quarantine, message))
}

object DriverStatus {
  @volatile private var current: Option[DriverStatus] = None

  /** Those of the application that runs in this process; nothing where the plugin is not. */
  def get: Option[DriverStatus] = current

  def set(books: DriverStatus): Unit = current = Some(books)
}
