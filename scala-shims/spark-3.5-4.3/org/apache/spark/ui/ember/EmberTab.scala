package org.apache.spark.ui.ember

import scala.xml.Node

import org.apache.spark.SparkContext
import org.apache.spark.ui.{SparkUI, SparkUITab, UIUtils, WebUIPage}

import dev.ember.status.{DriverStatus, StatusPage, StatusSnapshot}

/** The tab "Ember" of a web UI: a driver's, or the history server's of one application. */
private[ember] final class EmberTab(ui: SparkUI, found: () => StatusSnapshot)
    extends SparkUITab(ui, "ember") {
  attachPage(new WebUIPage("") {
    override def render(request: Servlet.Request): Seq[Node] =
      UIUtils.headerSparkPage(request, "Ember", StatusPage.content(found()), EmberTab.this)
  })
}

object EmberTab {

  /** Adds it where the application has a web UI. */
  def attach(context: SparkContext, books: DriverStatus): Unit =
    context.ui.foreach(ui => ui.attachTab(new EmberTab(ui, () => StatusSnapshot.of(books))))
}
