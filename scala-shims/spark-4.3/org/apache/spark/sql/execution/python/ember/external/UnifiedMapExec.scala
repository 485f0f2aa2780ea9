package org.apache.spark.sql.execution.python.ember.external

import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  Expression,
  ExternalUserDefinedFunction
}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec
import org.apache.spark.sql.execution.python.ember.EmberMapExec
import org.apache.spark.udf.worker.UDFWorkerSpecification

/**
 * Spark's own node of a unified function, which Spark 4.3.0 cannot run, on Ember's lanes: sessions, batches and
 * fallback are those of `mapInPandas` and `mapInArrow`. Equality as in [[dev.ember.exec.ArrowEvalPythonExec]].
 */
final class UnifiedMapExec(
    specification: UDFWorkerSpecification,
    external: ExternalUserDefinedFunction,
    barrier: Boolean,
    resources: Option[ResourceProfile],
    input: SparkPlan,
    attributes: Seq[Attribute])
    extends MapPartitionsExternalUDFExec(specification, external, barrier, resources, input)
    with EmberMapExec {

  override def output: Seq[Attribute] = attributes

  override protected val func: Expression = UnifiedMap.pythonIn(external)
  override protected val pythonEvalType: Int = UnifiedMap.pythonIn(external).evalType

  override protected def otherCopyArgs: Seq[AnyRef] = attributes :: Nil

  override protected def stringArgs: Iterator[Any] = Iterator(func, attributes, isBarrier, profile)

  override protected def withNewChildInternal(newChild: SparkPlan): UnifiedMapExec =
    new UnifiedMapExec(workerSpec, function, isBarrier, profile, newChild, attributes)

  override def nodeName: String = "EmberMapPartitionsExternalUDF"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[UnifiedMapExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
