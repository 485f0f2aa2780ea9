#!/usr/bin/env bash
# One process: driver and executor in the same JVM. The jar and the plugin are all there is to name.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

spark-submit --master 'local[2]' \
  --jars "$jar" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  "$here/orders.py"
