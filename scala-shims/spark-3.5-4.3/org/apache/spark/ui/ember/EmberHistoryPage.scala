package org.apache.spark.ui.ember

import scala.annotation.meta.getter

import org.apache.spark.SparkConf
import org.apache.spark.scheduler.{SparkListener, SparkListenerEvent}
import org.apache.spark.status.{AppHistoryServerPlugin, ElementTrackingStore, KVUtils}
import org.apache.spark.ui.SparkUI
import org.apache.spark.util.kvstore.KVIndex

import dev.ember.ListenersOfScala212
import dev.ember.status.{StatusEvent, StatusSnapshot}

/** The history server's half of the tab: it keeps what an event log was told, and shows it. */
final class EmberHistoryPage extends AppHistoryServerPlugin with ListenersOfScala212 {
  override def createListeners(conf: SparkConf, store: ElementTrackingStore): Seq[SparkListener] =
    Seq(new SparkListener {
      override def onOtherEvent(event: SparkListenerEvent): Unit = event match {
        case StatusEvent(told) =>
          told.foreach(words => store.write(new ToldWords(StatusSnapshot.about(words), words)))
        case _ => ()
      }
    })

  override def setupUI(ui: SparkUI): Unit = {
    val told = KVUtils.viewToSeq(ui.store.store.view(classOf[ToldWords])).map(_.words)
    if (told.nonEmpty) {
      val found = StatusSnapshot.of(told)
      ui.attachTab(new EmberTab(ui, () => found))
    }
  }
}

/** As the history server keeps it, on disk too. */
final class ToldWords(@(KVIndex @getter) val about: String, val words: Seq[String])
