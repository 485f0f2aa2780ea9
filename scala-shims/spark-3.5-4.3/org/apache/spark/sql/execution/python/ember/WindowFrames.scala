package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeReference,
  Expression,
  NamedExpression,
  PythonFuncExpression,
  SortOrder,
  SpecificInternalRow,
  UnsafeProjection,
  UnsafeRow,
  WindowExpression
}
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.window.{UnboundedWindowFunctionFrame, WindowFunctionFrame}
import org.apache.spark.sql.types.IntegerType

/**
 * What a window node computes, as Spark's own evaluator of it tells: its functions by their frames, and which rows
 * a frame with bounds has for each row.
 */
final class WindowFrames(
    windows: Seq[NamedExpression],
    partition: Seq[Expression],
    order: Seq[SortOrder],
    input: Seq[Attribute],
    spilled: SQLMetric,
    node: NodeConf)
    extends StockWindowEvaluatorFactory(windows, partition, order, input, spilled, node)
    with LimitedRuns {

  /** The frames, each with its functions, and its place among those with bounds if it has bounds. */
  @transient private lazy val frames: Seq[(Seq[WindowExpression], Option[Int])] = {
    val bounded = windowFrameExpressionFactoryPairs.map { case (_, frame) => hasBounds(frame) }
    val places = bounded.scanLeft(0)((place, has) => if (has) place + 1 else place)
    windowFrameExpressionFactoryPairs.indices.map { at =>
      val overs = windowFrameExpressionFactoryPairs(at)._1.map(_.asInstanceOf[WindowExpression])
      (overs.toSeq, if (bounded(at)) Some(places(at)) else None)
    }
  }

  /** The functions in the order in which Spark's worker gets them. */
  private[ember] def overs: Seq[WindowExpression] = frames.flatMap(_._1)

  /** For Spark's worker: which of the functions have bounds. */
  private[ember] def boundTypes: (String, String) = {
    val types = frames.flatMap { case (overs, place) =>
      overs.map(_ => if (place.isEmpty) "unbounded" else "bounded")
    }
    boundTypesKey -> types.mkString(",")
  }

  /** The columns that tell the bounds, two for each frame that has some. They stand before all others. */
  @transient private[ember] lazy val boundColumns: Seq[Attribute] =
    frames.flatMap(_._2).flatMap { place =>
      Seq("begin", "end").map(name => AttributeReference(s"$name$place", IntegerType, false)())
    }

  /** The functions' arguments, of which the first two are the bounds if there are some. */
  private[ember] def arguments: FunctionArguments = {
    val plain = FunctionArguments.of(overs.map(function))
    val places = frames.flatMap { case (overs, place) => overs.map(_ => place) }
    val metas = plain.metas.zip(places).map { case (metas, place) =>
      val bounds = place.toSeq.flatMap(at => Seq(2 * at, 2 * at + 1)).map(Chains.argument(_, None))
      val moved = metas.map(Chains.moved(_, boundColumns.length))
      bounds.toArray ++ moved
    }
    FunctionArguments(plain.chains, metas, boundColumns ++ plain.inputs)
  }

  /** The node's rows, from those of its child and the functions' values. */
  private[ember] def results: UnsafeProjection = createResultProjection(overs)

  /** The same runs, whose rows have their bounds beside them. */
  private[ember] def framed(
      runs: Iterator[Iterator[InternalRow]],
      toUnsafe: InternalRow => UnsafeRow): FramedRuns = {
    val bounds = new SpecificInternalRow(boundColumns.map(_.dataType))
    val factories = windowFrameExpressionFactoryPairs.map(_._2)
    val bounded = factories.filter(hasBounds).map(_(bounds)).toArray
    new FramedRuns(runs, toUnsafe, bounded, bounds, spillSize) {
      override protected def check(rows: Long): Unit = checkSize(rows, bounded)
    }
  }

  private def hasBounds(frame: InternalRow => WindowFunctionFrame): Boolean =
    !frame(InternalRow.empty).isInstanceOf[UnboundedWindowFunctionFrame]

  private def function(over: WindowExpression): PythonFuncExpression =
    over.windowFunction match {
      case AggregateExpression(python: PythonFuncExpression, _, _, _, _) => python
      case other => throw new IllegalStateException(s"$other is no function of Python's")
    }
}

/**
 * Runs of rows that are read to their end before their first row is given, because a frame may look ahead. A run
 * is to be read to its end before the next.
 *
 * @param bounds
 *   of the row that was given last: where each frame begins and ends, in rows of the run
 */
private[ember] abstract class FramedRuns(
    runs: Iterator[Iterator[InternalRow]],
    toUnsafe: InternalRow => UnsafeRow,
    frames: Array[WindowFunctionFrame],
    val bounds: InternalRow,
    spillSize: SQLMetric)
    extends Iterator[Iterator[InternalRow]] {
  private val rows = SpilledRows.ofWindow

  /** Throws if a run has more rows than its frames can count. */
  protected def check(rows: Long): Unit

  override def hasNext: Boolean = {
    val more = runs.hasNext
    if (!more && !rows.isEmpty) {
      rows.clear()
      spillSize += rows.spillSize
    }
    more
  }

  override def next(): Iterator[InternalRow] = {
    rows.clear()
    runs.next().foreach(row => rows.add(toUnsafe(row)))
    check(rows.length.toLong)
    frames.foreach(_.prepare(rows))
    rows.generateIterator().zipWithIndex.map { case (row, index) =>
      tell(row, index)
      row
    }
  }

  private def tell(row: InternalRow, index: Int): Unit = {
    var place = 0
    while (place < frames.length) {
      val frame = frames(place)
      frame.write(index, row)
      bounds.setInt(2 * place, frame.currentLowerBound())
      bounds.setInt(2 * place + 1, frame.currentUpperBound())
      place += 1
    }
  }
}
