package dev.ember.contain

import java.util.concurrent.ConcurrentHashMap

import scala.collection.mutable
import scala.util.control.NonFatal

import org.apache.spark.internal.Logging

import dev.ember.reason.FallbackReason
import dev.ember.session.{Effort, Place, SessionWatch}

/**
 * An executor's side of containment: asks the driver before a function runs in this process, keeps the journal of
 * what does, and tells the driver what came of it.
 *
 * The driver always knows at least what runs here: a function that it does not count as running is asked for
 * again, whatever was answered before.
 */
class Quarantine(clock: () => Long) extends Logging {
  import Quarantine._

  @volatile private var driver: Option[DriverLink] = None
  @volatile private var journal: Option[CrashJournal] = None
  private val uses = mutable.Map.empty[String, Use]
  private val produced = ConcurrentHashMap.newKeySet[String]()
  private val shutHere = ConcurrentHashMap.newKeySet[String]()
  @volatile private var growth: Option[Growth] = None
  private lazy val watched: Unit = SessionWatch.always(() => lookAround())

  /**
   * From now on there is a driver to ask; without one, every function may run. What another one said, with the
   * application before this one, holds no more.
   */
  def connect(link: DriverLink, book: Option[CrashJournal], memory: Growth): Unit = {
    uses.synchronized(uses.clear())
    produced.clear()
    shutHere.clear()
    driver = Some(link)
    journal = book
    growth = Some(memory)
    watched
  }

  /**
   * A place in this process for `run`, if it may run here. It counts as running from before `enter`, which may take
   * long and may import what the function needs, until the place is left.
   */
  def here(run: FunctionRun, wish: Wish)(
      enter: => Either[FallbackReason, Place]): Either[FallbackReason, Place] =
    veto(run, wish).toLeft(()).flatMap { _ =>
      val use = new Running(run)
      var entered = false
      try {
        val place = enter.map(new Watched(_, run, use))
        entered = place.isRight
        place
      } finally if (!entered) use.end()
    }

  private def veto(run: FunctionRun, wish: Wish): Option[FallbackReason] =
    driver.flatMap { link =>
      (if (run.again) None else remembered(run)).getOrElse(ask(link, run, wish)) match {
        case Answer.Yes =>
          shutHere.remove(run.fingerprint): Unit // a user may have lifted it
          None
        case Answer.NotYet => Some(FallbackReason.Unproven)
        case Answer.Never(why) => Some(FallbackReason.Quarantined(why))
      }
    }

  /** `place` in another process, and why it is not in this one. */
  def apart(place: Place, run: FunctionRun, why: Option[FallbackReason]): Place =
    new Apart(place, run, why.filter(isContainment))

  private def isContainment(why: FallbackReason): Boolean = why match {
    case FallbackReason.Unproven | FallbackReason.Quarantined(_) | FallbackReason.LaneAbandoned =>
      true
    case _ => false
  }

  private def remembered(run: FunctionRun): Option[Answer] = uses.synchronized {
    uses.get(run.fingerprint).filter(clock() - _.asked < FreshMs).map(_.answer)
  }

  private def ask(link: DriverLink, run: FunctionRun, wish: Wish): Answer = {
    count(run, 0) // in use: that it is idle is not told between the question and the session
    // A driver that is asked may have forgotten the function, as a user can bid it: it hears of the next batch.
    produced.remove(run.fingerprint): Unit
    val answer =
      try link.mayEmbed(run, wish)
      catch {
        case NonFatal(error) =>
          logWarning("Ember's driver does not answer; a function runs in another process", error)
          Answer.NotYet
      }
    uses.synchronized {
      val before = uses.get(run.fingerprint)
      uses(run.fingerprint) = Use(answer, clock(), before.fold(0)(_.open), clock())
    }
    answer
  }

  private def count(run: FunctionRun, change: Int): Unit = uses.synchronized {
    uses.get(run.fingerprint).foreach { use =>
      uses(run.fingerprint) = use.copy(open = use.open + change, used = clock())
    }
  }

  private def firstBatch(run: FunctionRun): Unit =
    if (produced.add(run.fingerprint)) tell(_.produced(run)): Unit

  /** Whether there is a driver that could be told. */
  private def tell(news: DriverLink => Unit): Boolean =
    try {
      driver.foreach(news)
      driver.nonEmpty
    } catch {
      case NonFatal(error) =>
        logWarning("Ember's driver could not be told", error)
        false
    }

  /** From time to time: what has stopped running here, and what grows. */
  private def lookAround(): Unit = {
    uses.synchronized {
      val now = clock()
      val gone = uses.filter { case (_, use) => use.open == 0 && now - use.used > FreshMs }
      // The driver hears of it before it can be asked again: both go the same way.
      val counted = gone.collect { case (function, use) if use.answer == Answer.Yes => function }
      if (counted.nonEmpty) tell(_.idle(counted)): Unit
      uses --= gone.keys: Unit
    }
    growth.flatMap(_.look(clock())).foreach { case (run, why) =>
      if (tell(_.shut(run, why))) shutHere.add(run.fingerprint): Unit
    }
  }

  /** What is kept while a function may run here: the driver's count, the journal, the watch over memory. */
  private final class Running(run: FunctionRun) {
    private val entry = journal.flatMap(_.begin(run))
    count(run, 1)
    growth.foreach(_.begin(run))

    /** A function that runs on stays in the journal, since it may still do anything. */
    def end(runsOn: Boolean = false): Unit = {
      growth.foreach(_.end(run))
      count(run, -1)
      if (!runsOn) entry.foreach(number => journal.foreach(_.end(number)))
    }
  }

  private final class Watched(place: Place, run: FunctionRun, use: Running)
      extends Place(place.native, place.lent) {
    private var stillRuns = false

    override def apart: Boolean = false
    override def broke(reason: FallbackReason): Unit = place.broke(reason)
    override def mayStay: Boolean = !shutHere.contains(run.fingerprint)
    override def produced(): Unit = firstBatch(run)

    override def runsOnWithoutTask(): Unit = runsOn("it did not stop when it was cancelled")

    override def used(effort: Effort): Unit =
      if (effort.leftThreads) runsOn("threads that it started run on without it")

    private def runsOn(why: String): Unit = {
      stillRuns = true
      tell(_.shut(run, why)): Unit
    }

    override def refuse(why: String): Boolean = tell(_.shut(run, why))

    override protected def giveSeat(): Unit = place.stand()

    override protected def giveBack(): Unit =
      try use.end(stillRuns)
      finally place.leave()
  }

  private final class Apart(place: Place, run: FunctionRun, why: Option[FallbackReason])
      extends Place(place.native, place.lent) {
    override def apart: Boolean = true
    override def setAside: Option[FallbackReason] = why
    override def broke(reason: FallbackReason): Unit = place.broke(reason)
    override def produced(): Unit = firstBatch(run)
    override protected def giveBack(): Unit = place.leave()
  }
}

/** That of this process. */
object Quarantine extends Quarantine(() => System.nanoTime() / 1000000L) {

  /** How long an answer of the driver holds, and how long a function counts as running after its last session. */
  private val FreshMs = 1000L

  /** What the driver said of a function, and what it does here. */
  private final case class Use(answer: Answer, asked: Long, open: Int, used: Long)
}
