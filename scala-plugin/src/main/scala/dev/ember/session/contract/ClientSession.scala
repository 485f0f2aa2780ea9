package dev.ember.session.contract

/** A session of a Spark Connect client, as client and server call it. The user is who the client says it is. */
final case class ClientSession(user: String, id: String)

object ClientSession {

  /** What Spark's server tags the jobs of an operation with. An id is a UUID, so a user's name cannot feign one. */
  private val Operation =
    "(?s)SparkConnect_OperationTag_User_(.*)_Session_([0-9A-Fa-f-]+)_Operation_[0-9A-Fa-f-]+".r
  private val Prefix = "SparkConnect_OperationTag"

  /** The session that a job with these tags runs for, if it is a client's; one of its own if they do not say which. */
  def of(tags: Iterable[String]): Option[ClientSession] =
    tags.find(_.startsWith(Prefix)).map {
      case Operation(user, id) => ClientSession(user, id)
      case unknown => ClientSession("", unknown)
    }
}
