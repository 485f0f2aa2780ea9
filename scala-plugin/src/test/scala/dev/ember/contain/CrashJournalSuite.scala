package dev.ember.contain

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite

class CrashJournalSuite extends AnyFunSuite {
  private def run(name: String, task: Long = 7) = FunctionRun(s"f-$name", name, task, again = false)

  private def open(folder: Path, executor: String) =
    CrashJournal.create(folder, "app-1", executor).get

  /** The file as a process that is gone would have left it. */
  private def abandon(journal: CrashJournal): Unit = {
    val name = journal.file.getFileName.toString
    val (head, mark) = name.splitAt(name.lastIndexOf('.') + 1)
    val gone = mark.replaceFirst("^[0-9]+-", "999999999999-")
    Files.copy(journal.file, journal.file.resolveSibling(head + gone))
    journal.delete()
  }

  private def inFolder(body: Path => Any): Unit = {
    val folder = Files.createTempDirectory("journal")
    try body(folder): Unit
    finally {
      Files.list(folder).iterator.asScala.foreach(Files.delete)
      Files.delete(folder)
    }
  }

  test("what ran when a process died is read once by the next") {
    inFolder { folder =>
      val dead = open(folder, "3")
      val ended = dead.begin(run("ended"))
      assert(dead.begin(run("ran", task = 9)).nonEmpty)
      dead.end(ended.get)
      abandon(dead)
      val next = open(folder, "4")
      assert(next.leftBehind() == Seq(CrashJournal.LastWords("3", Seq(run("ran", task = 9)))))
      assert(next.leftBehind().isEmpty)
    }
  }

  test("an executor that lives is left alone, and so are other applications") {
    inFolder { folder =>
      val living = open(folder, "1")
      assert(living.begin(run("runs")).nonEmpty)
      val other = CrashJournal.create(folder, "app-2", "2").get
      assert(other.begin(run("theirs")).nonEmpty)
      abandon(other)
      assert(open(folder, "2").leftBehind().isEmpty)
      assert(Files.exists(living.file))
    }
  }

  test("entries are used again, and a session beyond them is not noted") {
    inFolder { folder =>
      val journal = open(folder, "1")
      val entries =
        Iterator.continually(journal.begin(run("f"))).takeWhile(_.nonEmpty).toSeq.flatten
      assert(entries.size == 64)
      journal.end(entries(5))
      assert(journal.begin(run("g")).contains(entries(5)))
    }
  }

  test("a long name is cut and does not reach into the next entry") {
    inFolder { folder =>
      val dead = open(folder, "1")
      assert(dead.begin(run("x" * 5000)).nonEmpty)
      assert(dead.begin(run("second")).nonEmpty)
      abandon(dead)
      val names = open(folder, "2").leftBehind().flatMap(_.running).map(_.name)
      assert(names == Seq("x" * 112, "second"))
    }
  }

  test("a file that is no journal says nothing") {
    inFolder { folder =>
      val dead = open(folder, "1")
      val size = Files.size(dead.file).toInt
      Files.write(dead.file, Array.fill[Byte](size)(-1))
      abandon(dead)
      assert(open(folder, "2").leftBehind() == Seq(CrashJournal.LastWords("1", Nil)))
    }
  }
}
