package dev.ember.sampling

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

/**
 * What `ember_worker.sampling` leaves in a folder, a file for each session that has ended:
 *
 * {{{
 *   task begun ended           numbers; the times are those of the machine's monotonic clock, the first the task's
 *   nanoseconds TAB frame;...  a line for each stack
 * }}}
 */
object SessionStacks {
  val Suffix = ".stacks"

  /** What is in the folder, which is no more: so Python's samplers stop, and sessions that go on leave nothing. */
  def take(folder: Path): Seq[SampledSession] = {
    val taken = Files.move(folder, folder.resolveSibling(s"${folder.getFileName}-taken"))
    val files = Using.resource(Files.list(taken))(_.iterator().asScala.toList)
    try files.filter(_.toString.endsWith(Suffix)).flatMap(read)
    finally (files :+ taken).foreach(Files.delete)
  }

  private def read(file: Path): Option[SampledSession] =
    parse(Files.readString(file, UTF_8).linesIterator.toList)

  /** Nothing, where the lines are not such a file's. Functions of one name may be several. */
  def parse(lines: Seq[String]): Option[SampledSession] =
    lines.headOption.map(_.split(' ').toSeq.map(number)).collect {
      case Seq(Some(task), Some(begun), Some(ended)) =>
        val stacks = JoinedStacks.sum(lines.drop(1).flatMap(stack(_)))
        SampledSession(task, begun, ended, stacks)
    }

  private def stack(line: String): Option[(Stack, Long)] = line.split("\t", 2) match {
    case Array(nanos, frames) => number(nanos).map(frames.split(';').toSeq -> _)
    case _ => None
  }

  private def number(text: String): Option[Long] = Try(text.toLong).toOption
}
