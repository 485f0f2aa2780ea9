package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.{ChainedPythonFunctions, PythonFunction}
import org.apache.spark.sql.catalyst.expressions.ExprId
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata

/** A node's functions and their arguments, as Spark's runners take them. */
object Chains {

  /** Functions of which each gets what the one before has returned, and the number of the last. */
  type Chain = (ChainedPythonFunctions, Long)
  type Argument = ArgumentMetadata

  def of(functions: Seq[PythonFunction], last: ExprId): Chain =
    (ChainedPythonFunctions(functions), last.id)

  def argument(offset: Int, name: Option[String]): Argument = ArgumentMetadata(offset, name)

  /** The same of columns that have so many others before them. */
  def moved(argument: Argument, by: Int): Argument =
    argument.copy(offset = argument.offset + by)
}
