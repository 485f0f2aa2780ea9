package dev.ember.session

import java.util.{LinkedHashMap => JLinkedHashMap, Map => JMap}

import scala.collection.mutable

import org.apache.spark.internal.Logging

/**
 * What this executor has learnt of its functions, and which sessions are open in it.
 *
 * {{{
 *   choose | enter --> Visit (open) --used--> figures --leave--> gone
 * }}}
 */
class LaneBooks(mostFunctions: Int) extends Logging {
  private val known = new JLinkedHashMap[Fingerprint, LaneBooks.Page](16, 0.75f, true) {
    override def removeEldestEntry(eldest: JMap.Entry[Fingerprint, LaneBooks.Page]): Boolean =
      size > mostFunctions
  }
  private val inside = mutable.LinkedHashSet.empty[Visit]
  private var worker = LaneChoice.FirstWorker
  private var embedding = LaneChoice.FirstWorker

  /** Chooses for a session and opens its visit, so that who chooses next sees it. */
  def choose(task: Long, function: Fingerprint, places: Int): Visit = synchronized {
    val page = pageOf(function)
    val others = inside.toSeq.map { visit =>
      val held = LaneChoice.heldBy(pageOf(visit.function).figures)
      LaneChoice.Neighbour(visit.task, visit.function, held)
    }
    val asked = LaneChoice.Asked(task, function, page.figures, worker)
    val choice = LaneChoice.choose(asked, others, places)
    if (Choice.tries(choice)) page.figures = page.figures.tried(choice)
    logDebug(s"Function $function, task $task, beside ${others.size}: $choice. ${page.figures}")
    open(new Visit(task, function, Some(choice), choice.apart))
  }

  /** Opens the visit of a session whose lane was named. */
  def enter(task: Long, function: Fingerprint, apart: Boolean): Visit = synchronized {
    open(new Visit(task, function, None, apart))
  }

  /** What is known of a function. */
  def figures(function: Fingerprint): Figures = synchronized(pageOf(function).figures)

  private def pageOf(function: Fingerprint): LaneBooks.Page =
    known.computeIfAbsent(function, _ => new LaneBooks.Page)

  private def open(visit: Visit): Visit = {
    val page = pageOf(visit.function)
    val alone = inside.isEmpty
    visit.moved = page.last.get(alone).exists(_ != visit.isApart)
    page.last = page.last.updated(alone, visit.isApart)
    if (visit.moved) logDebug(s"Function ${visit.function} moves to ${visit.where}")
    seat(visit)
  }

  private def seat(visit: Visit): Visit = {
    if (!visit.isApart) {
      visit.accompanied = inside.nonEmpty
      inside.foreach(_.accompanied = true)
      inside += visit
    }
    visit
  }

  /** One session between its opening and its end. */
  final class Visit private[LaneBooks] (
      val task: Long,
      val function: Fingerprint,
      val choice: Option[Choice],
      val isApart: Boolean) {
    private[LaneBooks] var accompanied = false
    private[LaneBooks] var moved = false

    /** Whether its function ran on the other lane the last time that the executor was empty, or was not. */
    def hasMoved: Boolean = moved

    def company: Company = companyOf(accompanied)

    private def companyOf(others: Boolean): Company =
      if (isApart) Company.Apart else if (others) Company.Beside else Company.Alone

    private[LaneBooks] def where: String = if (isApart) "workers" else "the executor"

    /**
     * The visit on the other lane with which a session goes on that has lost more on this one than it takes to open
     * there, or that may not stay. Nobody is beside it here from now on, for it only comes to its end.
     */
    def onward(effort: Effort, mayStay: Boolean): Option[Visit] = LaneBooks.this.synchronized {
      val others = inside.exists(_ ne this)
      val lost = LaneChoice.lost(effort, companyOf(others), pageOf(function).figures)
      val price = if (isApart) embedding else worker
      val possible = !isApart || !others
      if (!possible || (mayStay && lost <= price)) None
      else {
        inside -= this
        val choice = if (isApart) Choice.MovesInside else Choice.MovesApart
        val next = new Visit(task, function, Some(choice), !isApart)
        logDebug(
          f"Function $function, task $task, goes on in ${next.where}: " +
            f"it lost ${lost / 1e6}%.1f ms, and to open there takes ${price / 1e6}%.1f ms")
        Some(seat(next))
      }
    }

    /** It could not go on elsewhere. */
    def stay(): Unit = LaneBooks.this.synchronized(seat(this)): Unit

    /** It runs on the other lane than was chosen, which could not be had. */
    def turn(): Visit = LaneBooks.this.synchronized {
      leave()
      open(new Visit(task, function, choice, !isApart))
    }

    /** It took so long to open. */
    def opened(nanos: Long): Unit = LaneBooks.this.synchronized {
      if (isApart) worker = nanos.toDouble else embedding = nanos.toDouble
    }

    def used(effort: Effort): Unit = LaneBooks.this.synchronized {
      val page = pageOf(function)
      page.figures = page.figures.and(company, effort)
    }

    def leave(): Unit = LaneBooks.this.synchronized(inside -= this): Unit
  }
}

object LaneBooks {
  private final class Page {
    var figures: Figures = Figures.none

    /** Whether the last session ran apart: of those that found the executor empty, and of the others. */
    var last: Map[Boolean, Boolean] = Map.empty
  }
}

/** The books of this process. */
object ExecutorBooks extends LaneBooks(mostFunctions = 1000)
