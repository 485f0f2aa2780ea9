package org.apache.spark.sql.execution.python.ember

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SparkConf
import org.apache.spark.memory.{TaskMemoryManager, UnifiedMemoryManager}

class ColumnMemorySuite extends AnyFunSuite {
  private def task: TaskMemoryManager = {
    val conf = new SparkConf(false).set("spark.memory.offHeap.enabled", "false")
    new TaskMemoryManager(new UnifiedMemoryManager(conf, 10L << 20, 0L, 1), 0L)
  }

  test("what is lent is charged with what is held beside it, until each batch comes back") {
    val manager = task
    val memory = new ColumnMemory(manager)
    var closed = 0
    val lent = Seq(100L, 20L).map(memory.lent(() => closed += 1, _))
    memory.hold(beside = 3)
    assert(manager.getMemoryConsumptionForThisTask == 123)
    lent.head.close()
    memory.hold(beside = 3)
    assert((closed, manager.getMemoryConsumptionForThisTask) == ((1, 23L)))
    lent.last.close()
    memory.hold(beside = 0)
    assert((closed, manager.getMemoryConsumptionForThisTask) == ((2, 0L)))
  }

  test("a task that ends is charged for nothing, whatever Python still has of it") {
    val manager = task
    val memory = new ColumnMemory(manager)
    val late = memory.lent(() => (), 100)
    memory.hold(beside = 7)
    memory.release()
    assert(manager.getMemoryConsumptionForThisTask == 0)
    late.close()
    assert(manager.getMemoryConsumptionForThisTask == 0)
  }
}
