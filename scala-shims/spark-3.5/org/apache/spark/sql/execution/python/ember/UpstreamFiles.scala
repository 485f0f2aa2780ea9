package org.apache.spark.sql.execution.python.ember

import dev.ember.rows.{InputBatches, InputRows}

/** Spark 3.5 does not keep the upstream's idea of the current input file apart from the downstream's. */
private[ember] final class UpstreamFiles {
  def around[T](pull: => T): T = pull
}

private[ember] object UpstreamFiles {
  def apart(batches: InputBatches): InputBatches = batches
  def apart(rows: InputRows): InputRows = rows
}
