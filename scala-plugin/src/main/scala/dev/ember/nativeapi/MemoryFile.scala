package dev.ember.nativeapi

import java.io.{BufferedReader, InputStreamReader, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, Paths}
import java.util.concurrent.{CompletableFuture, ExecutionException, TimeoutException, TimeUnit}

/**
 * A file in memory, for a system that maps no code from any folder we may write. Java has no way to make one, but
 * the Python that is to be embedded has, so a run of it holds the file while the library is loaded.
 */
private[nativeapi] object MemoryFile {

  /** Calls `load` with a name under which the content of `file` can be mapped. */
  def use(python: String, file: Path, timeoutSeconds: Int)(load: Path => Unit): Unit = {
    val builder = new ProcessBuilder(python, "-I", "-S", "-c", Holder, file.toString)
    val holder = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start()
    try {
      val copy = Paths.get(nameFrom(holder, timeoutSeconds))
      if (Files.mismatch(file, copy) != -1) throw new IOException(s"$copy is not $file")
      load(copy)
    } finally holder.destroyForcibly().waitFor(): Unit
  }

  private def nameFrom(holder: Process, timeoutSeconds: Int): String = {
    val reader = new BufferedReader(new InputStreamReader(holder.getInputStream, UTF_8))
    val line = CompletableFuture.supplyAsync(() => reader.readLine())
    try
      Option(line.get(timeoutSeconds.toLong, TimeUnit.SECONDS))
        .getOrElse(throw new IOException("Python made no file in memory"))
    catch {
      case error @ (_: TimeoutException | _: ExecutionException) =>
        throw new IOException("Python made no file in memory", error)
    }
  }

  /** Ends with its input, which is with this process. */
  private val Holder =
    """import os, sys
      |fd = os.memfd_create("ember")
      |with open(sys.argv[1], "rb") as source, open(fd, "wb", closefd=False) as target:
      |    target.write(source.read())
      |print(f"/proc/{os.getpid()}/fd/{fd}", flush=True)
      |sys.stdin.read()
      |""".stripMargin
}
