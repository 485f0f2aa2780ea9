package dev.ember.session

import dev.ember.nativeapi.Native
import dev.ember.rows.{InputRows, PageWriter, Pieces}

/**
 * Batches as pages of rows: both conversions happen in native code, and no row of Spark's is made on the way.
 *
 * @param separateArguments
 *   arguments have a page of their own, because they are not all columns of the input
 * @param output
 *   what becomes of each output batch
 * @param held
 *   told how much native memory the session takes when a batch was given to it
 */
final class RowCrossing[Out](
    native: Native,
    handle: Long,
    separateArguments: Boolean,
    output: (Native, Long) => Out,
    held: Long => Unit)
    extends Crossing[InputRows, Out] {
  private val inputPage = new PageWriter(native.room(handle, false, _))
  private val argumentPage = new PageWriter(native.room(handle, true, _))
  private var rows = 0
  private var groups: Option[Pieces] = None

  override def pull(input: InputRows): Boolean = {
    val filled = input.fill(inputPage, argumentPage)
    rows = filled.getOrElse(0)
    groups = input.cut
    filled.nonEmpty
  }

  override def offer(): Unit = {
    val page = if (separateArguments) argumentPage else inputPage
    held(groups match {
      case None => native.offerRows(handle, separateArguments, page.bytes, rows)
      case Some(Pieces(pieces, joined)) =>
        native.offerGroups(handle, separateArguments, page.bytes, rows, joined, pieces)
    })
  }

  override def take(): Out = output(native, handle)
}
