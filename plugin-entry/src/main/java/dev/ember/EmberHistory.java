package dev.ember;

import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.status.AppHistoryServerPlugin;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.ui.SparkUI;
import scala.collection.immutable.Nil$;
import scala.collection.immutable.Seq;

/** What a history server's service loader finds: the page "Ember" of applications, where the jar is for its Spark. */
public final class EmberHistory implements AppHistoryServerPlugin, ListenersOfScala212 {
  @Override
  @SuppressWarnings("unchecked")
  public Seq<SparkListener> createListeners(SparkConf conf, ElementTrackingStore store) {
    ListenersOfScala212 page = (ListenersOfScala212) page();
    return (Seq<SparkListener>) (page == null ? (Seq<?>) Nil$.MODULE$ : page.createListeners(conf, store));
  }

  @Override
  public void setupUI(SparkUI ui) {
    AppHistoryServerPlugin page = page();
    if (page != null) {
      page.setupUI(ui);
    }
  }

  private static AppHistoryServerPlugin page() {
    return ForThisSpark.make(AppHistoryServerPlugin.class, "org.apache.spark.ui.ember.EmberHistoryPage");
  }
}
