package org.apache.spark.sql.execution.python.ember.external

import java.io.ByteArrayOutputStream
import java.nio.channels.Channels

import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import com.google.protobuf.ByteString
import org.apache.arrow.memory.RootAllocator
import org.apache.arrow.vector.{BigIntVector, VectorLoader, VectorSchemaRoot, VectorUnloader}
import org.apache.arrow.vector.ipc.WriteChannel
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.{ArrowType, Field, Schema}

import org.apache.spark.sql.SparkSession
import org.apache.spark.udf.worker._

/** What an engine would send and read: columns of longs, functions in Python, and a task to do it in. */
object ExternalTask {
  val python: String = sys.env.getOrElse("PYSPARK_PYTHON", "python3")
  val schema: Schema = new Schema(Seq(Field.nullable("id", new ArrowType.Int(64, true))).asJava)

  @volatile private var work: () => Unit = () => ()

  /** Does it in a task of Spark's; the executor is this process. */
  def in[T](spark: SparkSession)(what: => T): T = {
    var result: Option[Try[T]] = None
    work = () => result = Some(Try(what))
    spark.sparkContext.parallelize(Seq(1), 1).foreachPartition(_ => ExternalTask.work())
    result.get.get
  }

  /** As PySpark describes a worker. */
  def specification(command: String*): UDFWorkerSpecification = UDFWorkerSpecification
    .newBuilder()
    .setCapabilities(
      WorkerCapabilities.newBuilder().addSupportedDataFormats(UDFWorkerDataFormat.ARROW))
    .setDirect(
      DirectWorker
        .newBuilder()
        .setRunner(ProcessCallable.newBuilder().addAllCommand(command.asJava)))
    .build()

  lazy val worker: UDFWorkerSpecification = specification(python, "-m", "pyspark.worker")

  /** For `def f(batches): …`, a map over batches of the column `id`. */
  def init(body: String, kind: String = "SQL_MAP_ARROW_ITER_UDF"): Init.Builder = Init
    .newBuilder()
    .setDataFormat(UDFWorkerDataFormat.ARROW)
    .setInputSchema(ByteString.copyFrom(written(MessageSerializer.serialize(_, schema): Unit)))
    .setTimezone("UTC")
    .setUdf(
      UdfPayload
        .newBuilder()
        .setName("f")
        .setFormat(ExternalFunction.Format)
        .setEvalType(kind)
        .setPayload(ByteString.copyFrom(pickled(body))))

  private def pickled(body: String): Array[Byte] = {
    val script =
      s"""import sys
         |from pyspark.serializers import CloudPickleSerializer
         |from pyspark.sql.types import LongType, StructField, StructType
         |$body
         |told = CloudPickleSerializer().dumps((f, StructType([StructField("id", LongType())])))
         |sys.stdout.buffer.write(told)
         |""".stripMargin
    val process = new ProcessBuilder(python, "-c", script)
      .redirectError(ProcessBuilder.Redirect.INHERIT)
      .start()
    val bytes = process.getInputStream.readAllBytes()
    require(process.waitFor() == 0, s"$python could not pickle $body")
    bytes
  }

  def request(values: Long*): DataRequest =
    Using.resource(new RootAllocator) { allocator =>
      Using.resource(new BigIntVector("id", allocator)) { column =>
        values.zipWithIndex.foreach { case (value, at) => column.setSafe(at, value) }
        column.setValueCount(values.size)
        val root = VectorSchemaRoot.of(column)
        root.setRowCount(values.size)
        val bytes = Using.resource(new VectorUnloader(root).getRecordBatch) { batch =>
          written(MessageSerializer.serialize(_, batch): Unit)
        }
        DataRequest.newBuilder().setData(ByteString.copyFrom(bytes)).build()
      }
    }

  def values(response: DataResponse): Seq[Long] =
    Using.resource(new RootAllocator) { allocator =>
      Using.resource(VectorSchemaRoot.create(schema, allocator)) { root =>
        Using.resource(WireForm.read(response.getData, allocator).get)(
          new VectorLoader(root).load(_))
        val column = root.getVector(0).asInstanceOf[BigIntVector]
        (0 until root.getRowCount).map(column.get(_))
      }
    }

  private def written(write: WriteChannel => Unit): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    write(new WriteChannel(Channels.newChannel(bytes)))
    bytes.toByteArray
  }
}
