package org.apache.spark.sql.execution.python.ember

import java.io.File

import org.apache.spark.{SparkContext, SparkFiles, TaskContext}

import dev.ember.config.Trust
import dev.ember.session.contract.{ClientSession, Scope}

/** Whose functions a task runs, as Spark lets it know. */
object TaskScope {

  /**
   * @param artifacts
   *   Spark's name for what the session brings
   * @param includes
   *   the archives of Python's among them
   */
  def of(
      trust: Trust,
      artifacts: Option[String],
      includes: Set[String],
      context: TaskContext): Scope =
    Scope.of(trust, artifacts, client(context))(includes.nonEmpty || artifacts.exists(hasFiles))

  private def client(context: TaskContext): Option[ClientSession] =
    Option(context.getLocalProperty(SparkContext.SPARK_JOB_TAGS)).flatMap { tags =>
      ClientSession.of(tags.split(SparkContext.SPARK_JOB_TAGS_SEP))
    }

  /** Jars of the application lie in every session's folder; Python finds nothing in them there. */
  private def hasFiles(artifacts: String): Boolean = {
    val names = new File(SparkFiles.getRootDirectory(), artifacts).list()
    Option(names).exists(_.exists(!_.endsWith(".jar")))
  }
}
