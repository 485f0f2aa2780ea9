"""What a JVM holds, of one that holds what it is told to."""

import subprocess
import sys

import pytest

from suite.account import TRACKING, account, histogram

if not sys.platform.startswith("linux"):
    pytest.skip("reads /proc", allow_module_level=True)

#: Takes more at each line that it reads: live objects, garbage, and memory beside the JVM's own.
HOLDER = """
package dev.ember;

import java.nio.channels.FileChannel;
import java.nio.file.*;
import java.util.*;

class Holder {
    static class Kept {
        final byte[] bytes = new byte[40_000];
    }

    static final List<Object> kept = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        Scanner orders = new Scanner(System.in);
        System.out.println("ready");
        while (orders.hasNextLine()) {
            String order = orders.nextLine();
            for (int at = 0; at < 500; at++) {
                Kept one = new Kept();
                if (order.equals("keep")) kept.add(one);
            }
            if (order.equals("map")) {
                Path path = Path.of(arguments[0]);
                Files.write(path, new byte[30 << 20]);
                try (FileChannel file = FileChannel.open(path)) {
                    kept.add(file.map(FileChannel.MapMode.READ_ONLY, 0, 30 << 20).load());
                }
            }
            System.out.println("done");
        }
    }
}
"""


@pytest.fixture
def holder(tmp_path):
    """Starts a JVM, and gives its process."""
    source = tmp_path / "Holder.java"
    source.write_text(HOLDER)
    heap = ["-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", TRACKING]
    command = ["java", *heap, str(source), str(tmp_path / "mapped")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def told(process, order):
    process.stdin.write(f"{order}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"
    return account(process.pid)


def test_objects_are_counted_while_they_live_and_memory_is_told_apart(holder):
    garbage = told(holder, "drop")
    assert garbage.ours["dev.ember.Holder$Kept"] == 0
    kept = told(holder, "keep")
    assert kept.ours["dev.ember.Holder$Kept"] == 500
    assert 18 < kept.jvm["live heap"] - garbage.jvm["live heap"] < 22
    assert abs(kept.other - garbage.other) < 8
    mapped = told(holder, "map")
    assert 26 < mapped.other - kept.other < 34
    assert abs(mapped.jvm["live heap"] - kept.jvm["live heap"]) < 2


LISTED = """ num     #instances         #bytes  class name (module)
-------------------------------------------------------
   1:            70       71566112  [I (java.base@17.0.15)
   2:             3             72  org.apache.spark.sql.execution.python.ember.Session
   3:             2             48  [Ldev.ember.plan.Node;
   4:             9            216  org.remember.dev.ember.Other
Total           84       73400320
"""


def test_a_histogram_tells_ours_from_others():
    ours, live = histogram(LISTED)
    ember = "org.apache.spark.sql.execution.python.ember.Session"
    assert ours == {ember: 3, "[Ldev.ember.plan.Node;": 2}
    assert live == {"live heap": 70.0}
    with pytest.raises(RuntimeError, match="no histogram of the heap: gone"):
        histogram("gone")
