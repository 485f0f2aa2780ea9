package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{BatchEvalPythonExec, EvaluatePython}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{DataType, StructType}

/** How Spark pickles rows: so many at a time, of whatever size. */
private[ember] object Pickles {
  def groupRows(conf: SQLConf): Int = conf.getConf(SQLConf.PYTHON_UDF_MAX_RECORDS_PER_BATCH)

  def groupBytes(conf: SQLConf): Long = -1

  def binaryAsBytes(conf: SQLConf): Boolean = conf.pysparkBinaryAsBytes

  def of(
      rows: Iterator[InternalRow],
      schema: StructType,
      conf: PickleConf,
      @unused metrics: Map[String, SQLMetric]): Iterator[Array[Byte]] =
    BatchEvalPythonExec.getInputIterator(rows, schema, conf.groupRows, conf.binaryAsBytes)

  /** What a key of a map is in Java, which no bytes are in. */
  def toJava(key: Any, of: DataType): Any = EvaluatePython.toJava(key, of, binaryAsBytes = true)
}
