package dev.ember.metrics

import org.apache.spark.SparkContext
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}

import dev.ember.reason.FallbackReason

/** What an Ember node counts beside Spark's own metrics of Python nodes. The keys are stable. */
object EmberMetrics {
  val Sessions = "emberSessions"
  val ProcessSessions = "emberProcessSessions"
  val Fallbacks = "emberFallbacks"
  val OpenTime = "emberOpenTime"
  val RowsSent = "emberRowsSent"
  val BatchesSent = "emberBatchesSent"
  val BatchesReceived = "emberBatchesReceived"
  val ColumnBatches = "emberColumnBatches"
  val Abandoned = "emberAbandoned"

  def reason(name: String): String = s"emberReason$name"

  /** On the driver, when a node is made. */
  def create(context: SparkContext): Map[String, SQLMetric] = {
    val counts = Seq(
      Sessions -> "Ember: sessions",
      ProcessSessions -> "Ember: sessions in worker processes",
      Fallbacks -> "Ember: sessions on Spark's runner",
      RowsSent -> "Ember: rows lent to Python",
      BatchesSent -> "Ember: batches lent to Python",
      BatchesReceived -> "Ember: batches received from Python",
      ColumnBatches -> "Ember: column batches read without making rows",
      Abandoned -> "Ember: threads abandoned")
    val reasons =
      FallbackReason.ofSessions.map(name => reason(name) -> s"Ember: not embedded, $name")
    (counts ++ reasons).map { case (key, words) =>
      key -> SQLMetrics.createMetric(context, words)
    }.toMap +
      (OpenTime -> SQLMetrics.createNanoTimingMetric(context, "Ember: time to open sessions"))
  }
}
