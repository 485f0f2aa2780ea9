package dev.ember.sampling

import java.util.concurrent.CountDownLatch

import org.scalatest.funsuite.AnyFunSuite

class TaskSamplerSuite extends AnyFunSuite {
  private val name = "Executor task launch worker for task 2.1 in stage 5.0 (TID 12)"

  test("a task is known by the name that Spark gives its thread") {
    assert(TaskSampler.taskOf(name).contains(SampledTask("5.0", 12)))
    assert(TaskSampler.taskOf("Executor task launch worker-3").isEmpty)
    assert(TaskSampler.taskOf(s"not the $name").isEmpty)
  }

  test("frames are named as in their sources") {
    assert(TaskSampler.nameOf("a.B", "c") == "a.B.c")
    assert(TaskSampler.nameOf("a.B", "a$B$$c") == "a.B.c")
    assert(TaskSampler.nameOf("a.B$$Lambda$14/0x0000000800c03000", "apply") == "a.B$$Lambda.apply")
    assert(TaskSampler.nameOf("a.B", "$anonfun$c$1") == "a.B.$anonfun$c$1")
  }

  test("what threads of tasks do is seen until it is stopped, and no other thread") {
    val leave = new CountDownLatch(1)
    val threads = Seq(name, "another").map(new Thread(() => leave.await(), _))
    threads.foreach(_.start())
    val sampler = new TaskSampler(intervalMs = 1)
    sampler.start()
    Thread.sleep(200)
    val found = sampler.stop()
    leave.countDown()
    threads.foreach(_.join())
    assert(found.keySet == Set(SampledTask("5.0", 12)))
    val stacks = found(SampledTask("5.0", 12))
    assert(stacks.values.sum > 20000000L)
    assert(stacks.keys.exists(_.contains("java.util.concurrent.CountDownLatch.await")))
    assert(stacks.keys.forall(_.head == "java.lang.Thread.run"))
    assert(!Thread.getAllStackTraces.keySet.stream.anyMatch(_.getName == TaskSampler.Name))
  }
}
