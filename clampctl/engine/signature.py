"""Signatures of a unit: its Ed25519 key pair, and documents that show any change after signing.

A signed document is JSON text `{"body", "public_key", "signature"}`; the signature covers the body's
canonical form (RFC 8032, docs/decisions/0007). It shows that a file is unchanged and which unit's key
signed it, not who sat there. What a body means is for whoever reads it.
"""

import base64
import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from clampctl.core.codec import canonical
from clampctl.core.protocol import Refusal

PREFIX = "ed25519:"
KEYS = frozenset(("body", "public_key", "signature"))
OWNER_ONLY = 0o600
PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64
"""Lengths of an Ed25519 public key and of a signature (RFC 8032, 5.1)."""


class KeyPair:
    """A unit's own key: it signs; others verify with `public`."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @property
    def public(self) -> str:
        """The public key as text, `ed25519:BASE64`."""
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PREFIX + base64.b64encode(raw).decode("ascii")

    def sign(self, data: bytes) -> str:
        """The signature of some bytes, in base64."""
        return base64.b64encode(self._private.sign(data)).decode("ascii")


@dataclass(frozen=True, slots=True)
class SignedBody:
    """What a signed document holds, and the public key of the unit that signed it."""

    body: Any
    public_key: str


# --- the key pair ----------------------------------------------------------------------------


def key_path(environment: Mapping[str, str], home: Path) -> Path:
    """Where a unit's key is kept unless a path is named: this user's own settings folder."""
    if sys.platform == "win32":
        settings = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        settings = home / "Library" / "Application Support"
    else:
        settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return settings / "clampctl" / "unit-key.pem"


def key_pair(path: Path) -> KeyPair:
    """The key pair in a file; on first use it is made there, readable by its owner alone.

    Refused when the file is no such key, or when others may read it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        return _existing(path)
    private = Ed25519PrivateKey.generate()
    with os.fdopen(handle, "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return KeyPair(private)


def _existing(path: Path) -> KeyPair:
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & ~OWNER_ONLY:
        raise Refusal("key", f"The key file {path} may be read by others; allow its owner alone (chmod 600).")
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise Refusal("key", f"The file {path} holds no signing key of clampctl.")
    return KeyPair(private)


def verified(data: bytes, signature: str, public_key: str) -> bool:
    """Whether this key signed these bytes; a signature or key that is none says False."""
    raw_key = _unpacked(public_key.removeprefix(PREFIX), PUBLIC_BYTES)
    raw_signature = _unpacked(signature, SIGNATURE_BYTES)
    if not public_key.startswith(PREFIX) or raw_key is None or raw_signature is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw_key).verify(raw_signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _unpacked(text: str, length: int) -> bytes | None:
    """The bytes of a base64 text in its one form; None for any other text."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == length and base64.b64encode(raw).decode("ascii") == text else None


# --- documents -------------------------------------------------------------------------------


def signed_document(body: Any, key: KeyPair) -> str:
    """A JSON value as the text of a signed document, made to be read by people too."""
    return _text(body, key.public, key.sign(canonical(body).encode("ascii")))


def read_document(text: str, trusted_key: str | None = None) -> SignedBody:
    """What a signed document holds; refused when any byte of it was changed after signing.

    With `trusted_key` a document that another unit signed is refused too; without it the caller must
    compare the public key, for anyone can sign with a key of their own.
    """
    try:
        content = json.loads(text)
        body, public_key, signature = (content[key] for key in sorted(KEYS))
        same = set(content) == KEYS and _text(body, public_key, signature) == text
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refusal("document", "This is not a signed document of clampctl.") from None
    if not same:
        raise Refusal("document", "The signed document is not written as it was signed; it was changed.")
    if not (isinstance(signature, str) and isinstance(public_key, str)):
        raise Refusal("document", "This is not a signed document of clampctl.")
    if not verified(canonical(body).encode("ascii"), signature, public_key):
        raise Refusal("signature", "The signature does not fit the document; it was changed after signing.")
    if trusted_key is not None and public_key != trusted_key:
        raise Refusal("public_key", f"The document is signed by {public_key}, expected {trusted_key}.")
    return SignedBody(body, public_key)


def _text(body: Any, public_key: Any, signature: Any) -> str:
    """The one text of a signed document."""
    content = {"body": body, "public_key": public_key, "signature": signature}
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
