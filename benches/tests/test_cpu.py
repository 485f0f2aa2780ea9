import os
import subprocess
import sys

from suite.cpu import Cpu, Reading, cpu_of

COMPILE = """
public class Busy {
    public static void main(String[] words) throws Exception {
        long sum = 0;
        for (int at = 0; at < 300_000_000; at++) sum += Integer.toString(at & 7).hashCode();
        System.out.println(sum);
        System.in.read();
    }
}
"""
BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def test_cpu_of_a_child_that_ended_is_counted():
    before = cpu_of(os.getpid())
    subprocess.run([sys.executable, "-c", BURN], check=True)
    used = cpu_of(os.getpid()) - before
    assert used.python > 0.25
    assert used.jvm < used.python


def test_cpu_of_a_child_that_lives_is_counted():
    before = cpu_of(os.getpid())
    code = BURN + "print('done', flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        used = cpu_of(os.getpid()) - before
        child.communicate("\n")
    assert used.python > 0.25


def test_what_a_child_had_used_that_nobody_waited_for_is_not_taken_off_the_others():
    before = Reading(1.0, 0.0, {2: 0.5, 3: 7.0}, {1: 4.0, 2: 0.0, 3: 1.0})
    assert Reading(1.5, 0.0, {2: 0.75}, {1: 4.0, 2: 0.0}) - before == Cpu(0.5, 0.25, 0.0)


def test_children_that_ended_are_in_the_account_of_who_waited_for_them():
    before = Reading(1.0, 0.0, {2: 0.5, 3: 7.0}, {1: 4.0, 2: 0.0, 3: 1.0})
    after = Reading(1.5, 0.0, {2: 0.75, 4: 0.125}, {1: 4.0, 2: 8.5, 4: 0.25})
    assert after - before == Cpu(0.5, 1.125, 0.0)


def test_what_the_compilers_of_a_jvm_took_is_told_apart(tmp_path):
    source = tmp_path / "Busy.java"
    source.write_text(COMPILE)
    with subprocess.Popen(
        ["java", str(source)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as jvm:
        jvm.stdout.readline()
        used = cpu_of(jvm.pid)
        jvm.communicate("\n")
    assert 0 < used.compilers < used.jvm
    assert cpu_of(os.getpid()).compilers == 0
