package dev.ember.status

import org.apache.spark.scheduler.SparkListenerEvent

/**
 * What the event log is told of Ember, for the history server's page.
 *
 * @param told
 *   the words of `StatusLink` and `StatusSnapshot`, of each thing that has changed
 */
final case class StatusEvent(told: Seq[Seq[String]]) extends SparkListenerEvent
