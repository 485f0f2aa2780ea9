package org.apache.spark.sql.execution.python.ember

import scala.collection.mutable.ArrayBuffer

import org.apache.spark.api.python.PythonFunction
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeReference, Expression}
import org.apache.spark.sql.catalyst.expressions.{NamedArgumentExpression, PythonFuncExpression}
import org.apache.spark.sql.types.{DataType, StructField, StructType}

/**
 * The functions of a node as its runner wants them: chains of functions, and each different argument once.
 *
 * @param inputs
 *   the argument expressions, in the order of the columns that Python gets
 */
private[ember] final case class FunctionArguments(
    chains: Seq[Chains.Chain],
    metas: Array[Array[Chains.Argument]],
    inputs: Seq[Expression]) {

  def schema: StructType = FunctionArguments.struct(inputs.map(_.dataType))

  /** Where the arguments stand among `columns`, if all of them are plain columns. */
  def columnIndices(columns: Seq[Attribute]): Option[Array[Int]] = {
    val indices = inputs.map {
      case reference: AttributeReference => columns.indexWhere(_.exprId == reference.exprId)
      case _ => -1
    }
    if (indices.forall(_ >= 0)) Some(indices.toArray) else None
  }
}

private[ember] object FunctionArguments {

  /** Columns of these types, named as Spark names those of its runners. */
  def struct(types: Seq[DataType]): StructType =
    StructType(types.zipWithIndex.map { case (of, index) => StructField(s"_$index", of) })

  def of(functions: Seq[PythonFuncExpression]): FunctionArguments = {
    val (chains, arguments) = functions.map(chain).unzip
    val inputs = new ArrayBuffer[Expression]
    val metas = arguments.map(_.map(meta(_, inputs)).toArray).toArray
    FunctionArguments(chains, metas, inputs.toSeq)
  }

  /** `f(g(x))` is one chain: g, then f, on the arguments of g. */
  private def chain(function: PythonFuncExpression): (Chains.Chain, Seq[Expression]) = {
    val (functions, arguments) = inOrder(function)
    (Chains.of(functions, function.resultId), arguments)
  }

  private def inOrder(function: PythonFuncExpression): (Seq[PythonFunction], Seq[Expression]) =
    function.children match {
      case Seq(inner: PythonFuncExpression) =>
        val (below, arguments) = inOrder(inner)
        (below :+ function.func, arguments)
      case arguments => (Seq(function.func), arguments)
    }

  private def meta(argument: Expression, inputs: ArrayBuffer[Expression]): Chains.Argument = {
    val (name, value) = argument match {
      case named: NamedArgumentExpression => (Some(named.key), named.value)
      case plain => (None, plain)
    }
    val known = inputs.indexWhere(_.semanticEquals(value))
    if (known < 0) inputs += value
    Chains.argument(if (known < 0) inputs.length - 1 else known, name)
  }
}
