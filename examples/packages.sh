#!/usr/bin/env bash
# The jar from a repository, by its coordinates. Here the repository is a folder, and nothing else is asked.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

name=ember-spark-4.3_2.13
version=$(sed -n 's/.*version := "\(.*\)"/\1/p' "$here/../build.sbt")

# What publishing to a company's repository leaves there.
place=$folder/repository/dev/ember/$name/$version
mkdir -p "$place"
cp "$jar" "$place/$name-$version.jar"
cat >"$place/$name-$version.pom" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.ember</groupId><artifactId>$name</artifactId><version>$version</version>
</project>
POM
# Where Spark is to look; without this file it asks Maven Central, too.
cat >"$folder/ivysettings.xml" <<IVY
<ivysettings>
  <settings defaultResolver="company"/>
  <resolvers><ibiblio name="company" m2compatible="true" root="file://$folder/repository"/></resolvers>
</ivysettings>
IVY

spark-submit --master 'local[2]' \
  --packages "dev.ember:$name:$version" \
  --conf spark.jars.ivySettings="$folder/ivysettings.xml" \
  --conf spark.jars.ivy="$folder/ivy" \
  --conf spark.plugins=dev.ember.EmberPlugin \
  "$here/orders.py"
