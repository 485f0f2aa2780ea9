package dev.ember.clients

import java.util.{Collections, LinkedHashMap => JLinkedHashMap, Map => JMap}

import dev.ember.session.contract.ClientSession

/** Which sessions of clients have ended: the newest of them. Kept by the driver. */
final class EndedSessions(most: Int = 10000) {
  private val ended =
    Collections.newSetFromMap[ClientSession](new JLinkedHashMap[ClientSession, java.lang.Boolean] {
      override def removeEldestEntry(
          eldest: JMap.Entry[ClientSession, java.lang.Boolean]): Boolean = size > most
    })

  def ends(session: ClientSession): Unit = synchronized(ended.add(session): Unit)

  /** A client may come back under the name of a session that it has left. */
  def begins(session: ClientSession): Unit = synchronized(ended.remove(session): Unit)

  def of(sessions: Iterable[ClientSession]): Seq[ClientSession] =
    synchronized(sessions.filter(ended.contains).toSeq)
}
