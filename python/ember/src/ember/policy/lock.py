"""A manifest and the rows it was made for, held together by a hash; and what changed since."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any, Final

from ember.policy import manifest as manifests
from ember.policy.errors import Change, DriftError, ManifestError
from ember.policy.fingerprint import ColumnFingerprint, Fingerprint, fingerprint, types_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ember.policy.manifest import Manifest

#: Whose versions a lock holds, beside Python's.
LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "pyspark")

_KEYS: Final = {"manifest", "rows", "lock"}


@dataclass(frozen=True)
class Lock:
    """What was locked: a manifest, and the fingerprint of the columns that it names."""

    manifest: Manifest
    rows: Fingerprint

    @property
    def digest(self) -> str:
        """The SHA-256 of both, in 64 hexadecimal digits."""
        return hashlib.sha256(manifests.canonical(self._document()).encode()).hexdigest()

    def text(self) -> str:
        """Write it as JSON in the canonical form."""
        return manifests.canonical(self._document() | {"lock": self.digest})

    def _document(self) -> dict[str, Any]:
        return {"manifest": self.manifest.document(), "rows": asdict(self.rows)}


def lock(df: DataFrame, manifest: Manifest) -> Lock:
    """Lock rows and manifest, in one pass over the rows.

    :raises RowsError: if a column that the manifest names is not there
    """
    return Lock(manifest, fingerprint(df, manifest.columns))


def read_lock(text: str) -> Lock:
    """Read what :meth:`Lock.text` wrote.

    :raises ManifestError: if it is no lock, or was changed since
    """
    document = manifests.parsed(text)
    if not isinstance(document, dict) or set(document) != _KEYS:
        message = f"a lock has the keys {', '.join(sorted(_KEYS))}"
        raise ManifestError("", message)
    manifest = manifests.of_document(document["manifest"])
    found = Lock(manifest, rows_of_document(document["rows"], manifest.columns))
    if found.digest != document["lock"]:
        message = f"is {document['lock']}, but what stands beside it makes {found.digest}"
        raise ManifestError("lock", message)
    return found


def verify(df: DataFrame, locked: Lock, manifest: Manifest | None = None) -> None:
    """Check that rows, manifest and libraries are those that were locked.

    :param manifest: the one in use; without it, the one that was locked
    :raises DriftError: that names each change
    """
    changes = changes_since(locked, df, manifest)
    if changes:
        raise DriftError(changes)


def changes_since(locked: Lock, df: DataFrame, manifest: Manifest | None = None) -> list[Change]:
    """Name what changed since the lock: in the manifest, in the libraries, in the rows."""
    return [*_in_documents(locked, manifest), *_in_rows(locked, df)]


def changes_without_rows(
    locked: Lock, df: DataFrame, manifest: Manifest | None = None
) -> list[Change]:
    """Name what changed as far as no row has to be looked at: columns and types, and the rest."""
    here = types_of(df, _there(locked, df))
    types = {name: of.simpleString() for name, of in here.items()}
    return [*_in_documents(locked, manifest), *_in_columns(locked, types)]


def _in_documents(locked: Lock, manifest: Manifest | None) -> list[Change]:
    here = locked.manifest if manifest is None else manifest
    return [
        *_in_manifest(locked.manifest.document(), here.document()),
        *_in_document("installed", locked.manifest.libraries, libraries()),
    ]


def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide about answers."""
    found = {"python": python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _in_manifest(was: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    """Compare features by name, and their order by itself."""
    features = [{each["name"]: each for each in one.pop("features")} for one in (was, now)]
    changes = _in_document("features", *features)
    if not any(change.was == "absent" or change.now == "absent" for change in changes):
        orders = [list(each) for each in features]
        changes += _in_document("order of features", *map(manifests.canonical, orders))
    return changes + _in_document("", was, now)


def _in_rows(locked: Lock, df: DataFrame) -> list[Change]:
    there = _there(locked, df)
    if not there:
        return _in_columns(locked, {})
    here = fingerprint(df, there)
    pairs = [(name, locked.rows.columns[name], now) for name, now in here.columns.items()]
    changes = _in_columns(locked, {name: each.type for name, each in here.columns.items()})
    if here.rows != locked.rows.rows:  # which changes the values of every column
        return [*changes, Change("rows", f"{locked.rows.rows:,}", f"{here.rows:,}")]
    changes += [
        Change(f"values of column {name!r}", was.values, now.values)
        for name, was, now in pairs
        if was.type == now.type and was.values != now.values
    ]
    if not changes and here.whole != locked.rows.whole:
        changes.append(
            Change("which values stand in a row together", locked.rows.whole, here.whole)
        )
    return changes


def _there(locked: Lock, df: DataFrame) -> list[str]:
    here = set(df.columns)
    return [name for name in locked.manifest.columns if name in here]


def _in_columns(locked: Lock, types: dict[str, str]) -> list[Change]:
    found = []
    for name, was in locked.rows.columns.items():
        if name not in types:
            found.append(Change(f"column {name!r}", "is there", "absent"))
        elif was.type != types[name]:
            found.append(Change(f"type of column {name!r}", was.type, types[name]))
    return found


def _in_document(where: str, was: Any, now: Any) -> list[Change]:
    """Go down two documents together as far as both have the same places."""
    if isinstance(was, dict) and isinstance(now, dict):
        prefix = f"{where}." if where else ""
        return [
            change
            for key in (*was, *(key for key in now if key not in was))
            for change in _in_document(f"{prefix}{key}", was.get(key), now.get(key))
        ]
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return [
            change
            for at, pair in enumerate(zip(was, now, strict=True))
            for change in _in_document(f"{where}[{at}]", *pair)
        ]
    return [] if was == now else [Change(where, _short(was), _short(now))]


def _short(value: Any) -> str:
    text = "absent" if value is None else manifests.canonical(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"


def rows_of_document(document: Any, columns: tuple[str, ...] | None = None) -> Fingerprint:
    """Make a fingerprint of what JSON has of it.

    :param columns: those that it must have, in their order
    :raises ManifestError: if it has them not
    """
    try:
        names = document["columns"] if columns is None else columns
        return Fingerprint(
            rows=document["rows"],
            whole=document["whole"],
            columns={name: ColumnFingerprint(**document["columns"][name]) for name in names},
        )
    except (KeyError, TypeError) as error:
        message = "is no fingerprint of the manifest's columns"
        raise ManifestError("rows", message) from error
