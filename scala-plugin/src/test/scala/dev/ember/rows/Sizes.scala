package dev.ember.rows

/** What an input holds. */
object Sizes {

  /** The rows of each of its batches, which are given back one by one. */
  def of(batches: InputBatches): Seq[Long] =
    Iterator
      .continually(batches.next())
      .takeWhile(_.nonEmpty)
      .flatten
      .map { batch =>
        batch.memory.close()
        batch.rows
      }
      .toSeq
}
