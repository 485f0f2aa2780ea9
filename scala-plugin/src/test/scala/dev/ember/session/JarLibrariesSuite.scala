package dev.ember.session

import java.nio.file.Paths

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.nativeapi.NativeLibraries
import dev.ember.reason.FallbackReason

class JarLibrariesSuite extends AnyFunSuite {
  private val installed = NativeLibraries.Installed(Paths.get("/native"), Paths.get("/python"))
  private var tries = 0
  private var time = 0L

  private def libraries(install: => Either[String, NativeLibraries.Installed]) = {
    tries = 0
    val counted = (_: String) => {
      tries += 1
      install
    }
    new JarLibraries(counted, () => time)
  }

  private def cannotLoad(): Nothing =
    throw new UnsatisfiedLinkError("version `GLIBC_2.99' not found")

  test("libraries that cannot be loaded are tried once, and again after a while") {
    val lacking = libraries(cannotLoad())
    val told = Seq.fill(2)(lacking.loadedWith("python3"))
    assert(told.forall(_.left.exists {
      case FallbackReason.NoNative(problem) => problem.contains("GLIBC_2.99")
      case _ => false
    }))
    assert(tries == 1)
    time += Useless.LastsNanos + 1
    assert(lacking.loadedWith("python3").isLeft)
    assert(tries == 2)
    assert(!lacking.areLoaded)
  }

  test("another Python may help where one did not, and one that is not there may come") {
    val refused = libraries(Left("noexec"))
    for (python <- Seq("python3", "python3.11", "/not-there/python", "/not-there/python"))
      assert(refused.loadedWith(python) == Left(FallbackReason.NoNative("noexec")))
    assert(tries == 4)
  }

  test("what is loaded is loaded once, for every Python") {
    val found = libraries(Right(installed))
    assert(!found.areLoaded)
    assert(Seq("python3", "python3.11").forall(found.loadedWith(_) == Right(installed)))
    assert(tries == 1)
    assert(found.areLoaded)
  }
}
