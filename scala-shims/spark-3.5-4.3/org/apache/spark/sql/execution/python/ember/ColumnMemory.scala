package org.apache.spark.sql.execution.python.ember

import java.util.concurrent.atomic.AtomicLong

import org.apache.spark.memory.TaskMemoryManager

/** The memory of a session whose batches are columns, charged to its task: what is lent, and what is held beside it. */
private[ember] final class ColumnMemory(task: TaskMemoryManager) {
  private val charged = new PageMemory(task)
  private val inFlight = new AtomicLong

  /** `memory` of so many bytes; it may be given back on the thread of any task. */
  def lent(memory: AutoCloseable, bytes: Long): AutoCloseable = {
    inFlight.addAndGet(bytes): Unit
    () => {
      memory.close()
      inFlight.addAndGet(-bytes): Unit
    }
  }

  /** Charges what is lent at the moment, and so many bytes. */
  def hold(beside: Long): Unit = charged.hold(inFlight.get + beside)

  /** The task has ended. */
  def release(): Unit = charged.hold(0)
}
