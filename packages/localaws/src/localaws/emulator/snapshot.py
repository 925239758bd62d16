"""A snapshot of the emulator: what it holds after so many calls of the journal, so that a start replays only the rest.

It is made by a process of its own, which replays the journal as a start does, so that nothing waits for it and nothing
gets in but what a replay gives. The journal stays the truth: a snapshot that another version of moto or of Python made,
or that cannot be read, is passed over. It is a pickle: whoever may write into the state folder may run code here.
"""

import io
import logging
import marshal
import os
import pickle
import platform
import sys
import threading
import types
from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from localaws.core.shapes import Document

log = logging.getLogger(__name__)
_NAME = "snapshot.pickle"
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


@dataclass(frozen=True, slots=True)
class Covered:
    """What a snapshot stands for: the calls up to `seq`, which changed these services."""

    seq: int
    changed: frozenset[str]


def save(folder: Path, journal: int, covered: Covered) -> None:
    """Write the backends of this process as a snapshot of the journal with that id.

    Raises whatever pickling or unpickling them raises; what stands there stays then.
    """
    whole = io.BytesIO()
    _Pickler(whole, protocol=5).dump((_made_by(), journal, covered, _backends()))
    _Unpickler(io.BytesIO(whole.getvalue())).load()
    path = folder / f"{_NAME}.{os.getpid()}"
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(whole.getbuffer())
    path.replace(folder / _NAME)


def restore(folder: Path, journal: int) -> Covered | None:
    """Put a snapshot's backends in place; None, and nothing done, if there is none for this journal that can be."""
    try:
        with (folder / _NAME).open("rb") as file:
            covered: Covered
            made_by, of, covered, backends = _Unpickler(file).load()
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever unpickling raises: the journal has it all
        log.warning("the snapshot cannot be read, the whole journal is replayed: %s: %s", type(error).__name__, error)
        return None
    if (made_by, of) != (_made_by(), journal):
        return None
    for place, accounts in backends.items():
        for account, regions in accounts.items():
            dict.update(_backend_dict(place)[account], regions)
    return covered


def _made_by() -> tuple[str, str]:
    return version("moto"), platform.python_version()


def _backends() -> dict[tuple[str, str], dict[str, Document]]:
    """What moto holds, by module and name of the service's dictionary, account and region."""
    from moto.core.base_backend import BackendDict

    return {
        _place(backend): {account: dict(regions.items()) for account, regions in backend.items()}
        for backend in BackendDict._instances  # type: ignore[misc]  # generic of a class variable
    }


def _place(backend_dict: Any) -> tuple[str, str]:
    module = backend_dict.backend.__module__
    name = next(name for name, value in vars(sys.modules[module]).items() if value is backend_dict)
    return module, name


def _backend_dict(place: tuple[str, str]) -> Any:
    return getattr(import_module(place[0]), place[1])


class _Pickler(pickle.Pickler):
    """Takes what moto's backends hold beside plain data: locks, functions made in functions, private keys."""

    def persistent_id(self, value: Any) -> Any:
        from moto.core.base_backend import BackendDict

        return _place(value) if isinstance(value, BackendDict) else None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _LOCKS):
            return type(value) if type(value) is not _LOCKS[0] else threading.Lock, ()
        if isinstance(value, types.FunctionType) and "<locals>" in value.__qualname__:
            cells = tuple(cell.cell_contents for cell in value.__closure__ or ())
            return _function, (marshal.dumps(value.__code__), value.__module__, value.__defaults__, cells)
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            return _default_dict, (type(value), value.default_factory), vars(value), None, iter(value.items())
        if hasattr(value, "private_bytes"):
            return _private_key, (_der(value),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, place: Any) -> Any:
        return _backend_dict(place)


def _function(code: bytes, module: str, defaults: Any, cells: tuple[Any, ...]) -> types.FunctionType:
    closure = tuple(types.CellType(cell) for cell in cells)
    return types.FunctionType(
        marshal.loads(code),  # noqa: S302 - as `restore` has it
        vars(import_module(module)),
        argdefs=defaults,
        closure=closure or None,
    )


def _default_dict(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    """One of a class whose own __init__ wants other arguments than the factory."""
    copy = kind.__new__(kind)
    defaultdict.__init__(copy, factory)
    return copy


def _der(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return bytes(key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption()))


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, None)
