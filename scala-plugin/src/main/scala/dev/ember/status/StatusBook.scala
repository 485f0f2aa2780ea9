package dev.ember.status

import scala.collection.mutable

/**
 * What executors have told the driver of themselves and of their functions. Kept by the driver.
 *
 * @param mostFunctions
 *   beyond which the one that was told of first is forgotten, until an executor tells of it again
 */
final class StatusBook(mostFunctions: Int = StatusBook.MostFunctions) {
  private val executors = mutable.LinkedHashMap.empty[String, ExecutorFacts]
  private val functions =
    mutable.LinkedHashMap.empty[String, mutable.LinkedHashMap[String, FunctionTotals]]
  private val changed = mutable.LinkedHashSet.empty[String]

  def told(executor: String, facts: ExecutorFacts): Unit =
    synchronized(executors.update(executor, facts))

  /** The newest sums of an executor, in the place of those before. */
  def told(executor: String, function: String, totals: FunctionTotals): Unit = synchronized {
    val ofAll = functions.getOrElseUpdate(function, mutable.LinkedHashMap.empty)
    ofAll.remove(executor): Unit // the newest stands last
    ofAll.update(executor, totals)
    changed += function
    if (functions.size > mostFunctions) forget(functions.head._1)
  }

  private def forget(function: String): Unit = {
    functions.remove(function): Unit
    changed.remove(function): Unit
  }

  /** It is gone; what its functions did there still counts. */
  def lost(executor: String): Unit = synchronized(executors.remove(executor): Unit)

  /** Executors that live, in the order in which they told of themselves first. */
  def living: Seq[(String, ExecutorFacts)] = synchronized(executors.toSeq)

  /** Every function by its fingerprint, all executors together. */
  def totals: Seq[(String, FunctionTotals)] = synchronized(functions.keys.toSeq.map(totalsOf))

  /** Those of the functions that were told of since the last call. */
  def takeChanges(): Seq[(String, FunctionTotals)] = synchronized {
    val changes = changed.toSeq.map(totalsOf)
    changed.clear()
    changes
  }

  private def totalsOf(function: String): (String, FunctionTotals) =
    function -> functions(function).values.reduce(_.and(_))
}

object StatusBook {

  /** An application that makes its functions anew for each query has them without end. */
  private val MostFunctions = 10000
}
