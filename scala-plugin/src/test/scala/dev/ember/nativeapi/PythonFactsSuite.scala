package dev.ember.nativeapi

import java.nio.file.{Files, Path}

import org.scalatest.funsuite.AnyFunSuite

class PythonFactsSuite extends AnyFunSuite {
  private val answer =
    """{"executable": "/p/bin/python", "version": "3.11", "fullVersion": "3.11.7",""" +
      """ "libpython": "/p/lib/libpython3.11.so", "problem": null}"""

  private def parse(text: String, exit: Int = 0) = PythonFacts.parse("python3", text, exit)

  private def script(body: String): Path = {
    val file = Files.createTempFile("facts", ".sh")
    file.toFile.deleteOnExit()
    Files.writeString(file, body)
  }

  test("the last line is the answer, whatever a site module printed before it") {
    val facts = PythonFacts("/p/bin/python", "3.11", "3.11.7", Right("/p/lib/libpython3.11.so"))
    assert(parse(s"hello\n$answer\n\n") == Right(facts))
  }

  test("what stands in the way is told in its own words") {
    assert(parse("""{"version": "3.8", "workers_problem": "too old"}""") == Left("too old"))
    assert(parse("Segmentation fault", 139) == Left("python3 ended with 139: Segmentation fault"))
    assert(parse("") == Left("python3 ended with 0: no output"))
  }

  test("a Python without a shared library cannot be embedded, and is of use in worker processes") {
    def library(answer: String) = parse(answer).map(_.libpython)
    val told =
      """{"version": "3.11", "libpython": null, "problem": "no shared libpython: built so"}"""
    assert(library(told) == Right(Left("no shared libpython: built so")))
    assert(library("""{"version": "3.11"}""") == Right(Left("python3 has no shared libpython")))
  }

  test("the script runs with the worker's variables") {
    val facts = PythonFacts.probe(
      "/bin/sh",
      script("""echo "{\"version\": \"3.11\", \"libpython\": \"$EMBER_TEST\"}""""),
      Map("EMBER_TEST" -> "/lib/here"),
      timeoutSeconds = 20)
    assert(facts.map(_.libpython) == Right(Right("/lib/here")))
  }

  test("a Python whose site modules print more than a pipe holds is heard to the end") {
    val printed = """head -c 200000 /dev/zero | tr '\\0' x; echo; echo '{"version": "3.11"}'"""
    val facts = PythonFacts.probe("/bin/sh", script(printed), Map.empty, timeoutSeconds = 20)
    assert(facts.map(_.version) == Right("3.11"))
  }

  test("a Python that hangs, or is not there, is a reason and not an error") {
    val hanging =
      PythonFacts.probe("/bin/sh", script("exec sleep 600"), Map.empty, timeoutSeconds = 1)
    assert(hanging == Left("/bin/sh did not answer within 1 s"))
    val missing = PythonFacts.probe("/no/such/python", script(""), Map.empty, timeoutSeconds = 1)
    assert(missing.left.exists(_.startsWith("/no/such/python")))
  }
}
