package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.execution.python.streaming.TransformWithStateInPySparkExec

/** The columns that the function of such a node returns, as they were declared. */
object DeclaredColumns {
  def of(node: TransformWithStateInPySparkExec): Seq[Attribute] = node.outputAttrs
}
