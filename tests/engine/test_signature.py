"""Keys made once and for their owner alone; documents in which any changed byte shows."""

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from clampctl.core.protocol import Refusal
from clampctl.engine.signature import (
    PREFIX,
    KeyPair,
    SignedBody,
    key_pair,
    key_path,
    read_document,
    signed_document,
    verified,
)

BODY = {"a": [1, 2.5, None, True], "text": "µL/h", "nested": {"b": -1}}
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
EMPTY_SIGNED = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
    "d25bf5f0595bbe24655141438e7a100b"
)
"""RFC 8032, 7.1, test 1: the empty message."""

KEY = KeyPair(Ed25519PrivateKey.from_private_bytes(SECRET))
TEXT = signed_document(BODY, KEY)


def test_the_key_and_signature_of_rfc_8032() -> None:
    assert KEY.public == PREFIX + PUBLIC
    signature = KEY.sign(b"")
    assert verified(b"", signature, KEY.public)
    assert signature == base64.b64encode(bytes.fromhex(EMPTY_SIGNED)).decode("ascii")


# --- documents ---------------------------------------------------------------------------------


def test_a_document_is_read_as_it_was_signed() -> None:
    assert read_document(TEXT) == SignedBody(BODY, KEY.public)
    assert read_document(TEXT, KEY.public).body == BODY


def test_every_single_changed_byte_is_refused() -> None:
    data = TEXT.encode("ascii")
    for place in range(len(data)):
        for changed in (data[place] ^ 1, data[place] ^ 32, 0x20, 0x22):
            if changed == data[place]:
                continue
            text = (data[:place] + bytes([changed]) + data[place + 1 :]).decode("latin-1")
            with pytest.raises(Refusal):
                read_document(text)


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.text(max_size=5))
def test_what_is_cut_out_or_put_in_is_refused(start: int, end: int, put: str) -> None:
    text = TEXT[: min(start, end)] + put + TEXT[max(start, end) :]
    if text != TEXT:
        with pytest.raises(Refusal):
            read_document(text)


@given(st.text(max_size=200))
def test_no_other_text_is_a_document(text: str) -> None:
    with pytest.raises(Refusal):
        read_document(text)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", "[" * 100_000, '{"body":1,"public_key":2,"signature":3}', '{"a":NaN}']
)
def test_odd_json_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="document"):
        read_document(text)


def changed(change: Callable[[dict[str, object]], object]) -> str:
    """The document written well, with something else in it."""
    content = json.loads(TEXT)
    change(content)
    return json.dumps(content, sort_keys=True, indent=2) + "\n"


def test_what_is_wrong_is_named() -> None:
    other = KeyPair(Ed25519PrivateKey.generate())
    cases: tuple[tuple[str, str], ...] = (
        ("not written as it was signed", TEXT.replace("  ", " ")),
        ("signature does not fit", changed(lambda c: c.update(body={"a": 2}))),
        ("signature does not fit", changed(lambda c: c.update(public_key=other.public))),
        ("signature does not fit", changed(lambda c: c.update(signature=other.sign(b"x")))),
        ("signature does not fit", changed(lambda c: c.update(public_key=PUBLIC))),
        ("signature does not fit", changed(lambda c: c.update(signature="AAAA"))),
        ("not a signed document", changed(lambda c: c.update(signature=None))),
        ("not a signed document", changed(lambda c: c.pop("signature"))),
        ("was changed", changed(lambda c: c.update(more=1))),
    )
    for sentence, text in cases:
        with pytest.raises(Refusal, match=sentence):
            read_document(text)


def test_a_document_of_another_unit_is_refused_only_where_a_key_is_trusted() -> None:
    other = KeyPair(Ed25519PrivateKey.generate())
    text = signed_document(BODY, other)
    assert read_document(text).public_key == other.public
    with pytest.raises(Refusal, match="expected " + KEY.public.replace("+", r"\+")):
        read_document(text, KEY.public)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_is_for_its_bytes_alone(data: bytes, other: bytes) -> None:
    assert verified(data, KEY.sign(data), KEY.public)
    assert verified(other, KEY.sign(data), KEY.public) is (data == other)


@given(st.text(max_size=120), st.text(max_size=60))
def test_no_text_raises_as_signature_or_key(signature: str, public: str) -> None:
    assert not verified(b"x", signature, KEY.public)
    assert not verified(b"x", KEY.sign(b"x"), PREFIX + public)


# --- the key file ------------------------------------------------------------------------------


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "unit-key.pem"
    first = key_pair(path)
    assert key_pair(path).public == first.public
    assert verified(b"x", key_pair(path).sign(b"x"), first.public)
    assert key_pair(tmp_path / "other.pem").public != first.public


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "unit-key.pem"
    before = os.umask(0)
    try:
        key_pair(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(Refusal, match="read by others"):
            key_pair(path)


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "unit-key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Refusal, match="no signing key"):
        key_pair(path)
    assert path.read_bytes() == content


def test_the_usual_place_is_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        "linux": (tmp_path / "set", tmp_path / ".config"),
        "darwin": (tmp_path / "Library" / "Application Support",) * 2,
        "win32": (tmp_path / "data", tmp_path / "AppData" / "Roaming"),
    }
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "set"), "APPDATA": str(tmp_path / "data")}
    for platform, (named, usual) in places.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert key_path(environment, tmp_path) == named / "clampctl" / "unit-key.pem"
        assert key_path({}, tmp_path) == usual / "clampctl" / "unit-key.pem"
