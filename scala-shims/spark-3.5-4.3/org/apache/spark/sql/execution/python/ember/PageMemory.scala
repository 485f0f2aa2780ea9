package org.apache.spark.sql.execution.python.ember

import org.apache.spark.memory.{MemoryConsumer, TaskMemoryManager}

/**
 * The native memory of a row session, charged to its task: to the pool in which Spark would have kept the queue of
 * rows that the pages replace.
 *
 * What the pool cannot give, even after the task's other operators have spilled, stays uncharged: a session's pages
 * are a few batches, and Spark, which would have gone on with its queue on disk, would not have failed either.
 */
private[ember] final class PageMemory(task: TaskMemoryManager)
    extends MemoryConsumer(task, task.getTungstenMemoryMode) {

  /** Charges so that `bytes` are held, or as many as there are. */
  def hold(bytes: Long): Unit = {
    val more = bytes - getUsed
    if (more > 0) acquireMemory(more): Unit
    else if (more < 0) freeMemory(-more)
  }

  /** Pages are in use until they are given back: there is nothing to spill. */
  override def spill(size: Long, trigger: MemoryConsumer): Long = 0L
}
