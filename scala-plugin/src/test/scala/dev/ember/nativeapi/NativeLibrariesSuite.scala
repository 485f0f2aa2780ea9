package dev.ember.nativeapi

import java.io.ByteArrayInputStream
import java.nio.file.{Files, Path}
import java.nio.file.attribute.PosixFilePermissions
import java.security.MessageDigest

import scala.collection.mutable
import scala.collection.mutable.ArrayBuffer
import scala.jdk.CollectionConverters._

import org.scalatest.BeforeAndAfterEach
import org.scalatest.funsuite.AnyFunSuite

class NativeLibrariesSuite extends AnyFunSuite with BeforeAndAfterEach {
  private val platform = NativeLibraries.platform
  private val files = Map(
    s"native/$platform/libember.so" -> "loader",
    s"native/$platform/py311/libember_bridge.so" -> "bridge",
    "ember/python/ember_worker/__init__.py" -> "")
  private var folder: Path = _
  private val loaded = new ArrayBuffer[Path]
  private val made = new mutable.HashSet[Path]

  override def beforeEach(): Unit = {
    folder = newFolder()
    loaded.clear()
  }

  override def afterEach(): Unit = made.filter(Files.exists(_)).foreach { base =>
    Files.walk(base).iterator.asScala.toSeq.reverse.foreach(Files.deleteIfExists(_))
  }

  private def newFolder(): Path = {
    val base = Files.createTempDirectory("ember-test")
    made += base
    base
  }

  private def sha256(text: String): String =
    MessageDigest
      .getInstance("SHA-256")
      .digest(text.getBytes)
      .map(byte => f"${byte & 0xff}%02x")
      .mkString

  private def sums(prefix: String, of: Map[String, String]): String = of
    .collect {
      case (path, text) if path.startsWith(prefix) =>
        s"${sha256(text)}  ${path.stripPrefix(prefix)}"
    }
    .mkString("\n")

  private def jar(of: Map[String, String] = files, announced: Map[String, String] = files) = {
    val entries = of ++ Seq(s"native/$platform/", "ember/python/").map { prefix =>
      s"${prefix}SHA256SUMS" -> sums(prefix, announced)
    }
    (path: String) => entries.get(path).map(text => new ByteArrayInputStream(text.getBytes))
  }

  private def install(
      folders: Seq[Path] = Seq(folder),
      resource: String => Option[java.io.InputStream] = jar(),
      load: Path => Unit = loaded += _,
      loadFromMemory: Path => Unit = _ => fail("there was a folder to load from")) =
    new NativeLibraries(folders, resource, load, loadFromMemory).install()

  private def left(of: Path): Seq[Path] = Files.list(of).iterator.asScala.toSeq

  test("the libraries and the package are taken out, private, and the first library is loaded") {
    val installed = install().toOption.get
    assert(loaded == Seq(installed.libraries.resolve("libember.so")))
    assert(Files.readString(installed.bridge("3.11").get) == "bridge")
    assert(installed.bridge("3.12").isEmpty)
    def mode(path: Path): String =
      PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
    assert(mode(installed.libraries.getParent) == "rwx------")
    assert(mode(installed.libraries.resolve("libember.so")) == "rwx------")
    assert(mode(installed.python.resolve("ember_worker/__init__.py")) == "rw-------")
    assert(mode(installed.python.resolve("ember_worker")) == "rwx------")
  }

  test("two executors at once get folders of their own") {
    val (first, second) = (install().toOption.get, install().toOption.get)
    assert(first.libraries != second.libraries)
  }

  test("a damaged library is refused, loaded nowhere and removed") {
    val damaged = files.updated(s"native/$platform/py311/libember_bridge.so", "evil")
    val problem = install(resource = jar(damaged)).left.toOption.get
    assert(problem.contains("py311/libember_bridge.so is damaged"))
    assert(loaded.isEmpty)
    assert(left(folder).isEmpty)
  }

  test("a listed file that the jar lacks is refused") {
    val missing = files - s"native/$platform/libember.so"
    assert(install(resource = jar(missing)).left.toOption.get.contains("the jar has no"))
  }

  test("a list that names a file outside its folder is refused") {
    val outside = files + (s"native/$platform/../../outside.so" -> "x")
    assert(
      install(resource = jar(outside, outside)).left.toOption.get.contains("leaves its folder"))
    assert(left(folder).isEmpty)
  }

  test("a file or a link that somebody put in the way is not written through") {
    val victim = Files.writeString(folder.resolve("victim"), "precious")
    for (plant <- Seq[Path => Path](
        Files.createSymbolicLink(_, victim),
        Files.writeString(_, "planted"))) {
      val base = Files.createDirectory(folder.resolve(s"base${System.nanoTime()}"))
      val racing = (path: String) => {
        // Another process gets in between the folder's creation and the first file.
        if (path.endsWith("libember.so")) plant(left(base).head.resolve("native/libember.so")): Unit
        jar()(path)
      }
      val problem = install(Seq(base), racing).left.toOption.get
      assert(problem.contains("libember.so"))
      assert(left(base).isEmpty)
    }
    assert(Files.readString(victim) == "precious")
    assert(loaded.isEmpty)
  }

  test("a folder from which code may not be mapped is left for the next") {
    val other = newFolder()
    val load = (path: Path) => {
      if (path.startsWith(folder)) notMappable(path)
      loaded += path: Unit
    }
    val installed = install(Seq(folder, other), load = load).toOption.get
    assert(installed.libraries.startsWith(other))
    assert(left(folder).isEmpty)
  }

  private def notMappable(path: Path): Unit = throw new UnsatisfiedLinkError(
    s"$path: failed to map segment from shared object: Operation not permitted")

  test(
    "where no folder allows code, the first that can be written holds the files, and memory the code") {
    val other = newFolder()
    val fromMemory = new ArrayBuffer[Path]
    val missing = folder.resolve("not-there")
    val installed = install(
      Seq(missing, folder, other),
      load = notMappable,
      loadFromMemory = fromMemory += _).toOption.get
    assert(fromMemory == Seq(installed.libraries.resolve("libember.so")))
    assert(installed.libraries.startsWith(folder))
    assert(left(other).isEmpty)
  }

  test("if memory allows no code either, every reason is told") {
    val failing = (_: Path) => throw new java.io.IOException("no memory")
    val problem = install(load = notMappable, loadFromMemory = failing).left.toOption.get
    assert(problem.contains("failed to map segment"))
    assert(problem.contains("no memory"))
    assert(left(folder).isEmpty)
  }

  test("a file in memory has the content of the file, for as long as it is used") {
    val file = Files.writeString(folder.resolve("file"), "x" * 200000)
    var seen = Option.empty[(Path, Long)]
    MemoryFile.use("python3", file, timeoutSeconds = 60) { copy =>
      seen = Some(copy -> Files.mismatch(file, copy))
    }
    val (name, difference) = seen.get
    assert(difference == -1)
    assert(!Files.exists(name))
  }

  test("a Python that makes no file in memory, or does not answer, is an error") {
    val file = Files.writeString(folder.resolve("file"), "x")
    def failing(body: String, timeoutSeconds: Int = 60): String = {
      val python =
        Files.writeString(folder.resolve(s"python${System.nanoTime()}"), s"#!/bin/sh\n$body\n")
      Files.setPosixFilePermissions(python, PosixFilePermissions.fromString("rwx------"))
      intercept[java.io.IOException](MemoryFile.use(python.toString, file, timeoutSeconds)(_ =>
        fail("there is nothing to load"))).getMessage
    }
    assert(failing("exit 1") == "Python made no file in memory")
    assert(failing("exec sleep 600", timeoutSeconds = 1) == "Python made no file in memory")
    assert(
      failing(
        "echo /etc/hostname; exec sleep 600") == s"/etc/hostname is not ${folder.resolve("file")}")
  }

  test("a folder that cannot be written is left for the next") {
    val missing = folder.resolve("not-there")
    assert(install(Seq(missing, folder)).toOption.get.libraries.startsWith(folder))
    assert(install(Seq(missing)).left.toOption.get.contains("not-there"))
  }

  private val processes = new Processes
  private val own = processes.own.get

  /** As a process that was killed left it, behind `mark`. */
  private def leftBehind(mark: ProcessMark, mode: String = "rwx------"): Path = {
    val path = Files.createDirectory(folder.resolve(s"ember-$mark-${System.nanoTime()}"))
    Files.createDirectory(path.resolve("native"))
    Files.writeString(path.resolve("native/libember.so"), "old")
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode))
  }

  private def killedProcess(): ProcessMark = {
    val process = new ProcessBuilder("sleep", "600").start()
    val mark = markOf(process)
    process.destroyForcibly().waitFor(): Unit
    mark
  }

  private def markOf(process: Process): ProcessMark = {
    val stat = Files.readString(Path.of(s"/proc/${process.pid}/stat"))
    val started = stat.drop(stat.lastIndexOf(')') + 2).split(' ')(19).toLong
    ProcessMark(process.pid, started, own.world)
  }

  test("what a killed process left is removed by the next to start, whichever folder it was in") {
    val abandoned = leftBehind(killedProcess())
    val elsewhere = newFolder()
    val installed = install(Seq(elsewhere, folder)).toOption.get
    assert(!Files.exists(abandoned))
    assert(installed.libraries.startsWith(elsewhere))
    assert(Files.exists(installed.libraries))
  }

  test("the number of a process that was given out again does not save the folder of the first") {
    val reused = leftBehind(own.copy(started = own.started - 1))
    assert(install().isRight)
    assert(!Files.exists(reused))
  }

  test("folders of living processes, of other boots and namespaces, and of nobody known stay") {
    val running = new ProcessBuilder("sleep", "600").start()
    try {
      val ended = killedProcess()
      val kept = Seq(
        leftBehind(own),
        leftBehind(markOf(running)),
        leftBehind(ended.copy(world = "0123456789abcdef")),
        leftBehind(ended, mode = "rwxr-x---"),
        Files.createDirectory(folder.resolve("ember-test-folder")))
      assert(install().isRight)
      assert(kept.filterNot(Files.exists(_)).isEmpty)
    } finally running.destroyForcibly().waitFor(): Unit
  }

  test("a link that bears the mark of a dead process is not followed") {
    val precious = newFolder()
    Files.writeString(precious.resolve("file"), "precious")
    val link = folder.resolve(s"ember-${killedProcess()}-1")
    Files.createSymbolicLink(link, precious)
    assert(install().isRight)
    assert(Files.readString(precious.resolve("file")) == "precious")
  }

  test("executors that start at once clear the same remains and keep their own") {
    val abandoned = Seq.fill(20)(leftBehind(killedProcess()))
    val installed = new ArrayBuffer[NativeLibraries.Installed]
    val starters = Seq.fill(4)(new Thread(() => {
      val mine = install(load = _ => ()).toOption.get
      installed.synchronized(installed += mine): Unit
    }))
    starters.foreach(_.start())
    starters.foreach(_.join())
    assert(abandoned.filter(Files.exists(_)).isEmpty)
    assert(installed.size == 4)
    assert(installed.forall(mine => Files.exists(mine.libraries.resolve("libember.so"))))
  }

  test("where there is no /proc nothing is known, and nothing is removed") {
    val blind = new Processes(folder.resolve("no-proc"))
    val abandoned = leftBehind(killedProcess())
    assert(blind.own.isEmpty)
    assert(new NativeLibraries(Seq(folder), jar(), _ => (), _ => (), blind).install().isRight)
    assert(Files.exists(abandoned))
  }

  test("a library that needs what this system lacks is tried once") {
    var tries = 0
    val other = newFolder()
    val load = (_: Path) => {
      tries += 1
      throw new UnsatisfiedLinkError("version `GLIBC_2.99' not found")
    }
    assert(install(Seq(folder, other), load = load).left.toOption.get.contains("GLIBC_2.99"))
    assert(tries == 1)
  }
}
