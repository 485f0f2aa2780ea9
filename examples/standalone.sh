#!/usr/bin/env bash
# Spark's own cluster. Nothing of Ember's is installed on it: the jar goes along with the application.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

start_cluster
spark-submit --master "$master" \
  --jars "$jar" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  "$here/orders.py"
