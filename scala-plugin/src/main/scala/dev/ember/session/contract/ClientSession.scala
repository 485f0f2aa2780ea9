package dev.ember.session.contract

/** A session of a Spark Connect client, as client and server call it. The user is who the client says it is. */
final case class ClientSession(user: String, id: String)

object ClientSession {

  /** What Spark's server tags the jobs of an operation with. An id is a UUID, so a user's name cannot feign one. */
  private val Operation =
    "SparkConnect_OperationTag_User_(.*)_Session_([0-9A-Fa-f-]+)_Operation_[0-9A-Fa-f-]+".r

  /** The session that a job with these tags runs for, if it is a client's. */
  def of(tags: Iterable[String]): Option[ClientSession] =
    tags.collectFirst { case Operation(user, id) => ClientSession(user, id) }
}
