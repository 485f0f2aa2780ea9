"""The machines of a cluster: this one, or nodes with addresses of their own that a test makes.

A node is made of namespaces for its network, mounts and processes, which a process holds that waits
for the end of its input.  What runs there ends with that process, and so with the test, however it
ends; nothing of it is left in the system.
"""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Where the tools may lie that only root has on the path.
PATH = f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
TOOLS = ("ip", "unshare", "nsenter", "mount")
#: Of documentation (RFC 5737), and unseen outside of the nodes.
SUBNET = "198.51.100"


@dataclass(frozen=True)
class Node:
    """A machine that commands run on."""

    address: str
    holder: int | None = None
    """The process whose namespaces it is made of; none for this machine."""

    def command(self, words: Iterable[str], folder: Path) -> list[str]:
        """The command that runs ``words`` there, in ``folder``."""
        if self.holder is None:
            return list(words)
        changed = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
        return [*entering(self.holder), *changed, *words]

    def process(self, started: subprocess.Popen[bytes]) -> int:
        """The number, here, of the process that the command has become there."""
        if self.holder is None:
            return started.pid
        (child,) = children(started.pid)
        return child


LOOPBACK = Node("127.0.0.1")


def lacking() -> str | None:
    """Why no node can be made here, if none can."""
    absent = [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]
    if absent:
        return f"nodes are made with {', '.join(absent)}, which this machine has not"
    asked = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    asked += ["ip", "link", "add", "bridge", "type", "bridge"]
    tried = subprocess.run(
        asked, env={"PATH": PATH}, capture_output=True, text=True, timeout=30, check=False
    )
    return tried.stderr.strip() or "namespaces are refused" if tried.returncode else None


@contextmanager
def network(names: Iterable[str], mounts: Mapping[str, list[str]]) -> Iterator[dict[str, Node]]:
    """Nodes on one switch.  ``mounts`` are the commands that make a node's files its own."""
    with ExitStack() as stack:
        switch = stack.enter_context(world())
        ip(switch, "link add switch type bridge", "link set switch up")
        nodes = {}
        for number, name in enumerate(names, start=1):
            holder = stack.enter_context(world())
            address = f"{SUBNET}.{number}"
            ip(
                switch,
                f"link add port{number} type veth peer name eth0 netns {holder}",
                f"link set port{number} master switch up",
            )
            ip(holder, f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up")
            for command in mounts.get(name, []):
                checked([*entering(holder), *command.split()])
            nodes[name] = Node(address, holder)
        yield nodes


@contextmanager
def world() -> Iterator[int]:
    """The process that holds new namespaces; all that runs in them ends when it does."""
    new = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "cat"]
    with subprocess.Popen(
        new, env={"PATH": PATH}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            holder.stdin.write(b"there\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == b"there\n"
            keep_counters_apart(holder.pid)
            yield holder.pid
        finally:
            holder.stdin.close()


def keep_counters_apart(holder: int) -> None:
    """JVMs map a file that bears their number, which is not theirs alone across namespaces."""
    folder = Path("/tmp", f"hsperfdata_{getpass.getuser()}")
    folder.mkdir(mode=0o755, exist_ok=True)
    checked([*entering(holder), "mount", "-t", "tmpfs", "counters", str(folder)])


def entering(holder: int, *kinds: str) -> list[str]:
    """What a command is to begin with to run in the namespaces of ``holder``, all or some."""
    files = {"net": "net", "mount": "mnt", "pid": "pid_for_children"}
    options = [f"--{kind}=/proc/{holder}/ns/{files[kind]}" for kind in kinds or files]
    return [str(shutil.which("nsenter", path=PATH)), *options, "--"]


def ip(holder: int, *commands: str) -> None:
    """Have ``ip`` do something in the network of ``holder``."""
    for command in commands:
        checked([*entering(holder, "net"), "ip", *command.split()])


def checked(command: list[str]) -> None:
    done = subprocess.run(
        command, env={"PATH": PATH}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [
        int(number)
        for task in Path(f"/proc/{process}/task").iterdir()
        for number in (task / "children").read_text().split()
    ]
