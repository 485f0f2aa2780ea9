package dev.ember.contain

import org.apache.spark.api.plugin.PluginContext

/** What executors ask and tell the driver about functions. */
trait DriverLink {
  def mayEmbed(run: FunctionRun, wish: Wish): Answer
  def produced(run: FunctionRun): Unit
  def idle(functions: Iterable[String]): Unit
  def shut(run: FunctionRun, why: String): Unit
  def found(words: CrashJournal.LastWords): Unit
}

/**
 * The same as messages of Spark's plugin channel: arrays of text, which a driver can read whatever its class
 * loaders know of Ember.
 */
object DriverLink {
  private val wishes: Seq[(String, Wish)] =
    Seq("try" -> Wish.Try, "only-proven" -> Wish.OnlyProven, "insist" -> Wish.Insist)

  /** An executor's end. Only `mayEmbed` waits for the driver. */
  def to(plugin: PluginContext): DriverLink = new DriverLink {
    private val executor = plugin.executorID()

    override def mayEmbed(run: FunctionRun, wish: Wish): Answer = {
      val word = wishes.collectFirst { case (word, `wish`) => word }.get
      plugin.ask(Array("may", executor, run.fingerprint, run.name, word)) match {
        case Array("yes") => Answer.Yes
        case Array("never", why: String) => Answer.Never(why)
        case _ => Answer.NotYet
      }
    }

    override def produced(run: FunctionRun): Unit = plugin.send(Array("produced", run.fingerprint))

    override def idle(functions: Iterable[String]): Unit =
      plugin.send(Array("idle", executor) ++ functions)

    override def shut(run: FunctionRun, why: String): Unit =
      plugin.send(Array("shut", run.fingerprint, run.name, why))

    override def found(words: CrashJournal.LastWords): Unit =
      plugin.send(
        Array("found", words.executor) ++
          words.running.flatMap(run => Seq(run.fingerprint, run.name)))
  }

  /** The driver's end: the answer to a message, or null to one that needs none. */
  def receive(book: QuarantineBook, message: AnyRef): AnyRef = message match {
    case words: Array[String] =>
      words.toList match {
        case "may" :: executor :: function :: name :: word :: Nil =>
          val wish = wishes.toMap.getOrElse(word, Wish.Try)
          answered(book.mayEmbed(executor, function, name, wish))
        case rest =>
          note(book, rest)
          null
      }
    case _ => null
  }

  private def note(book: QuarantineBook, words: List[String]): Unit = words match {
    case "produced" :: function :: Nil => book.produced(function)
    case "idle" :: executor :: functions => book.idle(executor, functions.toSet)
    case "shut" :: function :: name :: why :: Nil => book.shut(function, name, why)
    case "found" :: executor :: running =>
      val pairs = running.grouped(2).collect { case List(function, name) => function -> name }
      book.found(executor, pairs.toMap)
    case _ => ()
  }

  private def answered(answer: Answer): Array[String] = answer match {
    case Answer.Yes => Array("yes")
    case Answer.NotYet => Array("not-yet")
    case Answer.Never(why) => Array("never", why)
  }
}
