package dev.ember.metrics

import org.apache.spark.SparkContext
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}

import dev.ember.reason.FallbackReason
import dev.ember.session.Choice

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
  val BatchesForSpark = "emberBatchesForSpark"
  val Abandoned = "emberAbandoned"
  val Moves = "emberMoves"
  val MovesWithin = "emberMovesWithin"
  val FunctionTime = "emberFunctionTime"
  val FunctionCpuTime = "emberFunctionCpuTime"
  val LockWait = "emberLockWait"
  val ConversionTime = "emberConversionTime"

  def reason(name: String): String = s"emberReason$name"

  def choice(made: Choice): String = s"emberChoice${made.name}"

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
      BatchesForSpark -> "Ember: batches received that Spark's own code made rows of",
      Abandoned -> "Ember: threads abandoned",
      Moves -> "Ember: sessions on another lane than the last in the same circumstances",
      MovesWithin -> "Ember: sessions that went on on the other lane")
    val times = Seq(
      OpenTime -> "Ember: time to open sessions",
      FunctionTime -> "Ember: time in functions",
      FunctionCpuTime -> "Ember: CPU time of functions' threads",
      LockWait -> "Ember: waits for Python's lock between batches",
      ConversionTime -> "Ember: time in conversions")
    val choices = Choice.all.map(made => choice(made) -> s"Ember: lane chosen, ${made.name}")
    val reasons =
      FallbackReason.ofSessions.map(name => reason(name) -> s"Ember: not embedded, $name")
    val counted = (counts ++ choices ++ reasons).map { case (key, words) =>
      key -> SQLMetrics.createMetric(context, words)
    }
    val timed = times.map { case (key, words) =>
      key -> SQLMetrics.createNanoTimingMetric(context, words)
    }
    (counted ++ timed).toMap
  }
}
