package org.apache.spark.sql.execution.python.ember

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  BoundReference,
  Expression,
  Literal,
  UnsafeProjection
}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.{CoGroupedIterator, GroupedIterator}
import org.apache.spark.sql.execution.python.PandasGroupUtils
import org.apache.spark.sql.types.{DataType, StructType}

import dev.ember.reason.FallbackReason
import dev.ember.rows.{CogroupSide, CutCogroups, WrittenSize}

/**
 * One of the two inputs of a cogrouped map.
 *
 * @param asked
 *   what the function gets of each row: the keys that are not among the values, then the values
 */
private[ember] final case class CogroupedInput(
    grouping: Seq[Attribute],
    input: Seq[Attribute],
    asked: Seq[Attribute]) {
  def schema: StructType = DataTypeUtils.fromAttributes(asked)

  def groups(rows: Iterator[InternalRow]): Iterator[(InternalRow, Iterator[InternalRow])] =
    GroupedIterator(rows, grouping, input)

  def asSparkSends(rows: Iterator[InternalRow]): Iterator[(InternalRow, Iterator[InternalRow])] =
    PandasGroupUtils.groupAndProject(rows, grouping, input, asked)
}

/**
 * A pair of partitions through a function over their cogroups. A row crosses with the columns of both sides, of
 * which those of the other side are null; the function's results come back alone.
 *
 * @param offsets
 *   which columns are keys and which values, as Spark's worker reads it
 */
private[ember] final class CogroupedMap(
    left: CogroupedInput,
    right: CogroupedInput,
    offsets: Array[Int],
    functions: Seq[Chains.Chain],
    output: Seq[Attribute],
    node: NodeConf)
    extends Serializable {

  def eval(
      leftRows: Iterator[InternalRow],
      rightRows: Iterator[InternalRow]): Iterator[InternalRow] =
    if (leftRows.isEmpty && rightRows.isEmpty) Iterator.empty
    else {
      val runner =
        new EmberCogroupedMapRunner(functions, offsets, left.schema, right.schema, node)
      embed(runner, leftRows, rightRows, TaskContext.get()) match {
        case Right(mapped) => mapped
        case Left(reason) =>
          val sent = cogrouped(left.asSparkSends(leftRows), right.asSparkSends(rightRows))
          node.onSpark(reason)(PandasGroupUtils.executePython(sent, output, runner))
      }
    }

  private def embed(
      runner: EmberCogroupedMapRunner,
      leftRows: Iterator[InternalRow],
      rightRows: Iterator[InternalRow],
      context: TaskContext): Either[FallbackReason, Iterator[InternalRow]] =
    form.toRight(FallbackReason.GroupedTypes).flatMap { way =>
      runner.embedRows(way, results, context) { limits =>
        val cogroups = cogrouped(left.groups(leftRows), right.groups(rightRows))
        new CutCogroups(cogroups, limits, leftSide, rightSide)
      }
    }

  private def results = new StructRows(output, _ => ())

  private def form: Option[RowForm] =
    RowForm.stored(FunctionArguments.struct(types(left) ++ types(right))).map { columns =>
      RowForm(
        columns,
        columns,
        Some(columns.indices),
        results.stored.getOrElse(new StructType()),
        node.largeVarTypes,
        wrapped = true,
        joined = false,
        flat = true,
        grouped = true)
    }

  private def types(of: CogroupedInput): Seq[DataType] = of.asked.map(_.dataType)

  private def cogrouped(
      lefts: Iterator[(InternalRow, Iterator[InternalRow])],
      rights: Iterator[(InternalRow, Iterator[InternalRow])])
      : Iterator[(Iterator[InternalRow], Iterator[InternalRow])] =
    new CoGroupedIterator(lefts, rights, left.grouping).map { case (_, ofLeft, ofRight) =>
      (ofLeft, ofRight)
    }

  private def leftSide: CogroupSide = side(left, left.asked ++ nulls(right), 0)

  private def rightSide: CogroupSide = side(right, nulls(left) ++ right.asked, left.asked.length)

  private def nulls(of: CogroupedInput): Seq[Expression] =
    types(of).map(it => Literal(null, OutputTypes.stored(it)))

  /** `first` is where the side's columns begin among those of the row. */
  private def side(of: CogroupedInput, row: Seq[Expression], first: Int): CogroupSide = {
    val toRow = UnsafeProjection.create(row, of.input)
    val own = of.asked.zipWithIndex.map { case (column, index) =>
      BoundReference(first + index, column.dataType, nullable = true)
    }
    val toOwn = UnsafeProjection.create(own)
    val size = new WrittenSize(
      InputSchema.of(of.schema, node.timeZone, node.largeVarTypes),
      wrapped = false,
      ArrowMemory.allocator,
      row.length,
      toOwn(_))
    new CogroupSide(toRow(_), size)
  }
}
