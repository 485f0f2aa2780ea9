package dev.ember.session.node

import java.io.{DataInputStream, IOException, OutputStream}
import java.net.{StandardProtocolFamily, UnixDomainSocketAddress}
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.channels.{Channels, ServerSocketChannel, SocketChannel}
import java.nio.file.{Files, Path}

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.{BigIntVector, VectorLoader, VectorSchemaRoot, VectorUnloader}
import org.apache.arrow.vector.ipc.{ReadChannel, WriteChannel}
import org.apache.arrow.vector.ipc.message.{ArrowRecordBatch, MessageSerializer}

import dev.ember.session.contract.{Dispatcher, Outcome, Session, WorkerFunction}

/** The function raised. */
final class JavaScriptError(words: String) extends RuntimeException(words)

/** Functions in JavaScript, from longs to longs, each in a process of Node.js. */
final class NodeDispatcher(script: Path, allocator: BufferAllocator) extends Dispatcher {
  def session(): NodeSession = counted(new NodeSession(script, allocator))
}

/** A batch is there and back before the next is sent. */
final class NodeSession(script: Path, allocator: BufferAllocator)
    extends Session[Iterator[Seq[Option[Long]]], Seq[Option[Long]]] {
  private val folder = Files.createTempDirectory("ember-node")
  private val address = folder.resolve("socket")
  private val column = new BigIntVector("values", allocator)
  private val root = VectorSchemaRoot.of(column)
  @volatile private var worker: Option[Process] = None
  private var socket: Option[SocketChannel] = None

  override protected def doInit(function: WorkerFunction): Unit = {
    val server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
    try {
      server.bind(UnixDomainSocketAddress.of(address)): Unit
      val started =
        new ProcessBuilder("node", script.toString, address.toString).inheritIO().start()
      worker = Some(started)
      started.onExit().thenRun(() => server.close()): Unit // it may die before it calls
      socket = Some(server.accept())
    } finally server.close()
    val size = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(function.payload.length)
    out.write(size.array)
    out.write(function.payload)
    out.write(function.input)
  }

  override protected def doProcess(
      input: Iterator[Seq[Option[Long]]]): Iterator[Seq[Option[Long]]] = {
    val answers = new DataInputStream(Channels.newInputStream(socket.get))
    // Arrow's Java library reads no message without a body.
    input.map { batch =>
      if (batch.nonEmpty) send(batch)
      if (batch.nonEmpty) receive(answers) else batch
    }
  }

  private def send(batch: Seq[Option[Long]]): Unit = {
    column.allocateNew(batch.size)
    batch.zipWithIndex.foreach {
      case (Some(value), at) => column.set(at, value)
      case (None, at) => column.setNull(at)
    }
    root.setRowCount(batch.size)
    val message = new VectorUnloader(root).getRecordBatch
    try MessageSerializer.serialize(new WriteChannel(Channels.newChannel(out)), message): Unit
    finally message.close()
  }

  private def receive(answers: DataInputStream): Seq[Option[Long]] = {
    if (answers.readByte() != 0) {
      val words = answers.readNBytes(Integer.reverseBytes(answers.readInt()))
      throw new JavaScriptError(new String(words, "UTF-8"))
    }
    val channel = new ReadChannel(Channels.newChannel(answers))
    MessageSerializer.deserializeMessageBatch(channel, allocator) match {
      case batch: ArrowRecordBatch =>
        try new VectorLoader(root).load(batch)
        finally batch.close()
      case other => throw new IOException(s"no batch of rows came back, but $other")
    }
    (0 until root.getRowCount).map(at => Option.when(!column.isNull(at))(column.get(at)))
  }

  private def out: OutputStream = Channels.newOutputStream(socket.get)

  /** A function that raised leaves its worker sound; a socket that ends does not. */
  override protected def blame(error: Throwable): Outcome = error match {
    case raised: JavaScriptError => Outcome.FunctionFailed(raised)
    case broken: IOException => Outcome.Broken(broken)
    case other => Outcome.InputFailed(other)
  }

  override protected def doCancel(): Unit = worker.foreach(_.destroyForcibly())

  override protected def doClose(end: Outcome): Unit = {
    socket.foreach(_.close())
    worker.foreach(_.destroy())
    root.close()
    Files.deleteIfExists(address): Unit
    Files.deleteIfExists(folder): Unit
  }
}
