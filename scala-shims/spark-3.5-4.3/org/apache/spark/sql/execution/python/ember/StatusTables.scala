package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{Row, SparkSessionExtensions}
import org.apache.spark.sql.catalyst.{CatalystTypeConverters, FunctionIdentifier, InternalRow}
import org.apache.spark.sql.catalyst.analysis.MultiInstanceRelation
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  Expression,
  ExpressionInfo,
  UnsafeProjection
}
import org.apache.spark.sql.catalyst.plans.logical.{LeafNode, LogicalPlan, Statistics}
import org.apache.spark.sql.catalyst.types.DataTypeUtils.toAttributes
import org.apache.spark.sql.errors.QueryCompilationErrors
import org.apache.spark.sql.execution.{LeafExecNode, SparkPlan, SparkStrategy}
import org.apache.spark.sql.types.StringType
import org.apache.spark.unsafe.types.UTF8String

import dev.ember.status.{DriverStatus, StatusTable}

/** Makes Ember's table functions known to every session: in SQL, in `spark.tvf`'s place, through Connect. */
object StatusTables extends SparkStrategy {
  def install(extensions: SparkSessionExtensions): Unit = {
    StatusTable.all.foreach { table =>
      val info = new ExpressionInfo(
        table.getClass.getName,
        null,
        table.name,
        table.usage.replace("name(", s"${table.name}("),
        "")
      extensions.injectTableFunction((FunctionIdentifier(table.name), info, relation(table, _)))
    }
    extensions.injectPlannerStrategy(_ => this)
  }

  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case StatusRelation(name, words, output) => Seq(StatusTableExec(name, words, output))
    case _ => Nil
  }

  def named(name: String): StatusTable = StatusTable.all.find(_.name == name).get

  private def relation(table: StatusTable, arguments: Seq[Expression]): LogicalPlan = {
    if (arguments.size != table.arguments)
      throw QueryCompilationErrors.wrongNumArgsError(
        table.name,
        Seq(table.arguments),
        arguments.size)
    StatusRelation(table.name, arguments.map(text(table, _)), toAttributes(table.schema))
  }

  private def text(table: StatusTable, argument: Expression): String =
    if (!argument.foldable || argument.dataType != StringType)
      throw TableArguments.notFoldable(table.name, "function", StringType)
    else
      argument.eval() match {
        case text: UTF8String => text.toString
        case _ => ""
      }
}

/** One of the tables in a query. */
private[ember] final case class StatusRelation(
    name: String,
    words: Seq[String],
    override val output: Seq[Attribute])
    extends LeafNode
    with MultiInstanceRelation {
  override def newInstance(): LogicalPlan = copy(output = output.map(_.newInstance()))
  override def computeStats(): Statistics = Statistics(sizeInBytes = conf.defaultSizeInBytes)
}

/** Makes the table's rows, on the driver, once for each run of the query. */
private[ember] final case class StatusTableExec(
    name: String,
    words: Seq[String],
    override val output: Seq[Attribute])
    extends LeafExecNode {

  private def rows: Array[InternalRow] = {
    val table = StatusTables.named(name)
    val convert = CatalystTypeConverters.createToCatalystConverter(table.schema)
    val project = UnsafeProjection.create(output, output)
    DriverStatus.get.toArray
      .flatMap(table.rows(_, words))
      .map((row: Row) => project(convert(row).asInstanceOf[InternalRow]).copy())
  }

  override def nodeName: String = s"EmberTable $name"

  override protected def doExecute(): RDD[InternalRow] = {
    val made = rows
    if (made.isEmpty) sparkContext.emptyRDD
    else sparkContext.parallelize(made.toSeq, numSlices = 1)
  }

  override def executeCollect(): Array[InternalRow] = rows
}
