package dev.ember;

import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.status.ElementTrackingStore;
import scala.collection.Seq;

/**
 * What {@code createListeners} gives is another type to Scala 2.12. A class that has this beside Spark's own trait gets a
 * method for each from the compiler: so a history server of either can ask a jar that is not for it, and what is asked
 * there can ask the page of a jar for either.
 */
public interface ListenersOfScala212 {
  Seq<SparkListener> createListeners(SparkConf conf, ElementTrackingStore store);
}
