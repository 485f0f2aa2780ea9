package dev.ember.status

import java.util.{LinkedHashMap => JLinkedHashMap, Map => JMap}

import scala.collection.mutable

import dev.ember.contain.FunctionRun
import dev.ember.reason.FallbackReason
import dev.ember.session.{Choice, Effort}

/** What this executor has seen of its functions, and what of it has not been told yet. */
class FunctionLedger(mostFunctions: Int) {
  private val known = new JLinkedHashMap[String, FunctionTotals](16, 0.75f, true) {
    override def removeEldestEntry(eldest: JMap.Entry[String, FunctionTotals]): Boolean =
      size > mostFunctions
  }
  private val untold = mutable.LinkedHashSet.empty[String]
  private var listener: Option[() => Unit] = None

  /** A session of `run` has ended. */
  def ran(run: FunctionRun, apart: Boolean, choice: Option[Choice], effort: Effort): Unit =
    change(run.fingerprint, run.name)(_.ran(apart, choice, effort))

  /** A session of the function went to Spark's own runner. */
  def stayed(fingerprint: String, name: String, reason: FallbackReason): Unit =
    change(fingerprint, name)(_.stayed(reason.name))

  /** Calls `heard` when there is something to tell where there was nothing. */
  def whenChanged(heard: () => Unit): Unit = synchronized { listener = Some(heard) }

  /** What has changed since the last call, by fingerprint. */
  def takeChanges(): Seq[(String, FunctionTotals)] = synchronized {
    val changes =
      untold.toSeq.flatMap(function => Option(known.get(function)).map(function -> _))
    untold.clear()
    changes
  }

  /** Forgets every function, and who hears of them. */
  def clear(): Unit = synchronized {
    known.clear()
    untold.clear()
    listener = None
  }

  private def change(fingerprint: String, name: String)(
      made: FunctionTotals => FunctionTotals): Unit = {
    val call = synchronized {
      val first = untold.isEmpty
      known.put(
        fingerprint,
        made(Option(known.get(fingerprint)).getOrElse(FunctionTotals(name)))): Unit
      untold += fingerprint
      listener.filter(_ => first)
    }
    call.foreach(_())
  }
}

/** That of this process. */
object ExecutorLedger extends FunctionLedger(mostFunctions = 1000)
