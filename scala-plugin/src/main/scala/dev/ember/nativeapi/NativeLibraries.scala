package dev.ember.nativeapi

import java.io.{IOException, InputStream}
import java.nio.channels.Channels
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, LinkOption, Path, Paths, StandardOpenOption}
import java.nio.file.attribute.{PosixFilePermission, PosixFilePermissions}
import java.security.{DigestInputStream, MessageDigest}

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._
import scala.util.Using
import scala.util.control.NonFatal

/**
 * Takes the native libraries and the Python package out of the jar, into a folder that nobody else can write,
 * and loads the first of them.
 *
 * Every file is new (an existing one, or a link, is an error), private, and equal to what the jar says it is.
 * A folder from which code may not be mapped is left for the next.
 *
 * @param folders
 *   where to try, in order
 * @param resource
 *   opens a file of the jar by its path
 * @param load
 *   `System.load`
 */
final class NativeLibraries(
    folders: Seq[Path],
    resource: String => Option[InputStream],
    load: Path => Unit) {
  import NativeLibraries._

  /** The libraries, loaded, or why there are none. */
  def install(): Either[String, Installed] = {
    val refusals = new ArrayBuffer[String]
    val attempts = folders.distinct.iterator.map(attempt)
    attempts
      .tapEach(_.left.foreach(refusal => refusals += refusal.words))
      .collectFirst {
        case Right(installed) => Right(installed)
        case Left(Final(why)) => Left(why)
      }
      .getOrElse(Left(refusals.mkString("; ")))
  }

  private def attempt(base: Path): Either[Refusal, Installed] = {
    var made: Option[Path] = None
    try {
      val folder = newPrivateFolder(base)
      made = Some(folder)
      val libraries = extract(s"native/$platform", folder.resolve("native"), executable = true)
      val python = extract("ember/python", folder.resolve("python"), executable = false)
      load(libraries.resolve(libraryName))
      deleteAtExit(folder)
      Right(Installed(libraries, python))
    } catch {
      case refused: RefusedFile =>
        made.foreach(deleteRecursively)
        Left(Final(refused.getMessage))
      case unusable @ (_: IOException | _: UnsatisfiedLinkError | _: UnsupportedOperationException) =>
        made.foreach(deleteRecursively)
        Left(refusal(base, unusable))
    }
  }

  private def refusal(base: Path, error: Throwable): Refusal = {
    val why = s"$base: ${error.getMessage}"
    error match {
      case link: UnsatisfiedLinkError if !isNotMappable(link) => Final(why)
      case _ => TryNext(why)
    }
  }

  /** Copies what `source/SHA256SUMS` lists. */
  private def extract(source: String, target: Path, executable: Boolean): Path = {
    Files.createDirectory(target, onlyOwner("rwx------")): Unit
    val sums = resource(s"$source/$sumsName")
      .getOrElse(throw new RefusedFile(s"the jar has no $source/$sumsName"))
    val lines = Using.resource(sums)(stream => new String(stream.readAllBytes(), UTF_8).linesIterator.toSeq)
    for (Array(sum, name) <- lines.filter(_.nonEmpty).map(_.split("\\s+\\*?", 2))) {
      val file = target.resolve(name).normalize
      if (!file.startsWith(target)) throw new RefusedFile(s"$source/$name leaves its folder")
      makeFolders(target, file.getParent)
      write(s"$source/$name", file, sum, if (executable) "rwx------" else "rw-------")
    }
    target
  }

  private def makeFolders(root: Path, folder: Path): Unit =
    if (folder != root && !Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      makeFolders(root, folder.getParent)
      Files.createDirectory(folder, onlyOwner("rwx------")): Unit
    }

  private def write(source: String, file: Path, expected: String, permissions: String): Unit = {
    val stream = resource(source).getOrElse(throw new RefusedFile(s"the jar has no $source"))
    val digest = MessageDigest.getInstance("SHA-256")
    Using.resource(new DigestInputStream(stream, digest)) { input =>
      Using.resource(Files.newByteChannel(file, newFileOnly, onlyOwner(permissions))) { channel =>
        val output = Channels.newOutputStream(channel)
        input.transferTo(output): Unit
        output.flush()
      }
    }
    val actual = digest.digest().map(byte => f"${byte & 0xff}%02x").mkString
    if (actual != expected) throw new RefusedFile(s"$source is damaged: its sha256 is $actual, not $expected")
  }
}

object NativeLibraries {

  /** Where the libraries and the package `ember_worker` lie. */
  final case class Installed(libraries: Path, python: Path) {
    def bridge(pythonVersion: String): Option[Path] = {
      val path = libraries.resolve(s"py${pythonVersion.filter(_ != '.')}").resolve("libember_bridge.so")
      Some(path).filter(Files.isRegularFile(_))
    }

    def factsScript: Path = python.resolve("ember_worker").resolve("facts.py")
  }

  /**
   * For this JVM.
   *
   * @param developerFolder
   *   libraries to use where they are, in place of the jar's
   */
  def install(localDirs: Seq[String], developerFolder: Option[String]): Either[String, Installed] = {
    val loader = getClass.getClassLoader
    val fromJar = (path: String) => Option(loader.getResourceAsStream(path))
    val resource = developerFolder.fold(fromJar)(folder => shadowing(Paths.get(folder), fromJar))
    new NativeLibraries(candidates(localDirs), resource, path => System.load(path.toString)).install()
  }

  /** Files of `folder` stand before those of the jar; they are copied too, so that a build may replace them. */
  private def shadowing(folder: Path, jar: String => Option[InputStream])(path: String): Option[InputStream] = {
    val natives = s"native/$platform/"
    if (!path.startsWith(natives)) jar(path)
    else if (path == natives + sumsName) Some(new java.io.ByteArrayInputStream(sumsOf(folder).getBytes(UTF_8)))
    else Some(Files.newInputStream(folder.resolve(path.stripPrefix(natives))))
  }

  private def sumsOf(folder: Path): String = Using.resource(Files.walk(folder)) { paths =>
    paths.iterator.asScala.filter(_.toString.endsWith(".so")).map { path =>
      val digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path))
      s"${digest.map(byte => f"${byte & 0xff}%02x").mkString}  ${folder.relativize(path)}"
    }.mkString("\n")
  }

  private[nativeapi] def candidates(localDirs: Seq[String]): Seq[Path] = {
    val temporary = Seq(System.getProperty("java.io.tmpdir"), "/dev/shm", "/var/tmp")
    (localDirs ++ sys.env.get("XDG_RUNTIME_DIR") ++ temporary)
      .filter(name => name != null && name.nonEmpty)
      .map(name => Paths.get(name).toAbsolutePath)
      .filter(Files.isDirectory(_))
  }

  private[nativeapi] val libraryName = "libember.so"
  private[nativeapi] val sumsName = "SHA256SUMS"

  private[nativeapi] lazy val platform: String = System.getProperty("os.arch") match {
    case "amd64" => "linux-x86_64"
    case other => s"linux-$other"
  }

  private sealed trait Refusal { def words: String }
  private final case class TryNext(words: String) extends Refusal
  private final case class Final(words: String) extends Refusal

  /** A file of the jar is not what it should be; another folder would not help. */
  private final class RefusedFile(message: String) extends RuntimeException(message)

  private val newFileOnly = java.util.Set.of(
    StandardOpenOption.CREATE_NEW,
    StandardOpenOption.WRITE,
    LinkOption.NOFOLLOW_LINKS)

  private def onlyOwner(permissions: String) =
    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))

  private def newPrivateFolder(base: Path): Path = {
    val folder = Files.createTempDirectory(base, "ember-", onlyOwner("rwx------"))
    val others = Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS).asScala.toSet --
      Set(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE)
    if (others.nonEmpty) throw new IOException(s"$folder is open to others: ${others.mkString(", ")}")
    folder
  }

  /** How the dynamic loader says that a file system is mounted `noexec`. */
  private def isNotMappable(error: UnsatisfiedLinkError): Boolean = {
    val message = String.valueOf(error.getMessage)
    message.contains("failed to map segment") || message.contains("Operation not permitted")
  }

  private def deleteAtExit(folder: Path): Unit =
    Runtime.getRuntime.addShutdownHook(new Thread(() => deleteRecursively(folder), "ember-cleanup"))

  private def deleteRecursively(folder: Path): Unit =
    try {
      Using.resource(Files.walk(folder)) { paths =>
        paths.iterator.asScala.toSeq.reverse.foreach(Files.deleteIfExists(_): Unit)
      }
    } catch { case NonFatal(_) => () }
}
