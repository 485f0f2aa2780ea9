package dev.ember.reason

import java.util.concurrent.ConcurrentHashMap

import org.apache.spark.internal.Logging

/** Says each reason once for the process. */
object ReasonLog extends Logging {
  private val said = ConcurrentHashMap.newKeySet[FallbackReason]()
  private val most = 100 // reasons hold texts of others, which may never be the same twice

  def once(reason: FallbackReason): Unit =
    if (said.size < most && said.add(reason))
      logInfo(s"Ember leaves functions to Spark's own runner: $reason")
}
