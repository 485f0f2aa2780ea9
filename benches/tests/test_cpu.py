import os
import subprocess
import sys

from suite.cpu import cpu_of

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
