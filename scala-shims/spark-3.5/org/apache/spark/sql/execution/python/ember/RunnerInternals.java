package org.apache.spark.sql.execution.python.ember;

import java.io.DataOutputStream;
import java.io.File;
import org.apache.spark.api.python.BasePythonRunner;
import org.apache.spark.api.python.BasePythonRunner$;

/** What Scala hides of the runners of Spark 3.5, and Java sees. */
final class RunnerInternals {
  private RunnerInternals() {}

  /** Has a runner's writer write its functions and their settings. */
  static <I, O> void writeCommand(BasePythonRunner<I, O>.WriterThread writer, DataOutputStream out) {
    writer.writeCommand(out);
  }

  /** Where workers write what they did when they died. */
  static File faultLogs() {
    return BasePythonRunner$.MODULE$.org$apache$spark$api$python$BasePythonRunner$$faultHandlerLogDir();
  }
}
