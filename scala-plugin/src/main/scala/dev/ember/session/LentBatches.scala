package dev.ember.session

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

import dev.ember.nativeapi.Native

/**
 * The input batches that Python still refers to. A function may keep a batch for as long as it likes, in a
 * global even, so this outlives sessions and tasks.
 */
final class LentBatches(native: Native) {
  private val lent = new ConcurrentHashMap[Long, AutoCloseable]
  private val tokens = new AtomicLong

  /** Registers `memory` before `offer` is called with its token; takes it back if `offer` throws. */
  def lend(memory: AutoCloseable)(offer: Long => Unit): Unit = {
    val token = tokens.incrementAndGet()
    lent.put(token, memory): Unit
    try offer(token)
    catch {
      case refused: Throwable =>
        free(token)
        throw refused
    }
  }

  /** Frees what Python has dropped since the last call. */
  def collect(): Unit = if (!lent.isEmpty) native.released().foreach(free)

  def size: Int = lent.size

  private def free(token: Long): Unit = Option(lent.remove(token)).foreach(_.close())
}
