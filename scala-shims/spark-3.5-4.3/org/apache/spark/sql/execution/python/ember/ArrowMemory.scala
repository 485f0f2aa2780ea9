package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.memory.BufferAllocator

import org.apache.spark.sql.util.ArrowUtils

/** Memory that crosses the border. It is not a task's, since a function may keep a batch beyond its task. */
object ArrowMemory {
  val allocator: BufferAllocator =
    ArrowUtils.rootAllocator.newChildAllocator("ember", 0, Long.MaxValue)
}
