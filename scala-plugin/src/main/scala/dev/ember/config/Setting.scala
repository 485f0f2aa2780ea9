package dev.ember.config

import scala.util.Try

/**
 * One setting: its key, default and unit, what it means, and how its text is read. The documentation is made
 * from the same value.
 *
 * @param unit
 *   what the value counts, or which words it may be
 */
final class Setting[T](val key: String, val default: T, val unit: String, val doc: String)(
    parse: String => Either[String, T]) {

  /** The value that `source` has for the key, or the default. A text that means nothing is an error. */
  def read(source: String => Option[String]): T = source(key).map(_.trim) match {
    case None => default
    case Some(text) =>
      parse(text).fold(why => throw new InvalidSetting(s"$key = $text: $why"), identity)
  }

  /** What a text has to be, in the words of the error; nothing if every text will do. */
  def demand: Option[String] = parse("").left.toOption
}

/** A setting was given a text that it cannot read. The message names the key. */
final class InvalidSetting(message: String) extends IllegalArgumentException(message)

object Setting {
  val boolean: String => Either[String, Boolean] = text =>
    Try(text.toLowerCase(java.util.Locale.ROOT).toBoolean).toOption.toRight("must be true or false")

  val positiveInt: String => Either[String, Int] = text =>
    Try(text.toInt).toOption.filter(_ > 0).toRight("must be a whole number above zero")

  val seconds: String => Either[String, Int] = text =>
    Try(text.toInt).toOption
      .filter(_ >= 0)
      .toRight("must be a whole number of seconds, zero or more")

  val folder: String => Either[String, Option[String]] = text =>
    Right(Some(text).filter(_.nonEmpty))

  def word[T](words: Seq[(String, T)]): String => Either[String, T] = text =>
    words
      .collectFirst { case (word, value) if word.equalsIgnoreCase(text) => value }
      .toRight(words.map(_._1).mkString("must be one of ", ", ", ""))
}
