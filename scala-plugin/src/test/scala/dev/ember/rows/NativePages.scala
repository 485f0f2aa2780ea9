package dev.ember.rows

import org.apache.spark.unsafe.Platform

/** Pages outside of the heap, as the native library has them: one for each writer, moved when it grows. */
final class NativePages extends AutoCloseable {
  private var pages = Map.empty[Int, (Long, Long)]
  private var moves = 0

  /** How often a page was given new memory. */
  def moved: Int = moves

  def writer(): PageWriter = {
    val number = pages.size
    pages += number -> ((0L, 0L))
    new PageWriter(room(number, _))
  }

  private def room(number: Int, bytes: Long): Long = {
    val (address, size) = pages(number)
    if (size >= bytes) address
    else {
      val larger = Platform.allocateMemory(bytes)
      Platform.copyMemory(null, address, null, larger, size)
      // What a writer kept from before must not look right.
      Platform.setMemory(address, -1, size)
      if (size > 0) Platform.freeMemory(address)
      moves += 1
      pages += number -> ((larger, bytes))
      larger
    }
  }

  override def close(): Unit = {
    for ((address, size) <- pages.values if size > 0) Platform.freeMemory(address)
    pages = Map.empty
  }
}
