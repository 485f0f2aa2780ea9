#!/usr/bin/env bash
# Spark's own cluster. Nothing of Ember's is installed on it: the jar goes along with the application.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

deploy=org.apache.spark.deploy
spark-class $deploy.master.Master --host 127.0.0.1 --port 0 --webui-port 0 >"$folder/master" 2>&1 &
started+=($!)
master=$(said "$folder/master" 'Starting Spark master at ')
spark-class $deploy.worker.Worker --host 127.0.0.1 --webui-port 0 --cores 2 --memory 1g "$master" \
  >"$folder/worker" 2>&1 &
started+=($!)
said "$folder/worker" 'Successfully registered with master ' >/dev/null

spark-submit --master "$master" \
  --jars "$jar" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  "$here/orders.py"
