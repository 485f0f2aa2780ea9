#!/usr/bin/env bash
# Runs sbt. Maven fetches the launcher (so its mirror settings hold); its hash is checked before it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=1.13.0
sha256=18d4a733eae2f70fd4d71a46e9da21d2eb7c9bf6ee85a67be9a9800e7c01403e
launcher="${XDG_CACHE_HOME:-$HOME/.cache}/ember/sbt-launch-$version.jar"

checked() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

if ! checked "$launcher"; then
  staging=$(mktemp -d)
  trap 'rm -rf "$staging"' EXIT
  mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.scala-sbt:sbt-launch:$version" -DoutputDirectory="$staging"
  checked "$staging/sbt-launch-$version.jar" || { echo "sbt-launch $version: wrong sha256" >&2; exit 1; }
  mkdir -p "$(dirname "$launcher")"
  mv "$staging/sbt-launch-$version.jar" "$launcher"
  rm -rf "$staging"
  trap - EXIT
fi

# shellcheck disable=SC2086 # EMBER_SBT_OPTS holds several words
exec java -XX:+UseSerialGC -Xss4m -Xmx2g -Dsbt.override.build.repos=true \
  -Dsbt.repository.config=project/repositories -Dsbt.supershell=false ${EMBER_SBT_OPTS:-} \
  -jar "$launcher" "$@"
