import os
import subprocess
import sys

from suite.cpu import cpu_of

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
