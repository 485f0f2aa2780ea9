package dev.ember.session.node

import java.io.ByteArrayOutputStream
import java.nio.channels.Channels
import java.nio.file.Path

import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.ipc.WriteChannel
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, Schema}
import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

import dev.ember.session.contract.{Outcome, SessionCancelled, WorkerFunction}

/** The example of `docs/contributing/adding-a-language.md`. */
class NodeSessionSuite extends AnyFunSuite with BeforeAndAfterAll {
  private val allocator = new RootAllocator
  private val script = Path.of(getClass.getResource("/node/worker.js").toURI)
  private val dispatcher = new NodeDispatcher(script, allocator)

  override protected def afterAll(): Unit = allocator.close() // throws if a batch was leaked

  private def opened(text: String): NodeSession = {
    assume(
      sys.env("PATH").split(':').exists(Path.of(_).resolve("node").toFile.canExecute),
      "no node")
    val session = dispatcher.session()
    session.init(WorkerFunction("f", 200, "JavaScript", text.getBytes("UTF-8"), schema))
    session
  }

  private def schema: Array[Byte] = {
    val long = Field.nullable("values", new ArrowType.Int(64, true))
    val bytes = new ByteArrayOutputStream
    MessageSerializer.serialize(
      new WriteChannel(Channels.newChannel(bytes)),
      new Schema(Seq(long).asJava)): Unit
    bytes.toByteArray
  }

  test("a function in JavaScript gets batches of Arrow's and gives them back") {
    val session = opened("x => x * 2n + 1n")
    val batches =
      Seq(Seq(Some(1L), None, Some(-3L)), Nil, Seq.tabulate(20000)(at => Option(at.toLong)))
    val results = session.process(batches.iterator).toSeq
    assert(results == batches.map(_.map(_.map(x => x * 2 + 1))))
    assert(session.outcome.contains(Outcome.Finished))
    assert(dispatcher.open == 0)
  }

  test("what it throws is the function's failure") {
    val results = opened("x => { throw new RangeError(`no ${x}`) }")
    val error = intercept[JavaScriptError](results.process(Iterator(Seq(Some(7L)))).next())
    assert(error.getMessage == "RangeError: no 7")
    assert(results.outcome.exists(_.sound))
  }

  test("a worker that dies breaks its session") {
    val session = opened("x => process.exit(3)")
    intercept[java.io.IOException](session.process(Iterator(Seq(Some(7L)))).next())
    assert(session.outcome.exists(!_.sound))
  }

  test("a function that does not end is cancelled with its worker") {
    val session = opened("x => { for (;;); }")
    val results = session.process(Iterator(Seq(Some(1L))))
    val other = new Thread(() => {
      Thread.sleep(300)
      session.cancel()
    })
    other.start()
    intercept[Throwable](results.next())
    other.join()
    assert(session.outcome.contains(Outcome.Cancelled))
    intercept[SessionCancelled](results.hasNext)
  }
}
