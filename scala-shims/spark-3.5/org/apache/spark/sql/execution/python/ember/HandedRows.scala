package org.apache.spark.sql.execution.python.ember

import org.apache.spark.{Partition, SparkContext, TaskContext}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Attribute
import org.apache.spark.sql.execution.{LeafExecNode, SparkPlan}

/**
 * What a node of Spark's does with the rows of a partition, once a task has them: later lines have evaluators that can
 * be asked, in 3.5 only the node's RDD knows. It is made over one that gives, in each task, the rows that it is handed.
 */
private[ember] final class SparksWay private (rows: RDD[InternalRow]) extends Serializable {
  def eval(partition: Int, handed: Iterator[InternalRow]): Iterator[InternalRow] =
    HandedRows.during(handed)(rows.compute(HandedPartition(partition), TaskContext.get()))
}

private[ember] object SparksWay {

  /** Makes such a node on the driver: it takes the thread's session, and a plan may be run by one that has none. */
  def planned[T <: SparkPlan](node: => T): T = SparkSession.active.withActive(node)

  /** Of a node over [[HandedOver]], with which it is made. */
  def of(node: SparkPlan): SparksWay = {
    val rows = node.execute()
    tellDependencies(rows)
    new SparksWay(rows)
  }

  /** An RDD that is sent to a task knows what it is made of if it was asked before, as the scheduler would. */
  private def tellDependencies(of: RDD[_]): Unit =
    of.dependencies.foreach(dependency => tellDependencies(dependency.rdd))
}

/** The child of such a node. */
private[ember] final case class HandedOver(override val output: Seq[Attribute])
    extends LeafExecNode {
  override protected def doExecute(): RDD[InternalRow] = new HandedRows(sparkContext)
}

private final case class HandedPartition(index: Int) extends Partition

private final class HandedRows(context: SparkContext) extends RDD[InternalRow](context, Nil) {
  override def compute(split: Partition, context: TaskContext): Iterator[InternalRow] =
    HandedRows.current.get()

  override protected def getPartitions: Array[Partition] = Array.empty
}

private object HandedRows {
  private val current = new ThreadLocal[Iterator[InternalRow]]

  /** Rows of a task are asked for while its RDDs are put together, on its own thread. */
  def during[T](rows: Iterator[InternalRow])(work: => T): T = {
    current.set(rows)
    try work
    finally current.remove()
  }
}
