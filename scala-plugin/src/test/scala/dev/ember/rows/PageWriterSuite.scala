package dev.ember.rows

import scala.util.{Random, Using}

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.UTF8String

class PageWriterSuite extends AnyFunSuite {
  private val text = UnsafeProjection.create(Array[DataType](StringType))
  private val long = UnsafeProjection.create(Array[DataType](LongType))

  /** A row of a text of so many bytes. */
  private def texts(size: Int): UnsafeRow =
    text(InternalRow(UTF8String.fromString("x" * size))).copy()

  private def longs(value: Long): UnsafeRow = long(InternalRow(value)).copy()

  private def written(page: PageWriter, fields: Int = 1): Seq[UnsafeRow] =
    page.rows(fields).map(_.copy()).toSeq

  test("rows are read as they were written, whatever their size") {
    Using.resource(new NativePages) { pages =>
      val page = pages.writer()
      page.begin()
      // Around the size to which rows are copied by words, and that of the first page.
      val rows = (Seq(0, 1, 7, 8, 9) ++ (100 to 130) ++ Seq(1000, 65536, 200000)).map(texts)
      rows.foreach(page.append)
      assert(written(page) == rows)
      assert(page.bytes == rows.map(_.getSizeInBytes + 8L).sum)
    }
  }

  test("a page that grows keeps what it has") {
    Using.resource(new NativePages) { pages =>
      val page = pages.writer()
      page.begin()
      val rows = (0L until 20000L).map(longs)
      rows.foreach(page.append)
      assert(pages.moved > 2)
      assert(written(page) == rows)
    }
  }

  test("a page that is begun again has no rows, and all the room it had") {
    Using.resource(new NativePages) { pages =>
      val page = pages.writer()
      page.begin()
      (0L until 20000L).foreach(value => page.append(longs(value)))
      val moved = pages.moved
      for (round <- 1L to 3L) {
        page.begin()
        assert(page.bytes == 0)
        assert(written(page).isEmpty)
        (0L until 20000L).foreach(value => page.append(longs(value * round)))
        assert(written(page).last.getLong(0) == 19999 * round)
      }
      assert(pages.moved == moved)
    }
  }

  test("rows in a heap array that does not begin with them are copied from where they are") {
    Using.resource(new NativePages) { pages =>
      val rows = Seq(texts(5), texts(300))
      val page = pages.writer()
      page.begin()
      for (row <- rows) {
        val shifted = new Array[Byte](row.getSizeInBytes + 24)
        System.arraycopy(row.getBytes, 0, shifted, 24, row.getSizeInBytes)
        val inside = new UnsafeRow(1)
        inside.pointTo(shifted, row.getBaseOffset + 24, row.getSizeInBytes)
        page.append(inside)
      }
      assert(written(page) == rows)
    }
  }

  test("rows of another page can be written, and stay when that page is begun again") {
    Using.resource(new NativePages) { pages =>
      val (first, second) = (pages.writer(), pages.writer())
      val rows = (0 to 200 by 40).map(texts)
      first.begin()
      second.begin()
      rows.foreach(first.append)
      first.rows(1).foreach(second.append)
      first.begin()
      first.append(texts(4000))
      assert(written(second) == rows)
    }
  }

  test("a reader gives each row in the same object, and ends with the page") {
    Using.resource(new NativePages) { pages =>
      val page = pages.writer()
      page.begin()
      Seq(1L, 2L).foreach(value => page.append(longs(value)))
      val rows = page.rows(1)
      val first = rows.next()
      assert(first.getLong(0) == 1)
      val second = rows.next()
      assert(second eq first)
      assert(first.getLong(0) == 2)
      assert(!rows.hasNext)
      assert(new PageReader(1).over(0, 0).isEmpty)
    }
  }

  test("rows of any types are read as they were written") {
    val schema = StructType.fromDDL(
      "a long, b string, c decimal(38,3), d array<string>, e map<int,binary>, f struct<x:int,y:date>")
    Using.resource(new NativePages) { pages =>
      val page = pages.writer()
      page.begin()
      val rows = new RandomRows(new Random(7)).rows(schema, 2000)
      rows.foreach(page.append)
      assert(written(page, schema.length) == rows)
    }
  }
}
