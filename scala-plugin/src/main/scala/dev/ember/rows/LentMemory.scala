package dev.ember.rows

import java.util.concurrent.atomic.AtomicInteger

import org.apache.arrow.memory.{ArrowBuf, BufferAllocator, ForeignAllocation}

/**
 * Memory of one batch of Python's, seen as Arrow buffers. The batch goes back to its owner, once, when the last
 * buffer over it has gone.
 */
private[rows] final class LentMemory(allocator: BufferAllocator, giveBack: () => Unit)
    extends AutoCloseable {

  // One for this object itself, so that the batch cannot go back while its buffers are still being made.
  private val holders = new AtomicInteger(1)

  def buffer(span: ArrowLayout.Span): ArrowBuf =
    if (span.address == 0 || span.size == 0) allocator.getEmpty
    else {
      holders.incrementAndGet()
      try allocator.wrapForeignAllocation(new Lent(span))
      catch {
        case refused: Throwable =>
          drop()
          throw refused
      }
    }

  /** Says that no more buffers will be made. */
  override def close(): Unit = drop()

  private def drop(): Unit = if (holders.decrementAndGet() == 0) giveBack()

  private final class Lent(span: ArrowLayout.Span)
      extends ForeignAllocation(span.size, span.address) {
    override protected def release0(): Unit = drop()
  }
}
