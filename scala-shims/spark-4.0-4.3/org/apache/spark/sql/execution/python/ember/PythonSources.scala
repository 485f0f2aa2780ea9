package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.connector.write.BatchWrite
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2.{
  DataSourceV2ScanExecBase,
  V2ExistingTableWriteExec,
  WriteToDataSourceV2Exec
}
import org.apache.spark.sql.execution.datasources.v2.python.{
  PythonScan,
  PythonStreamingWrite,
  PythonWrite
}
import org.apache.spark.sql.execution.streaming.sources.MicroBatchWrite

/** Data sources in Python. */
private[ember] object PythonSources {

  /** Whether one is read or written, by functions inside Spark's readers and writers. */
  def isOne(plan: SparkPlan): Boolean = plan match {
    case read: DataSourceV2ScanExecBase => read.scan.isInstanceOf[PythonScan]
    case write: V2ExistingTableWriteExec => write.write.isInstanceOf[PythonWrite]
    case write: WriteToDataSourceV2Exec => isOfStream(write.batchWrite)
    case _ => false
  }

  private def isOfStream(write: BatchWrite): Boolean = write match {
    case batch: MicroBatchWrite => batch.writeSupport.isInstanceOf[PythonStreamingWrite]
    case _ => false
  }
}
