package org.apache.spark.sql.execution.python.ember.external

import java.io.File
import java.net.URLClassLoader

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SparkEnv
import org.apache.spark.sql.execution.python.ember.UnifiedPlans

/** Spark's distributions have no protobuf; the plugin is the same class path without it. */
class WithoutProtobufSuite extends AnyFunSuite {
  private def without[T](use: ClassLoader => T): T = {
    val jars = sys.props("java.class.path").split(File.pathSeparatorChar).toSeq
    val rest = jars.filterNot(_.contains("protobuf-java")).map(new File(_).toURI.toURL)
    val loader = new URLClassLoader(rest.toArray, ClassLoader.getPlatformClassLoader)
    try use(loader)
    finally loader.close()
  }

  test("without protobuf nothing is given to Spark, and no class of it is asked for") {
    without { loader =>
      intercept[ClassNotFoundException](loader.loadClass("com.google.protobuf.Message"))
      val name = ExternalWorkers.getClass.getName
      val workers = loader.loadClass(name).getField("MODULE$").get(null)
      assert(workers.getClass.getMethod("available").invoke(workers) == false)
      val env = loader.loadClass(classOf[SparkEnv].getName)
      assert(workers.getClass.getMethod("install", env).invoke(workers, null) == false)
    }
  }

  test("the plugin's own classes load without it") {
    without { loader =>
      for (name <- Seq(
          "dev.ember.EmberPlugin",
          "dev.ember.EmberExecutor",
          "dev.ember.EmberExtensions",
          "dev.ember.explain.EmberExplain",
          UnifiedPlans.getClass.getName,
          ExternalMaps.getClass.getName)) {
        Class.forName(name, true, loader).getDeclaredMethods: Unit
      }
    }
  }

  test("with it, the protocol can be spoken") {
    assert(ExternalWorkers.available)
  }
}
