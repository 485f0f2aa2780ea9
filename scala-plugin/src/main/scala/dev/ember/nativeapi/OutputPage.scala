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
 */
final case class OutputPage(
    address: Long,
    bytes: Long,
    rows: Long,
    pythonBytes: Long,
    batches: Long,
    held: Long,
    pickles: Long,
    pickledBytes: Long)

object OutputPage {
  private[nativeapi] def of(described: Array[Long]): OutputPage = described match {
    case Array(address, bytes, rows, pythonBytes, batches, held, pickles, pickledBytes) =>
      OutputPage(address, bytes, rows, pythonBytes, batches, held, pickles, pickledBytes)
    case other => throw new IllegalStateException(s"${other.length} numbers describe a page")
  }
}
