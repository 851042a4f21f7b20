"""What msgspec decodes into, looked through by one thread at a time.

msgspec (0.22) keeps what it knows of a Struct on the class before it has looked at the types of its fields, and looking runs
Python: a second thread that decodes the same type just then reads what is not there yet, and the process ends with SIGSEGV.
Once looked through a type is safe, and so is every decoder of it.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_LOOKING = threading.Lock()


def decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """What reads a type from MessagePack, made once. Raises TypeError for a type that msgspec cannot decode."""
    if kind not in _DECODERS:
        with _LOOKING:
            _DECODERS[kind] = msgspec.msgpack.Decoder(kind)
    return _DECODERS[kind]


def decodable(kind: type[T]) -> type[T]:
    """The type itself, once all of it is looked through: each goes through here on its way to `decode` or `convert`. Raises
    TypeError for a type that msgspec cannot decode."""
    decoder(kind)
    return kind
