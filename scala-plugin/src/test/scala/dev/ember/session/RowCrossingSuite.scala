package dev.ember.session

import scala.collection.mutable.ArrayBuffer
import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types.{DataType, LongType}

import dev.ember.nativeapi.Native
import dev.ember.nativeapi.Native.{Ended, HasOutput, WantsInput}
import dev.ember.rows.{InputRows, PageWriter}
import dev.ember.session.contract.Outcome

class RowCrossingSuite extends AnyFunSuite {

  /** Bytes of a row of one long in a page. */
  private val Row = 24

  private def row(value: Long): UnsafeRow =
    UnsafeProjection.create(Array[DataType](LongType))(InternalRow(value)).copy()

  /** Batches of so many rows; each row has two in the page of arguments. */
  private final class Batches(counts: Int*) extends InputRows {
    private val left = counts.iterator

    override def fill(input: PageWriter, arguments: PageWriter): Option[Int] =
      left.nextOption().map { count =>
        input.begin()
        arguments.begin()
        for (value <- 0 until count) {
          input.append(row(value.toLong))
          arguments.append(row(value.toLong))
          arguments.append(row(value.toLong))
        }
        count
      }

    override def close(): Unit = ()
  }

  private def crossing(
      native: Native,
      separateArguments: Boolean,
      output: (Native, Long) => Iterator[InternalRow]) =
    new RowCrossing(native, 1L, separateArguments, output, _ => ())

  private val none: (Native, Long) => Iterator[InternalRow] = (_, _) => Iterator.empty

  test("a batch is offered as the bytes of the input's page and its rows") {
    Using.resource(new FakeNative) { native =>
      val pages = crossing(native, separateArguments = false, none)
      val batches = new Batches(3, 0)
      assert(pages.pull(batches))
      pages.offer()
      assert(pages.pull(batches))
      pages.offer()
      assert(!pages.pull(batches))
      assert(native.calls == Seq(s"offerRows false ${3 * Row} 3", "offerRows false 0 0"))
    }
  }

  test("arguments that are no columns are offered from a page of their own") {
    Using.resource(new FakeNative) { native =>
      val pages = crossing(native, separateArguments = true, none)
      assert(pages.pull(new Batches(3)))
      pages.offer()
      assert(native.calls == Seq(s"offerRows true ${6 * Row} 3"))
      assert(native.wanted == Set(false, true))
    }
  }

  test("a session takes and gives in the order that the native side asks for") {
    Using.resource(
      new FakeNative(WantsInput, HasOutput, WantsInput, HasOutput, WantsInput, Ended)) { native =>
      val taken = new ArrayBuffer[Long]
      val output: (Native, Long) => Iterator[InternalRow] = (native, handle) => {
        taken += handle
        Iterator.single(row(native.outputRows(handle).rows))
      }
      native.tailBytes = Array[Byte](4)
      var tail = Array.emptyByteArray
      val session = new FakeTask(tail = tail = _).session(native, new LentBatches(native))
      val pages = crossing(native, separateArguments = false, output)
      val feed = new Feed(pages, new Batches(1, 2), (_: InputRows) => false)
      val rows = session.process(feed).map(_ => feed.last).flatten.map(_.getLong(0)).toSeq
      assert(rows == Seq(1L, 2L))
      assert(taken == Seq(1L, 1L))
      assert(
        native.calls == Seq(
          s"offerRows false $Row 1",
          "outputRows",
          s"offerRows false ${2 * Row} 2",
          "outputRows",
          "endInput",
          "close 50"))
      assert(tail.toSeq == Seq[Byte](4))
      assert(session.outcome.contains(Outcome.Finished))
    }
  }
}
