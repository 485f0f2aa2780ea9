#!/usr/bin/env bash
# Python and its packages go along, too: a packed virtual environment, which executors unpack and embed.
# Takes minutes: it installs pandas, pyarrow and venv-pack. ENVIRONMENT names an archive that is there already.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

archive=${ENVIRONMENT:-$folder/environment.tar.gz}
if [ ! -f "$archive" ]; then
  python -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet pandas==2.3.3 pyarrow==22.0.0 venv-pack==0.2.0
  "$folder/venv/bin/venv-pack" --quiet --prefix "$folder/venv" --output "$archive"
fi

start_cluster
PYSPARK_PYTHON=./environment/bin/python spark-submit --master "$master" \
  --archives "$archive#environment" \
  --jars "$jar" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  "$here/orders.py"
