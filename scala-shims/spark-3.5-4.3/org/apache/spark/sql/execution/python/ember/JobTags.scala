package org.apache.spark.sql.execution.python.ember

import org.apache.spark.SparkContext
import org.apache.spark.sql.internal.SQLConf

/** The tags of jobs, by which a task knows whose it is. */
object JobTags {

  /**
   * Lets no session set them. Spark hands the settings of a session to its tasks where it hands them the tags, so that
   * a session could have those of another.
   */
  def keep(): Unit = synchronized {
    if (!SQLConf.isStaticConfigKey(SparkContext.SPARK_JOB_TAGS)) {
      SQLConf
        .buildStaticConf(SparkContext.SPARK_JOB_TAGS)
        .internal()
        .doc("What Spark calls the jobs of a session. No session sets it.")
        .version("0.1.0")
        .stringConf
        .createOptional: Unit
    }
  }
}
