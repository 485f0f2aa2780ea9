package dev.ember.session

import dev.ember.nativeapi.Native
import dev.ember.rows.columns.{InputColumns, LentColumns}

/**
 * Batches of columns in, pages of rows out.
 *
 * @param output
 *   the rows of each output batch
 */
final class ColumnCrossing[Out](
    native: Native,
    handle: Long,
    lent: LentBatches,
    output: (Native, Long) => Out)
    extends Crossing[InputColumns, Out] {
  private var pulled: Option[LentColumns] = None

  override def pull(input: InputColumns): Boolean = {
    pulled = input.next()
    pulled.nonEmpty
  }

  override def offer(): Unit = {
    val batch = pulled
    pulled = None
    batch.foreach { filled =>
      lent.lend(filled.memory) { token =>
        native.offerColumns(handle, filled.arguments, filled.columns, token)
      }
    }
  }

  override def take(): Out = output(native, handle)
}
