package org.apache.spark.sql.execution.python.ember

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SparkConf
import org.apache.spark.memory.{MemoryConsumer, MemoryMode, TaskMemoryManager, UnifiedMemoryManager}

class PageMemorySuite extends AnyFunSuite {
  private val pool = 10L << 20

  private def task: TaskMemoryManager = {
    val conf = new SparkConf(false).set("spark.memory.offHeap.enabled", "false")
    new TaskMemoryManager(new UnifiedMemoryManager(conf, pool, 0L, 1), 0L)
  }

  test("what is held is charged to the task, and given back") {
    val manager = task
    val memory = new PageMemory(manager)
    memory.hold(1000)
    assert(manager.getMemoryConsumptionForThisTask == 1000)
    memory.hold(400)
    assert(manager.getMemoryConsumptionForThisTask == 400)
    memory.hold(0)
    assert(manager.getMemoryConsumptionForThisTask == 0)
  }

  test("other operators of the task spill for it") {
    val manager = task
    val other = new Spilling(manager)
    other.take(pool)
    new PageMemory(manager).hold(1 << 20)
    assert(other.spilled >= (1 << 20))
  }

  test("what the task cannot have stays uncharged, and is asked for again") {
    val manager = task
    val memory = new PageMemory(manager)
    memory.hold(2 * pool)
    assert(memory.getUsed == pool)
    memory.hold(pool / 2)
    assert(memory.getUsed == pool / 2)
  }
}

private final class Spilling(manager: TaskMemoryManager)
    extends MemoryConsumer(manager, MemoryMode.ON_HEAP) {
  var spilled = 0L

  def take(bytes: Long): Unit = assert(acquireMemory(bytes) == bytes)

  override def spill(size: Long, trigger: MemoryConsumer): Long = {
    val freed = math.min(size, getUsed)
    freeMemory(freed)
    spilled += freed
    freed
  }
}
