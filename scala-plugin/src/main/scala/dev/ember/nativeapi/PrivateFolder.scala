package dev.ember.nativeapi

import java.io.{InputStream, IOException}
import java.nio.channels.Channels
import java.nio.file.{Files, LinkOption, Path, StandardOpenOption}
import java.nio.file.attribute.{PosixFilePermission, PosixFilePermissions}
import java.security.{DigestInputStream, MessageDigest}

import scala.jdk.CollectionConverters._
import scala.util.Using
import scala.util.control.NonFatal

/**
 * A new folder that only its owner can look into. Its files are new as well: one that exists, or a link, is an
 * error and is never written through.
 */
private[nativeapi] final class PrivateFolder(val path: Path) {
  import PrivateFolder._

  /** Writes a file and gives its sha256. Throws [[RefusedFile]] if the name leads out of the folder. */
  def write(name: String, content: InputStream, executable: Boolean): String = {
    val file = path.resolve(name).normalize
    val top = path.resolve(name.takeWhile(_ != '/'))
    if (!file.startsWith(top)) throw new RefusedFile(s"$name leaves its folder")
    makeFolders(file.getParent)
    val permissions = if (executable) "rwx------" else "rw-------"
    val digest = MessageDigest.getInstance("SHA-256")
    val input = new DigestInputStream(content, digest)
    Using.resource(Files.newByteChannel(file, newFileOnly, onlyOwner(permissions))) { channel =>
      input.transferTo(Channels.newOutputStream(channel)): Unit
    }
    Sha256.hex(digest.digest())
  }

  def deleteAtExit(): Unit =
    Runtime.getRuntime.addShutdownHook(new Thread(() => delete(), "ember-cleanup"))

  /** As far as it can be deleted. */
  def delete(): Unit =
    try {
      Using.resource(Files.walk(path)) { paths =>
        paths.iterator.asScala.toList.reverse.foreach(Files.deleteIfExists(_): Unit)
      }
    } catch { case NonFatal(_) => () }

  private def makeFolders(folder: Path): Unit =
    if (folder != path && !Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      makeFolders(folder.getParent)
      Files.createDirectory(folder, onlyOwner("rwx------")): Unit
    }
}

private[nativeapi] object PrivateFolder {

  /** A new one, which bears the mark of its process. */
  def in(base: Path, mark: Option[ProcessMark]): PrivateFolder = {
    val prefix = mark.fold(Prefix)(Prefix + _ + "-")
    val path = Files.createTempDirectory(base, prefix, onlyOwner("rwx------"))
    val others = permissions(path) -- owner
    if (others.nonEmpty) throw new IOException(s"$path is open to others: ${others.mkString(", ")}")
    new PrivateFolder(path)
  }

  /**
   * Deletes what processes that were killed have left in `base`. A folder must bear the mark of a process that
   * is surely gone, be as private as [[in]] makes them, and belong to whom `mine` belongs to. Several processes
   * may do this at the same time: what they delete was nobody's.
   */
  def sweep(base: Path, mine: PrivateFolder, processes: Processes): Unit =
    try {
      Using.resource(Files.newDirectoryStream(base, Prefix + "*")) { folders =>
        folders.asScala
          .filter(path => markOf(path).exists(processes.hasEnded) && isLike(path, mine.path))
          .foreach(new PrivateFolder(_).delete())
      }
    } catch { case NonFatal(_) => () }

  private def isLike(path: Path, mine: Path): Boolean =
    try
      Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) && permissions(path) == owner &&
        ownerOf(path) == ownerOf(mine)
    catch { case NonFatal(_) => false }

  private def ownerOf(path: Path) = Files.getOwner(path, LinkOption.NOFOLLOW_LINKS)

  private def markOf(path: Path): Option[ProcessMark] = {
    val name = path.getFileName.toString.stripPrefix(Prefix)
    ProcessMark.parse(name.take(name.lastIndexOf('-')))
  }

  private def permissions(path: Path): Set[PosixFilePermission] =
    Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS).asScala.toSet

  private val Prefix = "ember-"

  private val owner = Set(
    PosixFilePermission.OWNER_READ,
    PosixFilePermission.OWNER_WRITE,
    PosixFilePermission.OWNER_EXECUTE)

  private val newFileOnly =
    java.util.Set.of(
      StandardOpenOption.CREATE_NEW,
      StandardOpenOption.WRITE,
      LinkOption.NOFOLLOW_LINKS)

  private def onlyOwner(permissions: String) =
    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
}

/** A file of the jar is not what it should be; another folder would not help. */
private[nativeapi] final class RefusedFile(message: String) extends RuntimeException(message)

private[nativeapi] object Sha256 {
  def of(bytes: Array[Byte]): String = hex(MessageDigest.getInstance("SHA-256").digest(bytes))

  def hex(digest: Array[Byte]): String = digest.map(byte => f"${byte & 0xff}%02x").mkString
}
