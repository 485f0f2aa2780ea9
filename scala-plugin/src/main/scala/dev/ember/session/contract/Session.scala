package dev.ember.session.contract

/**
 * One run of one function over one partition, on whatever worker.
 *
 * {{{
 *   Fresh --init--> Opening --> Open --process--> Running --close--> Closing --> Closed
 *     |               |           |                                     ^
 *     `-----close-----|---close---'-------------------------------------|
 *                     `--doInit throws----------------------------------'
 * }}}
 *
 * The outcome stands beside the state, because `cancel` may bring it at any time. The first one stays. Once it is
 * there, the session only closes, and its iterator throws: it says that nothing is left only if that is true.
 *
 * A session closes itself when its iterator has ended or thrown, or when it does not open; else its owner does. A
 * worker that has not come to the end of its data is told to stop before it is left.
 *
 * `init`, `process`, `close` and the iterator belong to one thread; everything else to all. The methods of subclasses
 * and listeners are never called under the lock.
 */
abstract class Session[In, Out] extends AutoCloseable {
  import Session._

  private val lock = new Object
  private var state: State = Fresh
  @volatile private var first: Option[Outcome] = None
  private var canceller: Option[Thread] = None
  private var told = false
  private var listeners = Vector.empty[Outcome => Unit]

  /** Gives the function to the worker. */
  final def init(function: WorkerFunction): Unit = {
    move(Fresh, Opening)
    failing {
      throwIfEnded()
      doInit(function)
      move(Opening, Open)
      throwIfEnded()
    }
  }

  /** The function's results. It takes its input as it needs it. */
  final def process(input: In): Iterator[Out] = {
    move(Open, Running)
    new Results(failing {
      throwIfEnded()
      doProcess(input)
    })
  }

  /** Ends the session as cancelled, if it has not ended, and tells the worker. */
  final def cancel(): Unit = {
    val tells = lock.synchronized {
      val tells = settle(Outcome.Cancelled) && (state == Open || state == Running)
      if (tells) {
        told = true
        canceller = Some(Thread.currentThread())
      }
      tells
    }
    if (tells) {
      try doCancel()
      finally
        lock.synchronized {
          canceller = None
          lock.notifyAll()
        }
    }
  }

  final def outcome: Option[Outcome] = first

  /** Calls `listener` once, when everything was given back; at once if it was before. */
  final def whenClosed(listener: Outcome => Unit): Unit = {
    val late = lock.synchronized {
      if (state != Closed) listeners :+= listener
      state == Closed
    }
    if (late) first.foreach(listener)
  }

  /** Gives everything back. A session that has not ended is cancelled. */
  override final def close(): Unit = {
    val work = lock.synchronized {
      state match {
        case Closing | Closed => None
        case before =>
          settle(Outcome.Cancelled): Unit
          state = Closing
          awaitCanceller()
          val reached = before == Open || before == Running
          Some(reached && !told && !first.contains(Outcome.Finished))
      }
    }
    work.foreach(giveBack)
  }

  /** Ends the session; false if another outcome was first. */
  protected final def settle(end: Outcome): Boolean = lock.synchronized {
    val wins = first.isEmpty
    if (wins) first = Some(end)
    wins
  }

  /** Whatever it takes before it throws is given back by `doClose`. */
  protected def doInit(function: WorkerFunction): Unit

  /** The iterator is used by the owner's thread alone. */
  protected def doProcess(input: In): Iterator[Out]

  /** Tells an open worker to stop; from any thread, at most once, and never after `doClose` has begun. */
  protected def doCancel(): Unit

  /** Gives everything back; called once, even if nothing was opened. */
  protected def doClose(end: Outcome): Unit

  /** Whose fault an error is that a method of the subclass threw, if that has not settled it itself. */
  protected def blame(error: Throwable): Outcome = Outcome.Broken(error)

  /** What the owner's thread is thrown when the session was cancelled. */
  protected def interruption: Throwable = new SessionCancelled

  private def move(from: State, to: State): Unit = lock.synchronized {
    if (state != from) throw new IllegalStateException(s"the session is $state, not $from")
    state = to
  }

  private def throwIfEnded(): Unit = first match {
    case None | Some(Outcome.Finished) => ()
    case Some(Outcome.Cancelled) => throw interruption
    case Some(Outcome.InputFailed(cause)) => throw cause
    case Some(Outcome.FunctionFailed(cause)) => throw cause
    case Some(Outcome.Broken(cause)) => throw cause
  }

  /** Not for itself: a worker that is told to stop may have its session closed in answer. */
  private def awaitCanceller(): Unit = {
    var interrupted = false
    while (canceller.exists(_ ne Thread.currentThread())) {
      try lock.wait()
      catch { case _: InterruptedException => interrupted = true }
    }
    if (interrupted) Thread.currentThread().interrupt()
  }

  private def giveBack(tells: Boolean): Unit = {
    val end = first.get
    val steps = Seq[() => Unit](() => if (tells) doCancel(), () => doClose(end), () => tellAll(end))
    Session.all(steps)
  }

  private def tellAll(end: Outcome): Unit = {
    val all = lock.synchronized {
      state = Closed
      listeners
    }
    Session.all(all.map(listener => () => listener(end)))
  }

  private def failing[T](work: => T): T =
    try work
    catch { case error: Throwable => fail(error) }

  private def fail(error: Throwable): Nothing = {
    settle(blame(error)): Unit
    try close()
    catch { case other: Throwable if other ne error => error.addSuppressed(other) }
    throw error
  }

  /** May be asked twice for each of many rows: nothing is made where all goes well. */
  private final class Results(results: Iterator[Out]) extends Iterator[Out] {
    override def hasNext: Boolean = {
      if (first.nonEmpty) failing(throwIfEnded())
      val more =
        try first.isEmpty && results.hasNext
        catch { case error: Throwable => fail(error) }
      if (!more) finish()
      more
    }

    override def next(): Out = {
      if (!hasNext) throw new NoSuchElementException("the session has ended")
      try results.next()
      catch { case error: Throwable => fail(error) }
    }

    private def finish(): Unit = {
      settle(Outcome.Finished): Unit
      failing(throwIfEnded())
      close()
    }
  }
}

object Session {
  private sealed trait State
  private case object Fresh extends State
  private case object Opening extends State
  private case object Open extends State
  private case object Running extends State
  private case object Closing extends State
  private case object Closed extends State

  /** Takes every step, and then throws what the first that failed threw. */
  private def all(steps: Seq[() => Unit]): Unit = {
    val failures = steps.flatMap { step =>
      try {
        step()
        None
      } catch { case error: Throwable => Some(error) }
    }
    failures.headOption.foreach { error =>
      failures.tail.filter(_ ne error).foreach(error.addSuppressed)
      throw error
    }
  }
}

/** Thrown to the owner of a session that somebody else has cancelled. */
final class SessionCancelled extends RuntimeException("the session was cancelled")
