package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.python.{
  BatchedPythonArrowInput,
  GroupedPythonArrowInput,
  RowInputArrowPythonRunner
}
import org.apache.spark.sql.internal.SQLConf

import dev.ember.rows.RowBatches

/** A runner of Spark's that gets rows. */
private[ember] trait RowRunner extends RowInputArrowPythonRunner {
  private[ember] def limits: RowBatches.Limits =
    RowBatches.Limits(maxRecordsPerBatch, maxBytesPerBatch)
}

/** One that cuts them into batches. */
private[ember] trait BatchedRows extends RowRunner with BatchedPythonArrowInput

/** One that gets them by groups. */
private[ember] trait GroupedRows extends RowRunner with GroupedPythonArrowInput

/** Where batches end within a group, and on a side of a cogroup. */
private[ember] object GroupLimits {
  def current: RowBatches.Limits = {
    val conf = SQLConf.get
    val rows = conf.arrowMaxRecordsPerBatch
    RowBatches.Limits(if (rows > 0) rows else Int.MaxValue, conf.arrowMaxBytesPerBatch)
  }
}
