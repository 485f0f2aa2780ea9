package dev.ember.nativeapi

import java.io.{InputStream, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, Paths}

import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._
import scala.util.Using

/**
 * Takes the native libraries and the Python package out of the jar, into a folder that nobody else can write,
 * and loads the first of them.
 *
 * Every file is new (an existing one, or a link, is an error), private, and equal to what the jar says it is.
 * A folder from which code may not be mapped is left for the next. What killed processes left there is removed.
 *
 * @param folders
 *   where to try, in order
 * @param resource
 *   opens a file of the jar by its path
 * @param load
 *   `System.load`
 * @param loadFromMemory
 *   the same by way of memory: used if there is a folder to write to, and none to map code from
 */
final class NativeLibraries(
    folders: Seq[Path],
    resource: String => Option[InputStream],
    load: Path => Unit,
    loadFromMemory: Path => Unit,
    processes: Processes = new Processes) {
  import NativeLibraries._

  /** The libraries, loaded, or why there are none. */
  def install(): Either[String, Installed] = {
    val refusals = new ArrayBuffer[Refusal]
    def first(bases: Seq[Path], loader: Path => Unit): Option[Either[String, Installed]] =
      bases.iterator
        .map { base =>
          val tried = attempt(base, loader)
          tried.left.foreach(refusals += _)
          tried
        }
        .collectFirst {
          case Right(installed) => Right(installed)
          case Left(Final(why)) => Left(why)
        }
    first(folders.distinct, load)
      .orElse(first(refusals.collect { case NotMappable(base, _) => base }.toSeq, loadFromMemory))
      .getOrElse(Left(refusals.map(_.words).mkString("; ")))
  }

  private def attempt(base: Path, loader: Path => Unit): Either[Refusal, Installed] = {
    var made: Option[PrivateFolder] = None
    try {
      val folder = PrivateFolder.in(base, processes.own)
      made = Some(folder)
      val libraries = extract(s"native/$platform", folder, "native", executable = true)
      val python = extract("ember/python", folder, "python", executable = false)
      loader(libraries.resolve(libraryName))
      folder.deleteAtExit()
      folders.foreach(PrivateFolder.sweep(_, folder, processes))
      Right(Installed(libraries, python))
    } catch {
      case refused: RefusedFile =>
        made.foreach(_.delete())
        Left(Final(refused.getMessage))
      case unusable @ (_: IOException | _: UnsatisfiedLinkError |
          _: UnsupportedOperationException) =>
        made.foreach(_.delete())
        Left(refusal(base, unusable))
    }
  }

  private def refusal(base: Path, error: Throwable): Refusal = {
    val why = s"$base: ${error.getMessage}"
    error match {
      case link: UnsatisfiedLinkError if isNotMappable(link) => NotMappable(base, why)
      case _: UnsatisfiedLinkError => Final(why)
      case _ => TryNext(why)
    }
  }

  /** Copies what `source/SHA256SUMS` lists into `target` below `folder`. */
  private def extract(
      source: String,
      folder: PrivateFolder,
      target: String,
      executable: Boolean): Path = {
    val lines = Using.resource(inJar(s"$source/$sumsName")) { stream =>
      new String(stream.readAllBytes(), UTF_8).linesIterator.toList
    }
    for (Array(sum, name) <- lines.filter(_.nonEmpty).map(_.split("\\s+\\*?", 2))) {
      val actual = Using.resource(inJar(s"$source/$name")) { stream =>
        folder.write(s"$target/$name", stream, executable)
      }
      if (actual != sum)
        throw new RefusedFile(s"$source/$name is damaged: its sha256 is $actual, not $sum")
    }
    folder.path.resolve(target)
  }

  private def inJar(path: String): InputStream =
    resource(path).getOrElse(throw new RefusedFile(s"the jar has no $path"))
}

object NativeLibraries {

  /** Where the libraries and the package `ember_worker` lie. */
  final case class Installed(libraries: Path, python: Path) {
    def bridge(pythonVersion: String): Option[Path] = {
      val path =
        libraries.resolve(s"py${pythonVersion.filter(_ != '.')}").resolve("libember_bridge.so")
      Some(path).filter(Files.isRegularFile(_))
    }

    def factsScript: Path = python.resolve("ember_worker").resolve("facts.py")
  }

  /**
   * For this JVM.
   *
   * @param developerFolder
   *   libraries to use where they are, in place of the jar's
   * @param python
   *   to be run where libraries can only be loaded from memory
   */
  def install(
      localDirs: Seq[String],
      developerFolder: Option[String],
      python: String,
      timeoutSeconds: Int): Either[String, Installed] = {
    val loader = getClass.getClassLoader
    val fromJar = (path: String) => Option(loader.getResourceAsStream(path))
    val resource = developerFolder.fold(fromJar)(folder => shadowing(Paths.get(folder), fromJar))
    val load = (path: Path) => System.load(path.toString)
    val fromMemory = (path: Path) => MemoryFile.use(python, path, timeoutSeconds)(load)
    new NativeLibraries(candidates(localDirs), resource, load, fromMemory).install()
  }

  /** Files of `folder` stand before those of the jar; they are copied too, so that a build may replace them. */
  private def shadowing(folder: Path, jar: String => Option[InputStream])(
      path: String): Option[InputStream] = {
    val natives = s"native/$platform/"
    if (!path.startsWith(natives)) jar(path)
    else if (path == natives + sumsName)
      Some(new java.io.ByteArrayInputStream(sumsOf(folder).getBytes(UTF_8)))
    else Some(Files.newInputStream(folder.resolve(path.stripPrefix(natives))))
  }

  private def sumsOf(folder: Path): String = Using.resource(Files.walk(folder)) { paths =>
    paths.iterator.asScala
      .filter(_.toString.endsWith(".so"))
      .map { path =>
        s"${Sha256.of(Files.readAllBytes(path))}  ${folder.relativize(path)}"
      }
      .mkString("\n")
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
  private final case class NotMappable(base: Path, words: String) extends Refusal
  private final case class Final(words: String) extends Refusal

  /** How the dynamic loader says that a file system is mounted `noexec`. */
  private def isNotMappable(error: UnsatisfiedLinkError): Boolean = {
    val message = String.valueOf(error.getMessage)
    message.contains("failed to map segment") || message.contains("Operation not permitted")
  }
}
