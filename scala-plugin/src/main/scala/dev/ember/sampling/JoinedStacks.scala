package dev.ember.sampling

/** A task, as its thread is called. */
final case class SampledTask(stage: String, id: Long)

/** What a session's function did: the task it belongs to, from when to when it was open, and its stacks. */
final case class SampledSession(task: Long, begun: Long, ended: Long, stacks: Map[Stack, Long])

/**
 * Java's and Python's stacks as one: a function's frames stand where its task takes the function's batches.
 *
 * Both sides were looked at by themselves, at moments of their own. While a function works its task mostly waits for
 * it, and that time would be there twice: what Python's stacks explain of it is taken from the waiting.
 */
object JoinedStacks {
  private val Advance = "dev.ember.session.EmbeddedSession.advance"
  private val Native = "dev.ember.nativeapi.NativeApi."

  def of(
      tasks: Map[SampledTask, Map[Stack, Long]],
      sessions: Seq[SampledSession]): Map[Stack, Long] = {
    val byTask = sessions.groupBy(_.task)
    val joined = tasks.toSeq.flatMap { case (task, stacks) =>
      ofTask(s"stage ${task.stage}", stacks, byTask.getOrElse(task.id, Nil))
    }
    sum(joined)
  }

  private def ofTask(
      root: String,
      stacks: Map[Stack, Long],
      sessions: Seq[SampledSession]): Seq[(Stack, Long)] = {
    val levels = sessions.map(session => session -> levelOf(session, sessions))
    val explained = levels.groupBy(_._2).map { case (level, those) =>
      level -> those.map(_._1.stacks.values.sum).sum
    }
    val java = explained.foldLeft(stacks) { case (left, (level, nanos)) =>
      takeFrom(left, level, nanos)
    }
    val python = for {
      (session, level) <- levels
      above = framesAbove(stacks, level)
      (frames, nanos) <- session.stacks
    } yield (above ++ frames) -> nanos
    (java.toSeq ++ python).map { case (frames, nanos) => (root +: frames) -> nanos }
  }

  /**
   * How many sessions deep it is taken from, itself included. Of functions over one another in a task, the one that is
   * read first opens last.
   */
  private def levelOf(session: SampledSession, others: Seq[SampledSession]): Int =
    1 + others.count(other => other.begun > session.begun && other.begun < session.ended)

  /** The frames down to where a session of this level is advanced, as they mostly were; fewer where they were not seen. */
  private def framesAbove(stacks: Map[Stack, Long], level: Int): Stack =
    (level to 1 by -1).iterator
      .map(each =>
        sum(stacks.toSeq.flatMap { case (frames, nanos) => cut(frames, each).map(_ -> nanos) }))
      .find(_.nonEmpty)
      .fold(Seq.empty[String])(_.maxBy(_._2)._1)

  private def cut(frames: Stack, level: Int): Option[Stack] =
    frames.zipWithIndex
      .collect { case (Advance, at) => at }
      .lift(level - 1)
      .map(at => frames.take(at + 1))

  /** The stacks without so much of the time in which the task waited for a session of this level. */
  private def takeFrom(stacks: Map[Stack, Long], level: Int, nanos: Long): Map[Stack, Long] = {
    val waiting = stacks.toSeq.filter { case (frames, _) => waitsAt(frames, level) }.sortBy(-_._2)
    val (left, _) = waiting.foldLeft((stacks, nanos)) { case ((rest, more), (frames, waited)) =>
      val taken = math.min(waited, more)
      val kept = if (taken == waited) rest - frames else rest.updated(frames, waited - taken)
      (kept, more - taken)
    }
    left
  }

  private def waitsAt(frames: Stack, level: Int): Boolean =
    frames.lastOption.exists(_.startsWith(Native)) && frames.count(_ == Advance) == level

  /** Each stack once. */
  def sum(stacks: Seq[(Stack, Long)]): Map[Stack, Long] =
    stacks.groupBy(_._1).map { case (frames, same) => frames -> same.map(_._2).sum }
}
