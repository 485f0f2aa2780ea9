package dev.ember.contain

import org.apache.spark.api.plugin.PluginContext

/** How an executor has Spark kill an attempt of a task: the driver alone can ask for that. */
trait TaskLink {

  /** Whether Spark knows the attempt. It kills it in its own time. */
  def kill(attempt: Long, why: String): Boolean
}

/** The same as a message of Spark's plugin channel: an array of text, as `DriverLink` has them. */
object TaskLink {
  private val Word = "kill-attempt"

  /** An executor's end. */
  def to(plugin: PluginContext): TaskLink = (attempt: Long, why: String) =>
    plugin.ask(Array(Word, attempt.toString, why)) match {
      case Array("yes") => true
      case _ => false
    }

  /** The driver's end: the answer, where the message was one of these. */
  def receive(kill: (Long, String) => Boolean, message: AnyRef): Option[AnyRef] = message match {
    case words: Array[String] =>
      words.toList match {
        case Word :: attempt :: why :: Nil =>
          Some(Array(if (kill(attempt.toLong, why)) "yes" else "no"))
        case _ => None
      }
    case _ => None
  }
}
