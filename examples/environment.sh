# Sourced by the examples: where the jar, Spark and Python are. In your own shell these are set already.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jar=${EMBER_JAR:-$here/../dist/ember-spark-4.3_2.13.jar}
python=${PYSPARK_PYTHON:-$here/../.venv/bin/python}
export PYSPARK_PYTHON=$python PYSPARK_DRIVER_PYTHON=$python SPARK_LOCAL_IP=127.0.0.1
SPARK_HOME=$("$python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
export SPARK_HOME PATH="$SPARK_HOME/bin:$(dirname "$python"):$PATH"

# What is in it goes when the example ends.
folder=$(mktemp -d)
export SPARK_LOCAL_DIRS=$folder SPARK_WORKER_DIR=$folder
started=()
clean() {
  local process
  # What is ended says so by its status, which is not the example's.
  for process in "${started[@]}"; do kill "$process" 2>/dev/null && wait "$process" || true; done
  rm -rf "$folder"
}
trap clean EXIT

# Waits until a log says something, and gives the word behind it.
said() { # log, words
  local attempt
  for attempt in $(seq 900); do
    grep -o "$2[^ ]*" "$1" 2>/dev/null | sed "s|$2||" | head -1 | grep . && return
    sleep 0.2
  done
  cat "$1" >&2
  return 1
}

# Starts Spark's own cluster, a master and one worker; then $master is its address.
start_cluster() {
  local deploy=org.apache.spark.deploy
  spark-class $deploy.master.Master --host 127.0.0.1 --port 0 --webui-port 0 >"$folder/master" 2>&1 &
  started+=($!)
  master=$(said "$folder/master" 'Starting Spark master at ')
  spark-class $deploy.worker.Worker --host 127.0.0.1 --webui-port 0 --cores 2 --memory 1g "$master" \
    >"$folder/worker" 2>&1 &
  started+=($!)
  said "$folder/worker" 'Successfully registered with master ' >/dev/null
}
