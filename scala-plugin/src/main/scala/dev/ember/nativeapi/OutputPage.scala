package dev.ember.nativeapi

/**
 * A page of output rows in native memory, as `NativeApi.outputRows` describes it.
 *
 * @param pythonBytes
 *   what Python's own batches took
 * @param batches
 *   how many they were
 * @param held
 *   what the session's pages take, and the batches made of them
 * @param pickles
 *   address of the pickles that came beside the rows, if they have bytes
 * @param forSpark
 *   the layout of the function's batch, where only Spark's own code can read it: the page then has the input rows that
 *   the results belong to, alone, or nothing if they are not joined
 */
final case class OutputPage(
    address: Long,
    bytes: Long,
    rows: Long,
    pythonBytes: Long,
    batches: Long,
    held: Long,
    pickles: Long,
    pickledBytes: Long,
    forSpark: Option[Array[Long]] = None)

object OutputPage {
  private[nativeapi] def of(described: Array[Long]): OutputPage = described.splitAt(Numbers) match {
    case (Array(address, bytes, rows, pythonBytes, batches, held, pickles, pickledBytes), rest) =>
      val batch = if (rest.nonEmpty) Some(rest) else None
      OutputPage(address, bytes, rows, pythonBytes, batches, held, pickles, pickledBytes, batch)
    case (other, _) => throw new IllegalStateException(s"${other.length} numbers describe a page")
  }

  private val Numbers = 8
}
