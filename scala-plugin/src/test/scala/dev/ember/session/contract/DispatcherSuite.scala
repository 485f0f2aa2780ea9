package dev.ember.session.contract

import java.nio.charset.StandardCharsets.ISO_8859_1
import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.reason.FallbackReason

class DispatcherSuite extends AnyFunSuite {
  private final class Empty[Out] extends Session[Unit, Out] {
    override protected def doInit(function: WorkerFunction): Unit = ()
    override protected def doProcess(input: Unit): Iterator[Out] = Iterator.empty
    override protected def doCancel(): Unit = ()
    override protected def doClose(end: Outcome): Unit = ()
  }

  private final class Places(free: Int) extends Dispatcher[Unit, Empty] {
    override protected def doSession[Out](request: Unit): Either[FallbackReason, Empty[Out]] =
      Either.cond(open < free, new Empty, FallbackReason.LaneBusy)
  }

  test("sessions are counted as open from their making to their end, and those refused never") {
    val places = new Places(free = 1)
    val session = places.session[Int](()).toOption.get
    assert((places.open, places.made) == ((1, 1L)))
    assert(places.session[Int](()) == Left(FallbackReason.LaneBusy))
    session.init(FakeSession.function)
    assert(session.process(()).isEmpty)
    session.close()
    assert((places.open, places.made) == ((0, 1L)))
    places.session[Int](()).foreach(_.close())
    assert((places.open, places.made) == ((0, 2L)))
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
