package dev.ember.contain

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

class QuarantineBookSuite extends AnyFunSuite {
  private final class Cluster {
    var dead = Set.empty[String]
    val said = new ArrayBuffer[String]
    val book = new QuarantineBook(!dead(_), said += _)

    def ask(executor: String, function: String = "f", wish: Wish = Wish.Try): Answer =
      book.mayEmbed(executor, function, s"name of $function", wish)
  }

  private def isShut(answer: Answer): Boolean = answer.isInstanceOf[Answer.Never]

  test("one executor tries a function, and the others follow when it has made a batch") {
    val cluster = new Cluster
    assert(cluster.ask("1") == Answer.Yes)
    assert(cluster.ask("1") == Answer.Yes)
    assert(cluster.ask("2") == Answer.NotYet)
    cluster.book.produced("f")
    assert(cluster.ask("2") == Answer.Yes)
  }

  test("an executor that dies while it runs a function shuts that function out, and no other") {
    val cluster = new Cluster
    cluster.ask("1")
    cluster.ask("2", "g")
    cluster.dead += "1"
    assert(isShut(cluster.ask("2")), "before Spark has told of the loss")
    cluster.book.lost("1", "Command exited with code 134")
    assert(isShut(cluster.ask("2")))
    assert(cluster.ask("2", "g") == Answer.Yes)
    assert(cluster.said.size == 1 && cluster.said.head.contains("name of f"))
  }

  test("a proven function is shut out all the same when it kills") {
    val cluster = new Cluster
    cluster.ask("1")
    cluster.book.produced("f")
    cluster.ask("2")
    cluster.book.lost("2", "Remote RPC client disassociated")
    assert(isShut(cluster.ask("1")))
  }

  test(
    "a function that had stopped running is not suspected, nor is any when the end was Spark's own") {
    val cluster = new Cluster
    cluster.ask("1")
    cluster.book.idle("1", Set("f"))
    cluster.book.lost("1", "Command exited with code 139")
    assert(cluster.ask("2") == Answer.Yes)
    cluster.dead += "2"
    assert(isShut(cluster.ask("3")))
    cluster.book.lost("2", "Executor killed by driver.")
    assert(cluster.ask("3") == Answer.Yes)
  }

  test("the dead executor's journal has the last word on who ran") {
    val cluster = new Cluster
    for (function <- Seq("f", "g")) cluster.ask("1", function)
    cluster.book.lost("1", "Command exited with code 134")
    assert(isShut(cluster.ask("2", "f")) && isShut(cluster.ask("2", "g")))
    cluster.book.found("1", Map("g" -> "name of g"))
    assert(cluster.ask("2", "f") == Answer.Yes)
    assert(isShut(cluster.ask("2", "g")))
    val freed = "Ember runs name of f in executors again: executor 1 did not die of it"
    assert(cluster.said.count(_.contains("again")) == 1 && cluster.said.last == freed)
  }

  test("a journal alone is enough") {
    val cluster = new Cluster
    cluster.book.found("1", Map("f" -> "name of f"))
    assert(isShut(cluster.ask("2")))
  }

  test("the trial goes to another when its executor has stopped without a batch") {
    val cluster = new Cluster
    cluster.ask("1")
    cluster.book.idle("1", Set("f"))
    assert(cluster.ask("2") == Answer.Yes)
  }

  test("functions without end do not make the book endless, and what is shut out stays so") {
    val book = new QuarantineBook(_ => true, _ => (), mostFunctions = 3)
    book.shut("bad", "bad", "it did harm")
    for (number <- 1 to 20) {
      val function = s"f$number"
      assert(book.mayEmbed("1", function, "f", Wish.Try) == Answer.Yes)
      book.produced(function)
      book.idle("1", Set(function))
    }
    assert(book.entries.map(_.function).toSet == Set("bad", "f19", "f20"))
    assert(book.mayEmbed("1", "bad", "bad", Wish.Insist) == Answer.Never("it did harm"))
  }

  test("a cautious executor waits for a batch made elsewhere") {
    val cluster = new Cluster
    assert(cluster.ask("1", wish = Wish.OnlyProven) == Answer.NotYet)
    cluster.book.produced("f")
    assert(cluster.ask("1", wish = Wish.OnlyProven) == Answer.Yes)
  }

  test("who has no other lane is refused only what is shut out") {
    val cluster = new Cluster
    cluster.ask("1")
    assert(cluster.ask("2", wish = Wish.Insist) == Answer.Yes)
    cluster.book.shut("f", "name of f", "it did not stop")
    assert(cluster.ask("2", wish = Wish.Insist) == Answer.Never("it did not stop"))
  }

  test("what crosses between executor and driver is text, and comes out as it went in") {
    val cluster = new Cluster
    val asked = Array("may", "1", "f", "name", "only-proven")
    def answer(message: AnyRef): Seq[String] =
      DriverLink.receive(cluster.book, message).asInstanceOf[Array[String]].toSeq
    assert(answer(asked) == Seq("not-yet"))
    assert(DriverLink.receive(cluster.book, Array("produced", "f")) == null)
    assert(answer(asked) == Seq("yes"))
    assert(DriverLink.receive(cluster.book, Array("found", "1", "f", "name")) == null)
    assert(answer(asked) == Seq("never", "executor 1 died while it ran"))
    assert(DriverLink.receive(cluster.book, "of another version") == null)
  }

  test("which ends of an executor may be a function's doing") {
    val harmless = Seq(
      "Executor killed by driver.",
      "Executor decommission: gone",
      "Executor heartbeat timed out after 130000 ms",
      "Command exited with code 143",
      "Container container_1_0001_01_000002 on host: node was preempted.",
      "Container from a bad node: container_1. Exit status: -100. Diagnostics: released on a lost node",
      "The executor with id 3 was deleted by a user or the framework.",
      "worker lost: Not receiving heartbeat for 60 seconds",
      "Command exited with code 52")
    val suspicious = Seq(
      "Command exited with code 134",
      "Container from a bad node. Exit status: 137. Diagnostics",
      "Command exited with code 0",
      "Remote RPC client disassociated. Likely due to containers exceeding thresholds")
    assert(!harmless.exists(ExecutorLoss.mayBeAFunctions))
    assert(suspicious.forall(ExecutorLoss.mayBeAFunctions))
  }
}
