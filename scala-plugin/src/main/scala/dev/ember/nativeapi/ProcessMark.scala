package dev.ember.nativeapi

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, NoSuchFileException, Path, Paths}

/**
 * One run of one process, as a name that can be read back: its number, when it started (numbers are given out
 * again), and in which boot and PID namespace, for a number means nothing outside of these.
 */
private[ember] final case class ProcessMark(pid: Long, started: Long, world: String) {
  override def toString: String = s"$pid-$started-$world"
}

private[ember] object ProcessMark {
  private val Form = "([0-9]{1,18})-([0-9]{1,18})-([0-9a-f]{16})".r

  def parse(name: String): Option[ProcessMark] = name match {
    case Form(pid, started, world) => Some(ProcessMark(pid.toLong, started.toLong, world))
    case _ => None
  }
}

/** The processes that a `/proc` shows. */
private[ember] final class Processes(proc: Path = Paths.get("/proc")) {

  /** This one, unless `/proc` is not to be read. */
  lazy val own: Option[ProcessMark] =
    try Some(ProcessMark(ProcessHandle.current.pid, startOf("self"), world))
    catch { case _: IOException | _: RuntimeException => None }

  /** Whether that process has surely ended; of another boot or namespace that is never known. */
  def hasEnded(mark: ProcessMark): Boolean =
    own.exists(_.world == mark.world) &&
      (try startOf(mark.pid.toString) != mark.started
      catch {
        case _: NoSuchFileException => true
        case _: IOException | _: RuntimeException => false
      })

  private def world: String = {
    val boot = Files.readString(proc.resolve("sys/kernel/random/boot_id")).trim
    val namespace = Files.readSymbolicLink(proc.resolve("self/ns/pid"))
    Sha256.of(s"$boot $namespace".getBytes(UTF_8)).take(16)
  }

  /** Field 22 of `stat`. Field 2, the name, may hold anything; it ends with the last bracket. */
  private def startOf(process: String): Long = {
    val stat = Files.readString(proc.resolve(process).resolve("stat"))
    stat.drop(stat.lastIndexOf(')') + 2).split(' ')(19).toLong
  }
}
