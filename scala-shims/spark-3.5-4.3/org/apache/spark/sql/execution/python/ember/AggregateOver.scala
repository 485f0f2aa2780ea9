package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, NamedExpression}

/** The partitions of an aggregating node, each through its functions if it has a row. */
object AggregateOver {
  def run(rows: RDD[InternalRow], plan: SparkNodes.Aggregate, node: NodeConf): RDD[InternalRow] = {
    val aggregate = new GroupedAggregate(
      plan.groupingExpressions,
      plan.child.output,
      FunctionArguments.of(plan.udfExpressions),
      plan.aggExpressions.map(_.resultAttribute),
      plan.resultExpressions,
      node)
    val sessions = plan.sessionWindowOption.map { session =>
      new Sessions(plan.groupingWithoutSessionExpressions, session, plan.child.output)
    }
    rows.mapPartitionsInternal { partition =>
      if (partition.isEmpty) partition
      else aggregate.eval(sessions.fold(partition)(_.merged(partition)))
    }
  }

  /** Rows told which session they fall into, as Spark's node does it. */
  private final class Sessions(
      others: Seq[NamedExpression],
      session: NamedExpression,
      input: Seq[Attribute])
      extends Serializable {
    def merged(rows: Iterator[InternalRow]): Iterator[InternalRow] =
      SpilledRows.inSessions(rows, others, session, input)
  }
}
