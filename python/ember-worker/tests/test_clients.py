"""A process that serves one client after another shows none what another brought."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ember_worker.process import clients

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    path, directory = sys.path.copy(), Path.cwd()
    yield
    sys.path[:] = path
    os.chdir(directory)
    clients._served.clear()


def test_the_next_client_finds_neither_folder_nor_directory_of_the_last(tmp_path: Path) -> None:
    path, directory = sys.path.copy(), Path.cwd()
    clients.begin("one")
    sys.path.insert(1, str(tmp_path))
    os.chdir(tmp_path)
    clients.begin("two")
    assert (sys.path, Path.cwd()) == (path, directory)


def test_a_client_that_comes_again_finds_what_it_left(tmp_path: Path) -> None:
    clients.begin("one")
    sys.path.insert(1, str(tmp_path))
    os.chdir(tmp_path)
    clients.begin("one")
    assert (sys.path[1], Path.cwd()) == (str(tmp_path), tmp_path)
