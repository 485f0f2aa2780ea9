package dev.ember.status

import scala.util.Try

import org.apache.spark.sql.Row
import org.apache.spark.sql.types._

import dev.ember.sampling.Sampling

/**
 * A table function of Ember's: what `SELECT * FROM name()` gives. Its rows are made when a query runs, on the driver.
 *
 * @param arguments
 *   how many texts it takes
 */
sealed abstract class StatusTable(val name: String, val arguments: Int, val usage: String) {
  def schema: StructType
  def rows(books: DriverStatus, words: Seq[String]): Seq[Row]
}

object StatusTable {
  val all: Seq[StatusTable] = Seq(Executors, Functions, Reset, StartSampling, StopSampling)

  object Executors
      extends StatusTable(
        "ember_status",
        0,
        "name() - one row for each executor that Ember is in.") {
    override val schema: StructType = new StructType()
      .add("executor", StringType, nullable = false)
      .add("host", StringType, nullable = false)
      .add("python", StringType)
      .add("version", StringType)
      .add("library", StringType)
      .add("problem", StringType)
      .add("resident_bytes", LongType, nullable = false)
      .add("abandoned_threads", IntegerType, nullable = false)
      .add("worker_processes", IntegerType, nullable = false)
      .add("client_sessions", IntegerType, nullable = false)

    override def rows(books: DriverStatus, words: Seq[String]): Seq[Row] =
      books.book.living.map { case (executor, facts) =>
        Row(
          executor,
          facts.host,
          facts.python.orNull,
          facts.version.orNull,
          facts.library.orNull,
          facts.problem.orNull,
          facts.residentBytes,
          facts.abandoned,
          facts.workers,
          facts.clients)
      }
  }

  object Functions
      extends StatusTable(
        "ember_functions",
        0,
        "name() - one row for each function that has run: where, how fast, and why there.") {
    override val schema: StructType = new StructType()
      .add("function", StringType, nullable = false)
      .add("fingerprint", StringType, nullable = false)
      .add("sessions_in_executor", LongType, nullable = false)
      .add("sessions_in_workers", LongType, nullable = false)
      .add("sessions_on_spark", LongType, nullable = false)
      .add("rows", LongType, nullable = false)
      .add("ns_per_row_in_executor", DoubleType)
      .add("ns_per_row_in_workers", DoubleType)
      .add("lane_choice", StringType)
      .add("lane_choice_because", StringType)
      .add("fallbacks", MapType(StringType, LongType, valueContainsNull = false), nullable = false)
      .add("standing", StringType)
      .add("quarantined_because", StringType)

    override def rows(books: DriverStatus, words: Seq[String]): Seq[Row] =
      FunctionStatus.all(books).map(row)

    private def row(status: FunctionStatus): Row = {
      val FunctionStatus(function, totals, standing) = status
      Row(
        totals.name,
        function,
        totals.inExecutor.sessions,
        totals.inWorkers.sessions,
        totals.onSpark.values.sum,
        totals.inExecutor.rows + totals.inWorkers.rows,
        perRow(totals.inExecutor).orNull,
        perRow(totals.inWorkers).orNull,
        totals.choice.orNull,
        status.becauseOf.orNull,
        totals.onSpark,
        standing.map(_.standing).orNull,
        standing.flatMap(_.why).orNull)
    }

    private def perRow(lane: LaneTotals): Option[java.lang.Double] =
      if (lane.rows > 0) Some(lane.busyNanos.toDouble / lane.rows.toDouble) else None
  }

  object Reset
      extends StatusTable(
        "ember_reset",
        1,
        "name(function) - lets a function that was shut out, by name or fingerprint, into executors again.") {
    override val schema: StructType = new StructType()
      .add("function", StringType, nullable = false)
      .add("fingerprint", StringType, nullable = false)
      .add("quarantined_because", StringType, nullable = false)

    override def rows(books: DriverStatus, words: Seq[String]): Seq[Row] =
      books.quarantine.lift(words.head).map { entry =>
        Row(entry.name, entry.function, entry.why.getOrElse(""))
      }
  }

  object StartSampling
      extends StatusTable(
        "ember_start_sampling",
        1,
        "name(milliseconds) - looks at the tasks of a local master that often; why not, if it does not.") {
    override val schema: StructType = new StructType().add("problem", StringType)

    override def rows(books: DriverStatus, words: Seq[String]): Seq[Row] =
      Seq(Row(Sampling.start(Try(words.head.toInt).getOrElse(0)).left.toOption.orNull))
  }

  object StopSampling
      extends StatusTable(
        "ember_stop_sampling",
        0,
        "name() - ends that, and gives the time of each stack of Java's and Python's frames.") {
    override val schema: StructType = new StructType()
      .add("stack", StringType)
      .add("nanoseconds", LongType)
      .add("problem", StringType)

    override def rows(books: DriverStatus, words: Seq[String]): Seq[Row] =
      Sampling.stop() match {
        case Left(problem) => Seq(Row(null, null, problem))
        case Right(stacks) =>
          stacks.toSeq.map { case (frames, nanos) => Row(frames.mkString(";"), nanos, null) }
      }
  }
}
