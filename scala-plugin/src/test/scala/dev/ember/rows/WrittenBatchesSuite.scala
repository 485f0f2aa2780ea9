package dev.ember.rows

import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.VectorSchemaRoot
import org.apache.arrow.vector.ipc.ArrowStreamWriter
import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.arrow.ArrowWriter
import org.apache.spark.sql.execution.python.ember.ArrowSchemas
import org.apache.spark.sql.types._

class WrittenBatchesSuite extends AnyFunSuite with BeforeAndAfterEach {
  private var allocator: RootAllocator = _

  override def beforeEach(): Unit = allocator = new RootAllocator
  override def afterEach(): Unit = allocator.close()

  /** Asks for batches of a writer that ends so many at each call. */
  private def written[T](ends: Seq[Seq[Int]])(ask: WrittenBatches => T): T = {
    val schema = ArrowSchemas.of(StructType(Seq(StructField("_0", LongType))))
    val root = VectorSchemaRoot.create(schema, allocator)
    val rows = ArrowWriter.create(root)
    val calls = ends.iterator

    def write(end: ArrowStreamWriter): Boolean = {
      calls.next().foreach { count =>
        (0 until count).foreach(i => rows.write(InternalRow(i.toLong)))
        rows.finish()
        end.writeBatch()
        rows.reset()
      }
      calls.hasNext
    }

    val batches = new WrittenBatches(root, allocator, write)
    try ask(batches)
    finally {
      batches.close()
      root.close()
    }
  }

  test(
    "what a writer ends is a batch, be it none, one or several at a time, and after its last input") {
    written(Seq(Nil, Seq(2), Nil, Seq(3, 1), Seq(5))) { batches =>
      assert(Sizes.of(batches) == Seq(2, 3, 1, 5))
      assert(batches.next().isEmpty)
    }
  }

  test("a writer without input ends no batch") {
    written(Seq(Nil))(batches => assert(batches.next().isEmpty))
  }

  test("a batch stays as it is while the writer goes on") {
    written(Seq(Seq(2), Seq(2))) { batches =>
      val first = batches.next().get
      val second = batches.next().get
      assert(first.layout.toSeq != second.layout.toSeq)
      first.memory.close()
      second.memory.close()
    }
  }

  test("batches that nobody asked for are freed") {
    written(Seq(Seq(1, 2, 3))) { batches =>
      batches.next().foreach(_.memory.close())
    }
  }
}
