package dev.ember.contain

import scala.collection.mutable

/** The driver's answer to an executor that wants to run a function in its own process. */
sealed trait Answer

object Answer {
  case object Yes extends Answer

  /** Another executor tries it; or, with a cautious driver, nobody has yet. */
  case object NotYet extends Answer
  final case class Never(why: String) extends Answer
}

/** How an executor means to run a function. */
sealed trait Wish

object Wish {

  /** It has another way, so one executor may try first. */
  case object Try extends Wish

  /** It has another way, and nothing unknown is to be tried in an executor. */
  case object OnlyProven extends Wish

  /** Its user has allowed no other lane. */
  case object Insist extends Wish
}

/**
 * What one application knows of its functions. Kept by the driver.
 *
 * {{{
 *   unknown --first asks--> on trial in that executor --a batch is done, anywhere--> proven
 *      ^  `--a batch is done, anywhere--> proven               |                        |
 *      `------------ the executor ends in good order ----------'                        |
 *   any --its executor dies while it runs, or it does other harm--> shut out <----------'
 *   shut out --the dead executor's journal does not name it--> unknown
 * }}}
 *
 * @param isAlive
 *   whether the scheduler still counts on an executor; asked at each question, since a task may be tried again
 *   before the news of the loss has gone around
 * @param say
 *   tells the user
 * @param mostFunctions
 *   beyond which functions that are not shut out become unknown again, first who was asked about longest ago
 */
final class QuarantineBook(
    isAlive: String => Boolean,
    say: String => Unit,
    mostFunctions: Int = QuarantineBook.MostFunctions) {
  import QuarantineBook._

  private val standings = mutable.LinkedHashMap.empty[String, Standing]
  private val names = mutable.LinkedHashMap.empty[String, String]
  private val running = mutable.Map.empty[String, Set[String]]

  def mayEmbed(executor: String, function: String, name: String, wish: Wish): Answer =
    synchronized {
      running.keySet.toSeq.filterNot(isAlive).foreach(suspect)
      names -= function // whoever is asked about stands last
      names(function) = name
      forget()
      val answer = standings.get(function) match {
        case Some(Shut(why, _)) => Answer.Never(why)
        case _ if wish == Wish.Insist => Answer.Yes
        case Some(Proven) => Answer.Yes
        case _ if wish == Wish.OnlyProven => Answer.NotYet
        case Some(OnTrial(other)) if other != executor => Answer.NotYet
        case _ =>
          standings(function) = OnTrial(executor)
          Answer.Yes
      }
      if (answer == Answer.Yes)
        running(executor) = running.getOrElse(executor, Set.empty) + function
      answer
    }

  /** A batch came out of it, wherever. */
  def produced(function: String): Unit = synchronized {
    standings.get(function) match {
      case None | Some(OnTrial(_)) =>
        standings(function) = Proven
        forget()
      case Some(Proven | Shut(_, _)) => ()
    }
  }

  /** `executor` does not run these any more, and is well. */
  def idle(executor: String, functions: Set[String]): Unit = synchronized {
    val left = running.remove(executor).map(_ -- functions).filter(_.nonEmpty)
    left.foreach(still => running(executor) = still)
    functions
      .filter(standings.get(_).contains(OnTrial(executor)))
      .foreach(standings.remove(_): Unit)
  }

  /** It did harm that ended no process. */
  def shut(function: String, name: String, why: String): Unit = synchronized {
    names(function) = name
    shutOut(function, why, None)
  }

  /** Spark says that the executor is gone, and why. */
  def lost(executor: String, reason: String): Unit = synchronized {
    if (ExecutorLoss.mayBeAFunctions(reason)) suspect(executor)
    else {
      running -= executor
      acquit(executor, except = Set.empty)
    }
  }

  /** A dead executor's own journal: what ran when it died. */
  def found(executor: String, functions: Map[String, String]): Unit = synchronized {
    names ++= functions
    running -= executor
    acquit(executor, except = functions.keySet)
    functions.keys.foreach(shutOut(_, died(executor), Some(executor)))
  }

  /** Every function that an executor has asked for or accused. */
  def entries: Seq[Entry] = synchronized {
    names.keySet.union(standings.keySet).toSeq.map(entryOf)
  }

  /** Lets functions by this name or fingerprint into executors again; those that were shut out, as they were. */
  def lift(words: String): Seq[Entry] = synchronized {
    val lifted =
      entries.filter(entry => entry.isShut && (entry.function == words || entry.name == words))
    lifted.foreach { entry =>
      standings.remove(entry.function): Unit
      say(s"Ember runs ${called(entry.function)} in executors again, as was asked")
    }
    lifted
  }

  private def entryOf(function: String): Entry = standings.get(function) match {
    case Some(Shut(why, _)) => Entry(function, called(function), Entry.Shut, Some(why))
    case Some(Proven) => Entry(function, called(function), "proven", None)
    case Some(OnTrial(executor)) =>
      Entry(function, called(function), s"on trial in executor $executor", None)
    case None => Entry(function, called(function), "unknown", None)
  }

  private def forget(): Unit =
    if (names.size > mostFunctions || standings.size > mostFunctions) {
      val busy = running.values.flatten.toSet
      (names.keysIterator ++ standings.keysIterator)
        .find(function => !busy(function) && isForgettable(standings.get(function)))
        .foreach { function =>
          names -= function
          standings -= function
        }
    }

  private def isForgettable(standing: Option[Standing]): Boolean = standing match {
    case None | Some(Proven) => true
    case Some(OnTrial(_) | Shut(_, _)) => false
  }

  private def suspect(executor: String): Unit =
    running.remove(executor).toSeq.flatten.foreach(shutOut(_, died(executor), Some(executor)))

  private def acquit(executor: String, except: Set[String]): Unit =
    standings.toSeq.foreach {
      case (function, Shut(_, Some(`executor`))) if !except(function) =>
        say(
          s"Ember runs ${called(function)} in executors again: executor $executor did not die of it")
        standings -= function
      case (function, OnTrial(`executor`)) => standings -= function
      case _ => ()
    }

  private def shutOut(function: String, why: String, dead: Option[String]): Unit =
    standings.get(function) match {
      case Some(Shut(_, _)) => ()
      case _ =>
        standings(function) = Shut(why, dead)
        say(s"Ember runs ${called(function)} outside of executors from now on: $why")
    }

  private def called(function: String): String = names.getOrElse(function, function)
}

object QuarantineBook {

  /** An application that makes its functions anew for each query has them without end. */
  private val MostFunctions = 10000

  /**
   * One function, as it stands.
   *
   * @param why
   *   why it is shut out, if it is
   */
  final case class Entry(function: String, name: String, standing: String, why: Option[String]) {
    def isShut: Boolean = standing == Entry.Shut
  }

  object Entry {
    private[contain] val Shut = "quarantined"
  }

  private sealed trait Standing
  private case object Proven extends Standing
  private final case class OnTrial(executor: String) extends Standing
  private final case class Shut(why: String, deadExecutor: Option[String]) extends Standing

  private def died(executor: String): String = s"executor $executor died while it ran"
}
