package dev.ember.status

import dev.ember.contain.QuarantineBook

/** The books of a driver, as its sessions read them. */
final case class DriverStatus(book: StatusBook, quarantine: QuarantineBook)

object DriverStatus {
  @volatile private var current: Option[DriverStatus] = None

  /** Those of the application that runs in this process; nothing where the plugin is not. */
  def get: Option[DriverStatus] = current

  def set(books: DriverStatus): Unit = current = Some(books)
}
