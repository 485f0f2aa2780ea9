#!/usr/bin/env bash
# A Spark Connect server with Ember, and a client that knows nothing of it: `pip install pyspark-client` is enough there.
# The client's functions run in worker processes of its session; where all clients trust one another, they may run in the
# executor, too: --conf spark.ember.trust=application
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
spark-submit --master 'local[2]' \
  --class org.apache.spark.sql.connect.service.SparkConnectServer \
  --jars "$jar" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  --conf spark.connect.grpc.binding.address=127.0.0.1 \
  --conf spark.connect.grpc.binding.port="$port" \
  --conf spark.sql.warehouse.dir="$folder/warehouse" \
  spark-internal >"$folder/server" 2>&1 &
started+=($!)
said "$folder/server" 'Spark Connect server started at: ' >/dev/null

SPARK_REMOTE="sc://127.0.0.1:$port" python "$here/orders.py"
