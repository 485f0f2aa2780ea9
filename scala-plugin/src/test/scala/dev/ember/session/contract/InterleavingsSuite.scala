package dev.ember.session.contract

import java.util.concurrent.{ConcurrentLinkedQueue, CyclicBarrier, Executors, TimeUnit}

import scala.jdk.CollectionConverters._
import scala.util.Random

import FakeSession.{function, Fault}
import org.scalatest.funsuite.AnyFunSuite

/** Random orders of all that can happen to a session, and what must be true after each of them. */
class InterleavingsSuite extends AnyFunSuite {
  private val lockField =
    classOf[Session[?, ?]].getDeclaredFields.find(_.getName.endsWith("lock")).get
  lockField.setAccessible(true)

  /** One session, its faults drawn, and all that it was seen to do. */
  private final class Trial(random: Random, amid: String => Unit) {
    private val most = random.nextInt(4)
    private def seldom: Boolean = random.nextInt(8) == 0
    private val faults =
      Faults(seldom, seldom, Option.when(seldom)(random.nextInt(3)), seldom, seldom)
    val session: FakeSession = new FakeSession(most, faults, at => { unlocked(at); amid(at) })
    private val lock = lockField.get(session)
    private val wrong = new ConcurrentLinkedQueue[String]
    private val heard = new ConcurrentLinkedQueue[(Int, Outcome)]
    private val listeners = new java.util.concurrent.atomic.AtomicInteger
    @volatile private var taken = 0
    @volatile private var ended = false

    private def unlocked(at: String): Unit =
      if (Thread.holdsLock(lock)) wrong.add(s"$at under the lock"): Unit

    def listen(): Unit = {
      val number = listeners.getAndIncrement()
      session.whenClosed { end =>
        unlocked("listener")
        heard.add(number -> end): Unit
      }
    }

    def look(seen: Option[Outcome]): Option[Outcome] = {
      val now = session.outcome
      if (seen.nonEmpty && seen != now) wrong.add(s"$seen became $now"): Unit
      now
    }

    /** What the owner does, as far as it gets. */
    def run(between: () => Unit): Unit =
      tolerant {
        between()
        session.init(function)
        between()
        val results = session.process(())
        val enough = random.nextInt(5)
        while (!ended && taken < enough) {
          between()
          if (results.hasNext) {
            between()
            results.next(): Unit
            taken += 1
          } else ended = true
        }
      }

    def close(): Unit = tolerant(session.close())

    def tolerant(work: => Unit): Unit =
      try work
      catch { case _: Fault | _: SessionCancelled => () }

    def verdict: Seq[String] = {
      val calls = session.calls
      val counts = calls.groupBy(identity).map { case (call, all) => call -> all.size }
      def happened(call: String): Int = counts.getOrElse(call, 0)
      val end = session.outcome
      val opened = happened("init") == 1 && !faults.init
      val finished = end.contains(Outcome.Finished)
      def claim(words: String)(holds: Boolean): Option[String] = Option.when(!holds)(words)
      wrong.asScala.toSeq ++ Seq(
        claim("taken back once, and last")(happened("close") == 1 && calls.last == "close"),
        claim("told to stop if it was open and has not finished")(
          happened("cancel") == (if (opened && !finished) 1 else 0)),
        claim("every listener once, with the end")(
          heard.asScala.toSeq.map(_._1).sorted == (0 until listeners.get) &&
            heard.asScala.forall { case (_, told) => end.contains(told) }),
        claim("an end only of all results")(!ended || (finished && taken == most)),
        claim("finished only at the end")(!finished || taken == most)).flatten
    }
  }

  private def failIfAny(seed: Long, wrong: Seq[String], session: FakeSession): Unit =
    if (wrong.nonEmpty) {
      val story = s"${session.calls.mkString(", ")} -> ${session.outcome}"
      fail(s"seed $seed: ${wrong.mkString("; ")}: $story")
    }

  test("10,000 random interleavings of a task and others, at every point where they can meet") {
    for (seed <- 1L to 10000L) {
      val random = new Random(seed)
      var seen: Option[Outcome] = None
      lazy val trial: Trial = new Trial(random, _ => others())
      def others(): Unit = {
        seen = trial.look(seen)
        random.nextInt(12) match {
          case 0 => trial.tolerant(trial.session.cancel())
          case 1 | 2 => trial.listen()
          case _ => ()
        }
      }
      trial.run(() => others())
      trial.close()
      trial.listen()
      failIfAny(seed, trial.verdict, trial.session)
    }
  }

  test("3,000 races of three threads") {
    val threads = Executors.newFixedThreadPool(2)
    try
      for (seed <- 1L to 3000L) {
        val random = new Random(seed)
        val trial = new Trial(random, _ => Thread.`yield`())
        val start = new CyclicBarrier(3)
        val turns = random.nextInt(200)
        def beside(work: => Unit) = threads.submit[Unit] { () =>
          start.await()
          for (_ <- 1 to turns) Thread.onSpinWait()
          trial.tolerant(work)
        }
        val others = Seq(
          beside(trial.session.cancel()),
          beside {
            trial.listen()
            trial.look(trial.look(None)): Unit
          })
        start.await()
        trial.run(() => ())
        trial.close()
        others.foreach(_.get(10, TimeUnit.SECONDS))
        failIfAny(seed, trial.verdict, trial.session)
      }
    finally threads.shutdownNow(): Unit
  }
}
