package dev.ember.session.contract

import java.nio.file.Paths

import scala.jdk.CollectionConverters._

import dev.ember.config.Trust

/** Whose functions may meet in one process: those of one scope, and never those of two. */
sealed trait Scope {

  /** Whether there will be functions of it for as long as the application lives. */
  def lasts: Boolean

  /** Whether a file is one that it brings and nobody else has. */
  def brings(path: String): Boolean = false
}

object Scope {

  /** The application's own session, and those of clients who trust one another. */
  case object Application extends Scope {
    override def lasts: Boolean = true
    override def toString: String = "the application"
  }

  /** Sessions of one user. */
  final case class User(name: String) extends Scope {
    override def lasts: Boolean = true
    override def toString: String = s"user $name"
  }

  /**
   * One session.
   *
   * @param name
   *   tells it from all others
   * @param client
   *   whose it is, where Spark says when it ends
   */
  final case class Session(name: String, client: Option[ClientSession]) extends Scope {
    override def lasts: Boolean = false

    /** Spark has what a session brings below a folder of its name. */
    override def brings(path: String): Boolean =
      Paths.get(path).normalize().iterator().asScala.exists(_.toString == name)
    override def toString: String = s"session $name"
  }

  /**
   * The one rule. An application without clients, whose sessions Spark does not keep apart, is one scope.
   *
   * @param artifacts
   *   Spark's name for what the session brings, where it keeps sessions apart
   * @param bringsFiles
   *   whether a function may find files there that others do not
   */
  def of(trust: Trust, artifacts: Option[String], client: Option[ClientSession])(
      bringsFiles: => Boolean): Scope = {
    def alone: Scope = artifacts
      .orElse(client.map(_.id))
      .fold[Scope](Application)(Session(_, client))
    trust match {
      case Trust.Nobody | Trust.Session => alone
      case Trust.User =>
        client
          .filter(_.user.nonEmpty)
          .filterNot(_ => bringsFiles)
          .fold(alone)(session => User(session.user))
      case Trust.Application => if (bringsFiles) alone else Application
    }
  }

  /**
   * Whether functions of the scope may run in an executor. Its interpreter cannot be made as new, so it is for those
   * who will not be followed by others.
   */
  def mayEmbed(trust: Trust, scope: Scope): Boolean = trust != Trust.Nobody && scope.lasts
}
