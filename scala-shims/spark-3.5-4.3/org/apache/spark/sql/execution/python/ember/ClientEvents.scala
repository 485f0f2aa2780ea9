package org.apache.spark.sql.execution.python.ember

import scala.util.Try

import org.apache.spark.scheduler.SparkListenerEvent

import dev.ember.clients.EndedSessions
import dev.ember.session.contract.ClientSession

/** Events of Spark's Connect server, which need not be on the class path. */
object ClientEvents {
  private val Started = "SparkListenerConnectSessionStarted"
  private val Closed = "SparkListenerConnectSessionClosed"

  def note(event: SparkListenerEvent, book: EndedSessions): Unit = event match {
    case about: Product if about.productPrefix == Closed => session(about).foreach(book.ends)
    case about: Product if about.productPrefix == Started => session(about).foreach(book.begins)
    case _ => ()
  }

  private def session(about: Product): Option[ClientSession] =
    for {
      user <- field(about, "userId")
      id <- field(about, "sessionId")
    } yield ClientSession(user, id)

  private def field(of: Product, name: String): Option[String] =
    Try(of.getClass.getMethod(name).invoke(of).toString).toOption
}
