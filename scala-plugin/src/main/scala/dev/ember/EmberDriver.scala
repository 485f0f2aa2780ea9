package dev.ember

import java.util.Collections

import scala.util.control.NonFatal

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.api.plugin.{DriverPlugin, PluginContext}
import org.apache.spark.internal.Logging
import org.apache.spark.sql.execution.python.ember.ClusterView
import org.apache.spark.ui.ember.EmberTab

import dev.ember.config.EmberConf
import dev.ember.contain.{QuarantineBook, TaskLink}
import dev.ember.explain.ExplainProvider
import dev.ember.status.{DriverStatus, StatusBook, StatusLog}

/** Adds the plan rule to the settings that sessions are made from; none has been made yet. */
private[ember] final class EmberDriver extends DriverPlugin with Logging {
  private var events: Option[StatusLog] = None
  private var executors: Option[ClusterView] = None

  override def init(context: SparkContext, plugin: PluginContext): java.util.Map[String, String] = {
    val conf = plugin.conf()
    EmberConf.read(
      conf.getOption): Unit // a wrong setting stops the application here, not a query later
    append(conf, "spark.sql.extensions", EmberExtensions.name)
    ExplainProvider.setting.foreach { case (key, name) => append(conf, key, name) }
    val view = new ClusterView(context)
    executors = Some(view)
    val books = keepBooks(view)
    show(context, books)
    events = Some(keepLog(view, books))
    Collections.emptyMap()
  }

  /** Executors with this process as theirs have told all by now; Spark still writes its event log. */
  override def shutdown(): Unit = events.foreach(_.close())

  override def receive(message: AnyRef): AnyRef =
    executors
      .flatMap(view => TaskLink.receive(view.kill, message))
      .getOrElse(DriverStatus.get.map(_.receive(message)).orNull)

  private def keepBooks(view: ClusterView): DriverStatus = {
    val quarantine = new QuarantineBook(view.isAlive, logWarning(_))
    val books = DriverStatus(new StatusBook, quarantine)
    view.whenLost(books.lost)
    view.whenClientsEnd(books.clients)
    DriverStatus.set(books)
    books
  }

  private def keepLog(view: ClusterView, books: DriverStatus): StatusLog = {
    val made = new StatusLog(books, view.log)
    view.whenJobEnds(() => made.jobEnded())
    made
  }

  private def show(context: SparkContext, books: DriverStatus): Unit =
    try EmberTab.attach(context, books)
    catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember has no page in the web UI", error)
    }

  private def append(conf: SparkConf, key: String, name: String): Unit = {
    val names = conf.getOption(key).toSeq.flatMap(_.split(",")).map(_.trim).filter(_.nonEmpty)
    if (!names.contains(name)) conf.set(key, (names :+ name).mkString(",")): Unit
  }
}
