package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.vectorized.ColumnarBatch

/** An embedded node whose output another one can have in Arrow's columns, before it becomes rows. */
trait GivesColumns extends SparkPlan {

  /**
   * The output in batches that end anywhere, and what their columns are: at least those of `needed`. Nothing if
   * columns of their types do not go on as such.
   */
  def handedOn(needed: AttributeSet): Option[GivesColumns.Handed]
}

object GivesColumns {
  final case class Handed(columns: Seq[Attribute], batches: RDD[ColumnarBatch])
}
