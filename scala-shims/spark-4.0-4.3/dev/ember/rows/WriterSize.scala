package dev.ember.rows

import org.apache.spark.sql.execution.arrow.ArrowWriter

/** How many bytes Spark counts of what a writer has written, where it limits a batch by them. */
private[rows] object WriterSize {
  def of(writer: ArrowWriter): Long = writer.sizeInBytes().toLong
}
