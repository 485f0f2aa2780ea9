package org.apache.spark.sql.execution.python.ember.external

import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.analysis.MultiInstanceRelation
import org.apache.spark.sql.catalyst.expressions.{Attribute, ExternalUserDefinedFunction, PythonUDF}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, MapPartitionsExternalUDF}
import org.apache.spark.udf.worker.UDFWorkerSpecification

/**
 * Spark's own node of a unified function, which loses nothing: the Python function is an argument of the external one,
 * so that its columns are read and its broadcasts and accumulator are kept, and its output stays when its child is
 * rewritten. Where the same frame is read twice, it gives new attributes as `MapInPandas` does.
 */
final class UnifiedMap(
    specification: UDFWorkerSpecification,
    external: ExternalUserDefinedFunction,
    barrier: Boolean,
    resources: Option[ResourceProfile],
    input: LogicalPlan,
    attributes: Seq[Attribute])
    extends MapPartitionsExternalUDF(specification, external, barrier, resources, input)
    with MultiInstanceRelation {

  override def output: Seq[Attribute] = attributes

  def python: PythonUDF = UnifiedMap.pythonIn(function)

  override def newInstance(): LogicalPlan =
    new UnifiedMap(workerSpec, function, isBarrier, profile, child, attributes.map(_.newInstance()))

  override def withNewChildInternal(newChild: LogicalPlan): UnifiedMap =
    new UnifiedMap(workerSpec, function, isBarrier, profile, newChild, attributes)

  override protected def otherCopyArgs: Seq[AnyRef] = attributes :: Nil

  /** As `MapInPandas` is shown; a specification has pages of environment. */
  override protected def stringArgs: Iterator[Any] =
    Iterator(python, attributes, isBarrier, profile)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[UnifiedMap]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}

object UnifiedMap {

  /** What Spark plans for `python`, with what it has left out. */
  def of(planned: MapPartitionsExternalUDF, python: PythonUDF): UnifiedMap = new UnifiedMap(
    planned.workerSpec,
    planned.function.copy(children = Seq(python)),
    planned.isBarrier,
    planned.profile,
    planned.child,
    planned.output)

  def pythonIn(function: ExternalUserDefinedFunction): PythonUDF = function.children match {
    case Seq(python: PythonUDF) => python
    case others => throw new IllegalStateException(s"these are no Python function: $others")
  }
}
