package dev.ember.session

import dev.ember.nativeapi.Native
import dev.ember.rows.{InputBatch, InputBatches}

/** In which form the batches of one session cross the border. Used by the task's thread alone. */
trait Crossing[In, Out] {

  /** Takes the next batch from upstream; false if there is none. Throws whatever the upstream throws. */
  def pull(input: In): Boolean

  /** Gives the lane the batch that was pulled. */
  def offer(): Unit

  /** The output batch that is ready. */
  def take(): Out
}

/** Batches as layouts of Arrow buffers: the JVM's are lent, Python's are shown. */
final class ArrowCrossing(native: Native, handle: Long, lent: LentBatches)
    extends Crossing[InputBatches, Array[Long]] {
  private var pulled: Option[InputBatch] = None

  override def pull(input: InputBatches): Boolean = {
    pulled = input.next()
    pulled.nonEmpty
  }

  override def offer(): Unit = {
    val batch = pulled
    pulled = None
    batch.foreach { filled =>
      lent.lend(filled.memory) { token =>
        native.offer(handle, filled.layout, filled.layout.length, token)
      }
    }
  }

  override def take(): Array[Long] = native.output(handle)
}
