package dev.ember.rows

import java.util.concurrent.TimeUnit

import org.openjdk.jmh.annotations.{
  Benchmark,
  BenchmarkMode,
  Fork,
  Level,
  Measurement,
  Mode,
  OperationsPerInvocation,
  OutputTimeUnit,
  Param,
  Scope,
  Setup,
  State,
  TearDown,
  Warmup
}
import org.openjdk.jmh.infra.Blackhole

import org.apache.spark.sql.catalyst.expressions.UnsafeRow
import org.apache.spark.sql.catalyst.expressions.codegen.UnsafeRowWriter
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.types.UTF8String

/** Rows into pages and out of them, in nanoseconds per row: `./sbt "paging/Jmh/run"`. */
@State(Scope.Thread)
@BenchmarkMode(Array(Mode.AverageTime))
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(PagingBench.Rows)
@Fork(2)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 6, time = 1)
class PagingBench {

  /** `long`: one long. `string`: one of twenty characters. `mixed`: id, double, string, decimal, timestamp. */
  @Param(Array("long", "string", "mixed", "hundred_longs"))
  var shape: String = _

  private var rows: Array[UnsafeRow] = _
  private var page: Page = _
  private var writer: PageWriter = _

  @Setup(Level.Trial)
  def fill(): Unit = {
    val one = PagingBench.shapes(shape)
    rows = Array.tabulate(PagingBench.Rows)(one)
    page = new Page
    writer = new PageWriter(page.room)
    assert(write() > 0) // the page that `read` reads
  }

  @TearDown(Level.Trial)
  def free(): Unit = page.free()

  /** A batch of rows into a page that is already large enough. */
  @Benchmark
  def write(): Long = {
    writer.begin()
    var at = 0
    while (at < rows.length) {
      writer.append(rows(at))
      at += 1
    }
    writer.bytes
  }

  /** The rows of that page, each looked at as its consumer would. */
  @Benchmark
  def read(seen: Blackhole): Unit = {
    val found = writer.rows(rows(0).numFields)
    while (found.hasNext) seen.consume(found.next().getSizeInBytes)
  }
}

object PagingBench {
  final val Rows = 10000

  val shapes: Map[String, Int => UnsafeRow] = Map(
    "long" -> (row => made(1)(_.write(0, row.toLong))),
    "string" -> (row => made(1)(_.write(0, text(row)))),
    "mixed" -> (row => made(5)(mixed(_, row))),
    "hundred_longs" -> (row =>
      made(100)(writer => (0 until 100).foreach(at => writer.write(at, row.toLong + at)))))

  private def mixed(writer: UnsafeRowWriter, row: Int): Unit = {
    writer.write(0, row.toLong)
    writer.write(1, row / 3.0)
    writer.write(2, text(row))
    writer.write(3, row * 7L)
    writer.write(4, 1700000000000000L + row)
  }

  private def made(fields: Int)(fill: UnsafeRowWriter => Unit): UnsafeRow = {
    val writer = new UnsafeRowWriter(fields)
    writer.resetRowWriter()
    fill(writer)
    writer.getRow.copy()
  }

  private def text(row: Int): UTF8String = UTF8String.fromString(f"a word and $row%9d")
}

/** Memory outside the heap that grows and keeps what was written. */
private final class Page {
  private var address = 0L
  private var size = 0L

  def room(bytes: Long): Long = {
    if (bytes > size) {
      address = Platform.reallocateMemory(address, size, bytes)
      size = bytes
    }
    address
  }

  def free(): Unit = Platform.freeMemory(address)
}
