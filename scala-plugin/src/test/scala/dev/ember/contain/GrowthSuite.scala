package dev.ember.contain

import io.netty.buffer.UnpooledByteBufAllocator
import org.scalatest.funsuite.AnyFunSuite

class GrowthSuite extends AnyFunSuite {
  private val leaks = FunctionRun("leaks", "leaks", 1, again = false)
  private val stays = FunctionRun("stays", "stays", 2, again = false)

  private final class Process {
    var held = 1000L
    private var now = 0L
    val growth = new Growth(() => held, () => 5000L, budget = 1000L)

    def second(more: Long, running: FunctionRun*): Option[(FunctionRun, String)] = {
      running.foreach(growth.begin)
      held += more
      now += 1000
      val found = growth.look(now)
      running.foreach(growth.end)
      found
    }
  }

  test(
    "the function that the process grew with is named once it is larger than the JVM and its budget") {
    val process = new Process
    for (_ <- 1 to 9) {
      assert(process.second(0, stays).isEmpty)
      assert(process.second(500, leaks).isEmpty)
    }
    assert(process.held == 5500)
    assert(process.second(600, leaks).map(_._1).contains(leaks))
    assert(process.second(10, stays).isEmpty)
  }

  test("buffers of Netty's may be the JVM's own") {
    val before = Growth.jvmMost()
    val bytes = 64 << 20
    val buffer = UnpooledByteBufAllocator.DEFAULT.directBuffer(bytes)
    try assert(Growth.jvmMost() >= before + bytes)
    finally buffer.release(): Unit
  }

  test("a process that is large and does not grow accuses nobody") {
    val process = new Process
    process.held = 9000
    for (_ <- 1 to 20) assert(process.second(0, leaks, stays).isEmpty)
  }
}
