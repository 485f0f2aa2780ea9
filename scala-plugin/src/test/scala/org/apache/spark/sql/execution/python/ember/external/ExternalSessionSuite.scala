package org.apache.spark.sql.execution.python.ember.external

import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger

import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SparkEnv
import org.apache.spark.api.python.PythonException
import org.apache.spark.sql.SparkSession
import org.apache.spark.udf.worker._
import org.apache.spark.udf.worker.core.{Termination, WorkerSession}

import dev.ember.EmberPlugin
import dev.ember.session.LaneDispatcher

/** Spark's manager, dispatcher and session, with a real interpreter behind them. */
class ExternalSessionSuite extends AnyFunSuite with BeforeAndAfterAll {
  import ExternalTask.{init, request, values, worker}

  private lazy val spark: SparkSession = SparkSession
    .builder()
    .master("local[1]")
    .appName("external")
    .config("spark.ui.enabled", "false")
    .config("spark.plugins", classOf[EmberPlugin].getName)
    .config("spark.ember.lane", "embedded")
    .getOrCreate()

  override protected def afterAll(): Unit = spark.stop()

  private val doubled =
    """def f(batches):
      |    import pyarrow.compute as pc
      |    for batch in batches:
      |        yield batch.set_column(0, "id", pc.multiply(batch["id"], 2))
      |""".stripMargin

  private def session(): WorkerSession =
    SparkEnv.get.getExternalUDFDispatcher(worker).createSession(None)

  private def running: Int =
    SparkEnv.get.getExternalUDFDispatcher(worker).asInstanceOf[ExternalDispatcher].running

  private def inTask[T](what: => T): T = ExternalTask.in(spark) {
    val result = what
    assert(running == 0, "a session was not released")
    result
  }

  private def finish: () => Finish = () => Finish.getDefaultInstance
  private def noMore: () => Cancel = () => Cancel.getDefaultInstance

  for ((kind, body) <- Seq(
      "SQL_MAP_ARROW_ITER_UDF" -> doubled,
      "SQL_MAP_PANDAS_ITER_UDF" -> "def f(frames):\n    for frame in frames:\n        yield frame * 2",
      "SQL_SCALAR_ARROW_UDF" -> "def f(ids):\n    import pyarrow.compute as pc\n    return pc.multiply(ids, 2)")) {
    test(s"$kind: init, requests and responses, and the end after the finish") {
      val finished = new AtomicInteger
      val (answers, end) = inTask {
        val asked = session()
        assert(!asked.init(message(body, kind)).hasError)
        val input = Iterator(request(1, 2, 3), request(), request(4))
        val responses = asked.process(input, () => { finished.incrementAndGet(); finish() })
        val answers = responses.map(values(_)).toSeq.filter(_.nonEmpty)
        (answers, asked.close(noMore))
      }
      assert(answers.flatten == Seq(2, 4, 6, 8))
      assert(finished.get == 1)
      end match {
        case Termination.Finished(response) =>
          assert(response.getMetricsMap.get("pythonNumRowsReceived") == "4")
        case other => fail(s"$other")
      }
    }
  }

  private def message(body: String, kind: String): Init =
    if (kind.startsWith("SQL_SCALAR")) scalar(body, kind) else init(body, kind).build()

  /** Its result is a column, not a row. */
  private def scalar(body: String, kind: String): Init =
    init(s"$body\nStructType = lambda fields: fields[0].dataType", kind).build()

  test("it is an embedded session that answers") {
    val before = LaneDispatcher.embedded.made
    inTask {
      val asked = session()
      asked.init(init(doubled).build()): Unit
      assert(asked.process(Iterator(request(1)), finish).map(values(_)).toSeq.flatten == Seq(2))
      asked.close(noMore): Unit
    }
    assert(LaneDispatcher.embedded.made == before + 1)
    assert(LaneDispatcher.embedded.open == 0)
  }

  test("an error of the function is Python's, and the worker may be used again") {
    inTask {
      val asked = session()
      asked.init(
        init("def f(batches):\n    next(batches)\n    raise ValueError('on purpose')")
          .build()): Unit
      val responses = asked.process(Iterator(request(1), request(2)), finish)
      val error = intercept[PythonException](responses.toSeq)
      assert(error.getMessage.contains("ValueError: on purpose"))
      asked.close(noMore) match {
        case Termination.Failed(told) =>
          assert(told.getUser.getMessage.contains("on purpose"))
          assert(told.getUser.getErrorClass == "PYTHON_EXCEPTION")
        case other => fail(s"$other")
      }
    }
    assert(inTask(again()) == Seq(2, 4))
  }

  private def again(): Seq[Long] = {
    val asked = session()
    asked.init(init(doubled).build()): Unit
    val answers = asked.process(Iterator(request(1, 2)), finish).map(values(_)).toSeq.flatten
    asked.close(noMore): Unit
    answers
  }

  test("a session that is closed before its end is cancelled, and says so to its engine once") {
    val cancelled = new AtomicInteger
    val end = inTask {
      val asked = session()
      asked.init(init(doubled).build()): Unit
      val responses = asked.process(Iterator.continually(request(1)), finish)
      assert(values(responses.next()) == Seq(2))
      val counted = () => {
        cancelled.incrementAndGet()
        noMore()
      }
      val end = asked.close(counted)
      asked.close(counted): Unit
      end
    }
    assert(end.isInstanceOf[Termination.Cancelled])
    assert(cancelled.get == 1)
  }

  test("a session that was opened and given no data gives everything back") {
    val end = inTask {
      val asked = session()
      asked.init(init(doubled).build()): Unit
      asked.close(noMore)
    }
    assert(end.isInstanceOf[Termination.Cancelled])
    assert(LaneDispatcher.embedded.open == 0)
  }

  test("a failure of the engine's own input is thrown as it is, and the session is cancelled") {
    val failed = new IOException("disk")
    inTask {
      val asked = session()
      asked.init(init(doubled).build()): Unit
      val input = Iterator(request(1)) ++ new Iterator[DataRequest] {
        override def hasNext: Boolean = throw failed
        override def next(): DataRequest = throw failed
      }
      assert(intercept[IOException](asked.process(input, finish).toSeq) eq failed)
      assert(asked.close(noMore).isInstanceOf[Termination.Cancelled])
    }
  }

  test("a worker that dies is broken, and not to be used again") {
    spark.sparkContext.setLocalProperty("spark.ember.lane", "process")
    try
      inTask {
        val asked = session()
        val dies = "def f(batches):\n    import os\n    next(batches)\n    os.kill(os.getpid(), 9)"
        asked.init(init(dies).build()): Unit
        intercept[Exception](asked.process(Iterator(request(1)), finish).toSeq)
        assert(asked.close(noMore).isInstanceOf[Termination.TransportFailed])
      }
    finally spark.sparkContext.setLocalProperty("spark.ember.lane", null)
  }

  test("what an init asks for in vain is a violation of the protocol, in words") {
    val good = init(doubled)
    val bad = Seq(
      good.clone().setDataFormatValue(0) -> "not Arrow's",
      good.clone().clearInputSchema() -> "schema of its input",
      good.clone().setInputSchema(good.getUdf.getPayload) -> "schema cannot be read",
      good.clone().setIsChunkingPayload(true) -> "in chunks",
      changed(good)(_.setFormat("jar")) -> "written as 'jar'",
      changed(good)(_.setEvalType("SQL_TABLE_UDF")) -> "kind 'SQL_TABLE_UDF'",
      changed(good)(_.setPayloadCrc32(7)) -> "the sums differ")
    for ((message, words) <- bad) inTask {
      val asked = session()
      val error = intercept[ProtocolViolation](asked.init(message.build()))
      assert(error.getMessage.contains(words))
      asked.close(noMore) match {
        case Termination.Failed(told) => assert(told.getProtocol.getMessage.contains(words))
        case other => fail(s"$other")
      }
    }
  }

  private def changed(init: Init.Builder)(change: UdfPayload.Builder => UdfPayload.Builder) = {
    val other = init.clone()
    other.setUdf(change(other.getUdf.toBuilder))
  }

  test("a request without a batch is a violation too") {
    inTask {
      val asked = session()
      asked.init(init(doubled).build()): Unit
      val empty = DataRequest.getDefaultInstance
      intercept[ProtocolViolation](asked.process(Iterator(empty), finish).toSeq)
      asked.close(noMore): Unit
    }
  }

  test("a session without a task is refused") {
    val asked = session()
    val error = intercept[IllegalStateException](asked.init(init(doubled).build()))
    assert(error.getMessage.contains("belongs to a task"))
    assert(asked.close(noMore).isInstanceOf[Termination.TransportFailed])
    assert(running == 0)
  }

  test("workers of other sorts are refused with words") {
    for ((command, words) <- Seq(
        Seq("node", "worker.js") -> "no python -m pyspark.worker",
        Nil -> "no command")) {
      val error = intercept[UnsupportedOperationException] {
        SparkEnv.get.getExternalUDFDispatcher(ExternalTask.specification(command: _*))
      }
      assert(error.getMessage.contains(words))
    }
  }
}
