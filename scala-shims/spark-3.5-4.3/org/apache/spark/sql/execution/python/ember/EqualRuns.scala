package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}

/**
 * Runs of rows with the same key, as Spark's window node tells them apart: by the bytes of the key. A run is to
 * be read to its end before the next; the rows may be one object again and again.
 */
private[ember] final class EqualRuns(rows: Iterator[InternalRow], key: UnsafeProjection)
    extends Iterator[Iterator[InternalRow]] {
  private var head: Option[InternalRow] = None
  private var current: UnsafeRow = _
  private var begun = false

  override def hasNext: Boolean = {
    if (!begun) advance()
    head.nonEmpty
  }

  override def next(): Iterator[InternalRow] = {
    if (!hasNext) throw new NoSuchElementException("no group is left")
    current = key(head.get).copy()
    new Run
  }

  private final class Run extends Iterator[InternalRow] {
    private var left = true
    private var taken = false

    override def hasNext: Boolean = {
      if (taken) {
        taken = false
        advance()
        left = head.exists(key(_) == current)
      }
      left
    }

    override def next(): InternalRow = {
      if (!hasNext) throw new NoSuchElementException("no row is left in this group")
      taken = true
      head.get
    }
  }

  private def advance(): Unit = {
    begun = true
    head = if (rows.hasNext) Some(rows.next()) else None
  }
}
