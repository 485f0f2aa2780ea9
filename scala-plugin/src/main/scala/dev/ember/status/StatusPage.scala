package dev.ember.status

import java.util.Locale

import scala.xml.{Node, Text}

/** What the page "Ember" of Spark's web UI says, as tables that scroll where they are too wide. */
object StatusPage {
  def content(found: StatusSnapshot): Seq[Node] =
    section("Executors", executors(found), "No executor has told of itself yet.") ++
      section("Functions", functions(found), "No Python function has run yet.") ++ legend

  /** A cell, and what its column is sorted by where that is not its text. */
  private final case class Cell(text: String, key: Option[Long] = None) {
    def node: Node = <td sorttable_customkey={key.map(number => Text(number.toString))}>{text}</td>
  }

  private final case class Table(id: String, heads: Seq[String], rows: Seq[Seq[Cell]]) {
    def node: Node =
      <div class="table-responsive">
        <table id={id} class="table table-bordered table-hover table-sm table-striped sortable">
          <thead><tr>{heads.map(head => <th style={widths.get(head)}>{head}</th>)}</tr></thead>
          <tbody>{rows.map(row => <tr>{row.map(_.node)}</tr>)}</tbody>
        </table>
      </div>
  }

  /** Of columns of sentences, which a narrow screen would make towers of. */
  private val widths: Map[String, Text] =
    Seq("Lane chosen because", "Problem", "Standing").map(_ -> Text("min-width: 12em")).toMap

  private def section(title: String, table: Table, empty: String): Seq[Node] =
    Seq(<h4>{title}</h4>, if (table.rows.isEmpty) <p>{empty}</p> else table.node)

  private def executors(found: StatusSnapshot): Table = Table(
    "ember-executors",
    Seq("Executor", "Host", "Python", "Library", "Memory", "Threads abandoned", "Problem"),
    found.executors.map { case (executor, facts) =>
      Seq(
        Cell(executor),
        Cell(facts.host),
        Cell((facts.version ++ facts.python).mkString(" at ")),
        Cell(facts.library.getOrElse("")),
        Cell(bytes(facts.residentBytes), Some(facts.residentBytes)),
        Cell(facts.abandoned.toString),
        Cell(facts.problem.getOrElse("none")))
    })

  private def functions(found: StatusSnapshot): Table = Table(
    "ember-functions",
    Seq(
      "Function",
      "Sessions in executors",
      "Sessions in workers",
      "Sessions on Spark's runner",
      "Rows",
      "Rows a second in executors",
      "Rows a second in workers",
      "Time in Python",
      "Time in conversions",
      "Waiting for Python's lock",
      "Waiting for batches",
      "Lane chosen because",
      "Why on Spark's runner",
      "Standing"),
    found.functions.map(function))

  private def function(status: FunctionStatus): Seq[Cell] = {
    val FunctionStatus(_, totals, standing) = status
    val lanes = totals.inExecutor.and(totals.inWorkers)
    Seq(
      Cell(totals.name),
      count(totals.inExecutor.sessions),
      count(totals.inWorkers.sessions),
      count(totals.onSpark.values.sum),
      count(lanes.rows),
      rate(totals.inExecutor),
      rate(totals.inWorkers),
      duration(lanes.busyNanos),
      duration(lanes.convertNanos),
      duration(lanes.lockNanos),
      duration(lanes.idleNanos),
      Cell(status.becauseOf.getOrElse("")),
      Cell(reasons(totals.onSpark)),
      Cell(standing.fold("")(entry => (Seq(entry.standing) ++ entry.why).mkString(": "))))
  }

  private def reasons(onSpark: Map[String, Long]): String =
    onSpark.toSeq.sortBy(-_._2).map { case (reason, times) => s"$reason: $times" }.mkString(", ")

  private def count(number: Long): Cell = Cell(written("%,d", number), Some(number))

  private def rate(lane: LaneTotals): Cell =
    if (lane.busyNanos == 0) Cell("")
    else count((lane.rows.toDouble * 1e9 / lane.busyNanos.toDouble).round)

  private def duration(nanos: Long): Cell = {
    val seconds = nanos.toDouble / 1e9
    val text =
      if (seconds < 1) written("%.1f ms", seconds * 1e3)
      else if (seconds < 60) written("%.1f s", seconds)
      else if (seconds < 3600) written("%.1f min", seconds / 60)
      else written("%.1f h", seconds / 3600)
    Cell(text, Some(nanos))
  }

  private def bytes(number: Long): String = {
    val mebibytes = number.toDouble / (1L << 20).toDouble
    if (mebibytes < 1024) written("%.0f MiB", mebibytes)
    else written("%.1f GiB", mebibytes / 1024)
  }

  private def written(form: String, number: Any): String = form.formatLocal(Locale.US, number)

  private def legend: Seq[Node] =
    <p class="text-muted">
      A session is one function, or one chain of them, over one partition. Rows a second are those of the time in
      Python; conversions run beside it, in the task. Executors tell what has changed a fifth of a second after it
      did; an event log has what they told until the application ended. The same figures are the rows of
      <code>ember_status()</code> and <code>ember_functions()</code>; why a node of a plan is not embedded is in
      EXPLAIN, and in the plans of the SQL tab.
    </p>
}
