package dev.ember.status

import scala.util.Try

import org.apache.spark.api.plugin.PluginContext

/** How executors tell the driver of themselves: arrays of text over Spark's plugin channel, as `DriverLink` does. */
trait StatusLink {
  def tell(facts: ExecutorFacts): Unit
  def tell(function: String, totals: FunctionTotals): Unit
}

object StatusLink {
  private val ExecutorWord = "status-executor"
  private val FunctionWord = "status-function"
  private val LaneNumbers = 6

  /** An executor's end; nothing waits for the driver. */
  def to(plugin: PluginContext): StatusLink = new StatusLink {
    private val executor = plugin.executorID()

    override def tell(facts: ExecutorFacts): Unit = plugin.send(words(executor, facts).toArray)

    override def tell(function: String, totals: FunctionTotals): Unit =
      plugin.send(words(executor, function, totals).toArray)
  }

  /** What an executor tells of itself; a text that is not there is null. */
  def words(executor: String, facts: ExecutorFacts): Seq[String] = Seq(
    ExecutorWord,
    executor,
    facts.host,
    facts.python.orNull,
    facts.version.orNull,
    facts.library.orNull,
    facts.problem.orNull,
    facts.residentBytes.toString,
    facts.abandoned.toString,
    facts.workers.toString,
    facts.clients.toString)

  /** What it tells of a function. */
  def words(executor: String, function: String, totals: FunctionTotals): Seq[String] =
    Seq(FunctionWord, executor, function, totals.name, totals.choice.orNull) ++
      numbers(totals.inExecutor) ++ numbers(totals.inWorkers) ++
      totals.onSpark.toSeq.flatMap { case (reason, times) => Seq(reason, times.toString) }

  /** The driver's end: whether the message was for `book`. */
  def receive(book: StatusBook, message: AnyRef): Boolean = message match {
    case Array(ExecutorWord, words @ _*) =>
      executorOf(words).foreach { case (executor, facts) => book.told(executor, facts) }
      true
    case Array(FunctionWord, words @ _*) =>
      functionOf(words).foreach { case (executor, function, totals) =>
        book.told(executor, function, totals)
      }
      true
    case _ => false
  }

  private def executorOf(words: Seq[Any]): Option[(String, ExecutorFacts)] = texts(words) match {
    case Seq(
          executor,
          host,
          python,
          version,
          library,
          problem,
          Number(resident),
          Number(abandoned),
          Number(workers),
          Number(clients)) =>
      val facts = ExecutorFacts(
        host,
        Option(python),
        Option(version),
        Option(library),
        Option(problem),
        resident,
        abandoned.toInt,
        workers.toInt,
        clients.toInt)
      Some(executor -> facts)
    case _ => None
  }

  private def functionOf(words: Seq[Any]): Option[(String, String, FunctionTotals)] =
    texts(words) match {
      case Seq(executor, function, name, choice, rest @ _*) if rest.size >= 2 * LaneNumbers =>
        for {
          inside <- lane(rest.take(LaneNumbers))
          apart <- lane(rest.slice(LaneNumbers, 2 * LaneNumbers))
        } yield {
          val reasons =
            rest.drop(2 * LaneNumbers).grouped(2).collect { case Seq(reason, Number(times)) =>
              reason -> times
            }
          (executor, function, FunctionTotals(name, inside, apart, reasons.toMap, Option(choice)))
        }
      case _ => None
    }

  private def texts(words: Seq[Any]): Seq[String] = words.map {
    case text: String => text
    case _ => null
  }

  private def numbers(lane: LaneTotals): Seq[String] =
    Seq(lane.sessions, lane.rows, lane.busyNanos, lane.lockNanos, lane.idleNanos, lane.convertNanos)
      .map(_.toString)

  private def lane(words: Seq[String]): Option[LaneTotals] = words match {
    case Seq(
          Number(sessions),
          Number(rows),
          Number(busy),
          Number(lock),
          Number(idle),
          Number(converted)) =>
      Some(LaneTotals(sessions, rows, busy, lock, idle, converted))
    case _ => None
  }

  private object Number {
    def unapply(text: String): Option[Long] = Option(text).flatMap(it => Try(it.toLong).toOption)
  }
}
