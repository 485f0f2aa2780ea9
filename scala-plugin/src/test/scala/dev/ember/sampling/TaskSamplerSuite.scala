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
    Thread.sleep(1000) // a busy machine takes a while for the first look
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

  private val task = SampledTask("5.0", 12)

  private def frame(method: String, line: Int) =
    new StackTraceElement("a.B", method, "B.scala", line)

  /** What is found of `stacks`, each as Java gives it and seen for a nanosecond. */
  private def found(stacks: Iterator[Array[StackTraceElement]]): Map[Stack, Long] = {
    val sampler = new TaskSampler(intervalMs = 1000)
    stacks.foreach(sampler.add(task, _, 1))
    sampler.start()
    sampler.stop()(task)
  }

  test("lines of a method are one frame while it is looked, and its name is there once") {
    val lines = Iterator.range(0, 1000).map(line => Array(frame("inner", line), frame("outer", 1)))
    assert(found(lines) == Map(Seq("a.B.outer", "a.B.inner") -> 1000L))
    val others = Iterator("one", "two").map(inner => Array(frame(inner, 1), frame("outer", 1)))
    val outer = found(others).keys.toSeq.map(_.head)
    assert(outer.size == 2 && outer.forall(_ eq outer.head))
  }

  test(
    "of stacks beyond the most that are kept there is the outermost frame, and no time is lost") {
    val more = 10
    val different = TaskSampler.MostStacks + more
    val deep = Iterator
      .range(0, different)
      .map(number => Array(frame(s"inner$number", 1), frame("outer", 1)))
    val seen = found(deep ++ Iterator(Array(frame("inner0", 7), frame("outer", 1))))
    assert(seen.size == TaskSampler.MostStacks + 1)
    assert(seen(Seq("a.B.outer")) == more)
    assert(seen(Seq("a.B.outer", "a.B.inner0")) == 2)
  }
}
