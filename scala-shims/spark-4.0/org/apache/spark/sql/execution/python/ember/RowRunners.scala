package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.python.{BaseArrowPythonRunner, BatchedPythonArrowInput}
import org.apache.spark.sql.internal.SQLConf

import dev.ember.rows.RowBatches

/** A runner of Spark's that gets rows. */
private[ember] trait RowRunner extends BaseArrowPythonRunner

/** One that cuts them into batches. */
private[ember] trait BatchedRows extends RowRunner with BatchedPythonArrowInput {
  private[ember] def limits: RowBatches.Limits = {
    val conf = SQLConf.get
    val rows = conf.arrowMaxRecordsPerBatch
    RowBatches.Limits(if (rows > 0) rows else Int.MaxValue, conf.arrowMaxBytesPerBatch)
  }
}

/** One that gets them by groups: in 4.0 each is one batch, however large. */
private[ember] trait GroupedRows extends RowRunner {
  private[ember] def limits: RowBatches.Limits = GroupLimits.current
}

/** Where batches end within a group, and on a side of a cogroup. */
private[ember] object GroupLimits {
  val current: RowBatches.Limits = RowBatches.Limits(Int.MaxValue, Int.MaxValue)
}
