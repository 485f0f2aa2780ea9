package dev.ember.reason

import java.util.concurrent.ConcurrentHashMap

import org.apache.spark.internal.Logging

/** Says each reason once for the process, with its first words. */
object ReasonLog extends Logging {
  private val said = ConcurrentHashMap.newKeySet[String]()

  def once(reason: FallbackReason): Unit =
    if (said.add(reason.name)) logInfo(s"Ember leaves functions to Spark's own runner: $reason")
}
