package dev.ember.session.contract

import java.nio.charset.StandardCharsets.ISO_8859_1
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite

class DispatcherSuite extends AnyFunSuite {
  private object Fakes extends Dispatcher {
    def session(): FakeSession = counted(new FakeSession(2))
  }

  test("sessions are counted as open from their making to their end") {
    val session = Fakes.session()
    assert((Fakes.open, Fakes.made) == ((1, 1L)))
    session.init(FakeSession.function)
    assert(session.process(()).size == 2)
    session.close()
    assert((Fakes.open, Fakes.made) == ((0, 1L)))
    Fakes.session().close()
    assert((Fakes.open, Fakes.made) == ((0, 2L)))
  }

  test("the contract names no class of Spark's") {
    val of = classOf[Session[?, ?]]
    val root = Path.of(of.getProtectionDomain.getCodeSource.getLocation.toURI)
    val folder = root.resolve(of.getPackageName.replace('.', '/'))
    val classes = Files.list(folder).iterator.asScala.filter(_.toString.endsWith(".class")).toSeq
    assert(classes.size > 5)
    val named =
      classes.filter(file => Files.readString(file, ISO_8859_1).contains("org/apache/spark"))
    assert(named.isEmpty)
  }
}
