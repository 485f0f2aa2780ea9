package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{BatchEvalPythonExec, EvaluatePython}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{DataType, StructType}

/** How Spark pickles rows: so many at a time; what is binary becomes a `bytearray`. */
private[ember] object Pickles {
  def groupRows(conf: SQLConf): Int = conf.getConf(SQLConf.PYTHON_UDF_MAX_RECORDS_PER_BATCH)

  def groupBytes(@unused conf: SQLConf): Long = -1

  def binaryAsBytes(@unused conf: SQLConf): Boolean = false

  def of(
      rows: Iterator[InternalRow],
      schema: StructType,
      conf: PickleConf,
      @unused metrics: Map[String, SQLMetric]): Iterator[Array[Byte]] =
    BatchEvalPythonExec.getInputIterator(rows, schema, conf.groupRows)

  /** What a key of a map is in Java, which no bytes are in. */
  def toJava(key: Any, of: DataType): Any = EvaluatePython.toJava(key, of)
}
