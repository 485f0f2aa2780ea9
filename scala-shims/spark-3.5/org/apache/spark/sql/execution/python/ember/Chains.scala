package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.api.python.{ChainedPythonFunctions, PythonFunction}
import org.apache.spark.sql.catalyst.expressions.ExprId

/** A node's functions and their arguments, as Spark's runners take them. */
object Chains {

  /** Functions of which each gets what the one before has returned. */
  type Chain = ChainedPythonFunctions

  /** Where it stands: functions of Spark 3.5 know no arguments by name. */
  final case class Argument(offset: Int)

  def of(functions: Seq[PythonFunction], @unused last: ExprId): Chain =
    ChainedPythonFunctions(functions)

  def argument(offset: Int, @unused name: Option[String]): Argument = Argument(offset)

  /** The same of columns that have so many others before them. */
  def moved(argument: Argument, by: Int): Argument = Argument(argument.offset + by)
}
