package dev.ember.contain

import java.io.IOException
import java.lang.invoke.VarHandle
import java.nio.{BufferUnderflowException, ByteBuffer, MappedByteBuffer}
import java.nio.channels.FileChannel
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, LinkOption, Path, StandardOpenOption}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._
import scala.util.Using

import dev.ember.nativeapi.{Processes, ProcessMark}

/**
 * The functions that run in this executor at the moment, in a file that is there when the executor is not.
 *
 * {{{
 *   magic | entry 0 | entry 1 | ...       entry: 1 if in use | task | fingerprint | name (each behind its length)
 * }}}
 *
 * The file is mapped: what was written is the kernel's, however the process ends. Writing an entry is a few
 * stores into memory.
 */
final class CrashJournal private (val file: Path, application: String, bytes: MappedByteBuffer) {
  import CrashJournal._

  private val used = new java.util.BitSet(Entries)

  /** Notes that `run` begins; the number of its entry, or none if all are in use. */
  def begin(run: FunctionRun): Option[Int] = synchronized {
    val free = used.nextClearBit(0)
    if (free >= Entries) None
    else {
      used.set(free)
      val entry = bytes.duplicate().position(at(free) + 8)
      entry.putLong(run.task)
      put(entry, run.fingerprint)
      put(entry, run.name)
      VarHandle.releaseFence() // an entry is in use only when it is whole
      bytes.putInt(at(free), 1): Unit
      Some(free)
    }
  }

  def end(entry: Int): Unit = synchronized {
    bytes.putInt(at(entry), 0)
    used.clear(entry)
  }

  /** The executor ends in good order: there is nothing to tell. */
  def delete(): Unit =
    try Files.deleteIfExists(file): Unit
    catch { case _: IOException => () }

  /** What executors of the application left beside this file that are surely dead; their files are deleted. */
  def leftBehind(): Seq[LastWords] = {
    val processes = new Processes
    val start = s"$Prefix$application."
    Using.resource(Files.newDirectoryStream(file.getParent, Prefix + "*")) { files =>
      files.asScala.toList.filter(_.getFileName.toString.startsWith(start)).flatMap { other =>
        val (executor, rest) = other.getFileName.toString.stripPrefix(start).span(_ != '.')
        val mark = rest.drop(1)
        val dead = ProcessMark.parse(mark).exists(processes.hasEnded)
        if (!dead || !isLikeThis(other)) None
        else {
          val words = LastWords(executor, read(other))
          Files.deleteIfExists(other)
          Some(words)
        }
      }
    }
  }

  private def isLikeThis(other: Path): Boolean =
    Files.isRegularFile(other, LinkOption.NOFOLLOW_LINKS) && Files.size(other) == Bytes &&
      Files.getOwner(other, LinkOption.NOFOLLOW_LINKS) == Files.getOwner(file)

  private def put(entry: ByteBuffer, text: String): Unit = {
    val short = text.getBytes(UTF_8).take(LongestText)
    entry.putInt(short.length).put(short): Unit
  }
}

object CrashJournal {

  /** What ran in an executor when it died. */
  final case class LastWords(executor: String, running: Seq[FunctionRun])

  private val Magic = 0x454d4245524a3031L // EMBERJ01
  private val Entries = 64
  private val EntryBytes = 256
  private val LongestText = 112
  private val Bytes = 8 + Entries * EntryBytes
  private val Prefix = "ember-running."

  private def at(entry: Int): Int = 8 + entry * EntryBytes

  /** A new one in `folder`, which executors of an application share that follow each other on a machine. */
  def create(folder: Path, application: String, executor: String): Option[CrashJournal] =
    new Processes().own.map { mark =>
      val file = folder.resolve(s"$Prefix$application.$executor.$mark")
      val ours =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
      val options = java.util.Set.of(
        StandardOpenOption.CREATE_NEW,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        LinkOption.NOFOLLOW_LINKS)
      Using.resource(FileChannel.open(file, options, ours)) { channel =>
        val bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, Bytes.toLong)
        bytes.putLong(0, Magic)
        new CrashJournal(file, application, bytes)
      }
    }

  private def read(file: Path): Seq[FunctionRun] = {
    val bytes = ByteBuffer.wrap(Files.readAllBytes(file))
    if (bytes.getLong(0) != Magic) Nil
    else (0 until Entries).filter(entry => bytes.getInt(at(entry)) == 1).flatMap(readOne(bytes, _))
  }

  private def readOne(bytes: ByteBuffer, entry: Int): Option[FunctionRun] =
    try {
      val from = bytes.duplicate().position(at(entry) + 8)
      val task = from.getLong
      Some(FunctionRun(text(from), text(from), task, again = false))
    } catch { case _: BufferUnderflowException | _: IllegalArgumentException => None }

  private def text(from: ByteBuffer): String = {
    val length = from.getInt
    require(length >= 0 && length <= LongestText, "a text longer than its entry")
    val bytes = new Array[Byte](length)
    from.get(bytes)
    new String(bytes, UTF_8)
  }
}
