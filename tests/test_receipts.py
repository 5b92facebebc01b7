"""Receipts: what they say, what they cannot say, and that nobody can change a letter."""

import base64
import copy
import json
import pickle
import re
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit.erasures import LIMITS
from facekit.errors import PrivacyError, ReceiptError
from facekit.policy import POLICY_VERSION
from facekit.receipts import (
    Erased,
    ErasureReceipt,
    How,
    Signer,
    What,
    is_job_id,
    issue_receipt,
    verify_receipt,
)

SIGNER = Signer.generate()
KEY = SIGNER.public_bytes
JOB = "AbCdEfGhIjKlMnOpQrStUw"
AT = datetime(2026, 11, 24, 12, 30, 15, 987654, tzinfo=UTC)
ROWS = (
    Erased(What.UPLOAD_STORED, How.OVERWRITTEN_UNLINKED, AT),
    Erased(What.CELL, How.PROCESS_ENDED, AT + timedelta(milliseconds=40)),
)


def issued(signer=SIGNER, job=JOB, **options):
    given = {
        "issued": AT + timedelta(seconds=1),
        "outcome": "delivered",
        "erased": ROWS,
        "walls": ("seccomp",),
    }
    return issue_receipt(signer, job, **given | options)


TEXT = issued().to_json()


# -- what they say -----------------------------------------------------------------------------


def test_a_receipt_is_read_as_it_was_written():
    receipt = issued(upload="plain", result_key="client")
    assert ErasureReceipt.from_json(receipt.to_json()) == receipt
    assert ErasureReceipt.from_json(receipt.to_json().encode()) == receipt
    assert verify_receipt(receipt, KEY) == verify_receipt(receipt.to_json(), KEY) == receipt


def test_a_receipt_is_canonical_json():
    document = json.loads(TEXT)
    assert json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == TEXT
    assert TEXT.isascii()


@pytest.mark.clause(
    "1.2.3b",
    partly="a receipt holds no number, and only words of closed lists beside ids and times",
)
def test_a_receipt_can_tell_nothing_of_a_picture():
    document = json.loads(issued(upload="plain").to_json())
    assert set(document) == {
        *("format", "job", "policy", "issued", "outcome", "upload", "result_key", "erased"),
        *("walls", "limits", "signer", "signature"),
    }
    assert {field.name for field in fields(ErasureReceipt)} == set(document) - {"format"}
    assert {key for row in document["erased"] for key in row} == {"what", "how", "at"}
    assert set(document["limits"]) == set(LIMITS.values())

    def leaves(value):
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from leaves(inner)
        else:
            yield value

    assert all(isinstance(leaf, str) for leaf in leaves(document))


def test_one_kind_of_thing_has_one_row_however_many_there_were():
    with pytest.raises(ReceiptError, match="erased"):
        issued(erased=(*ROWS, Erased(What.CELL, How.PROCESS_ENDED, AT)))


def test_times_are_in_utc_and_cut_to_milliseconds():
    elsewhere = AT.astimezone(timezone(timedelta(hours=8)))
    receipt = issued(issued=elsewhere, erased=(Erased(What.KEYS, How.DROPPED, elsewhere),))
    assert receipt.issued == AT.replace(microsecond=987000)
    assert receipt.to_json().count("2026-11-24T12:30:15.987Z") == 2
    with pytest.raises(ReceiptError, match="without a time zone"):
        Erased(What.KEYS, How.DROPPED, AT.replace(tzinfo=None))


def test_rows_stand_in_the_order_of_their_times():
    assert issued(erased=reversed(ROWS)).erased == ROWS


@pytest.mark.clause(
    "1.2.3c", partly="a receipt says what we cannot promise: each limit that applies to the job"
)
def test_the_limits_are_those_that_apply():
    def limits(**options):
        return {name for name, said in LIMITS.items() if said in issued(**options).limits}

    assert limits() == set(LIMITS) - {"plain"}
    assert limits(upload="plain") == set(LIMITS)
    assert limits(erased=ROWS[1:]) == {"copies", "machine", "client"}


def test_a_receipt_names_the_policy_that_was_in_force():
    assert issued().policy == POLICY_VERSION


def test_every_word_of_the_lists_is_said_for_people():
    assert all(member.words for member in (*What, *How))
    assert len({member.words for member in (*What, *How)}) == len(What) + len(How)


@pytest.mark.parametrize(
    "changed",
    [
        {"job": "holiday.jpg"},
        {"job": JOB[:-1]},
        {"job": JOB[:-1] + "B"},  # base64 of no 16 bytes
        {"outcome": "fine"},
        {"upload": "half"},
        {"result_key": "mine"},
        {"walls": ("3 faces",)},
        {"walls": ("seccomp", "seccomp")},
        {"walls": tuple("a" * n for n in range(1, 40))},
    ],
)
def test_a_receipt_that_could_say_more_is_not_issued(changed):
    with pytest.raises(ReceiptError, match=f"{next(iter(changed))}: not of the form"):
        issued(**changed)


def test_ids_of_jobs_are_those_that_16_random_bytes_give():
    import secrets

    assert all(is_job_id(secrets.token_urlsafe(16)) for _ in range(200))
    assert not any(map(is_job_id, ("", "41c8", JOB + "A", JOB[:-1] + "/", 22, None, JOB + "\n")))


# -- what is refused -----------------------------------------------------------------------------


def is_refused(text, key=KEY):
    with pytest.raises(ReceiptError):
        verify_receipt(text, key)
    return True


@pytest.mark.clause("1.2.3c", partly="a receipt with any byte changed does not hold")
@settings(max_examples=500)
@given(at=st.integers(0, len(TEXT) - 1), by=st.integers(1, 255))
def test_a_receipt_with_any_byte_changed_does_not_hold(at, by):
    edited = bytearray(TEXT.encode())
    edited[at] ^= by
    assert is_refused(bytes(edited))
    verify_receipt(TEXT, KEY)


@given(start=st.integers(0, len(TEXT)), end=st.integers(0, len(TEXT)), more=st.text(max_size=3))
def test_a_receipt_with_something_cut_out_or_put_in_does_not_hold(start, end, more):
    edited = TEXT[: min(start, end)] + more + TEXT[max(start, end) :]
    assert edited == TEXT or is_refused(edited)


def edited(**changed):
    document = json.loads(TEXT) | changed
    return json.dumps(
        {k: v for k, v in document.items() if v is not None}, sort_keys=True, separators=(",", ":")
    )


@pytest.mark.parametrize(
    "text",
    [
        edited(signature=None),
        edited(signature=""),
        edited(signature=base64.b64encode(bytes(64)).decode()),
        edited(walls=None),
        edited(size="3"),
        edited(walls="seccomp"),
        edited(walls=[]),
        edited(limits=[]),
        edited(erased=[]),
        edited(erased={}),
        edited(erased=[7]),
        edited(issued=7),
        edited(issued="2026-11-24T12:30:15Z"),
        edited(job=7),
        edited(outcome="cancelled"),
        edited(policy="0" * 16),
        edited(signer="0" * 16),
        edited(format="facekit erasure receipt 2"),
        TEXT[:-1] + ',"walls":["seccomp"]}',
        TEXT.replace('"walls":["seccomp"]', '"walls":["seccomp"],"walls":["seccomp"]'),
        TEXT.replace(":", ": "),
        TEXT.replace("seccomp", "\\u0073eccomp"),
        TEXT + "\n",
        TEXT.encode("utf-16"),
        b"\xff",
        "",
        "7",
        "[" * 5000,
        "{}",
        "null",
        '{"a":1e999}',
        " " * 20_000,
    ],
)
def test_what_was_not_issued_so_is_refused(text):
    assert is_refused(text)


def test_another_key_does_not_do_nor_what_is_none():
    other = Signer.generate()
    assert is_refused(TEXT, other.public_bytes)
    forged = replace(issued(), signature=other.sign(issued().signed_bytes()))
    assert is_refused(forged)
    renamed = issued(other)
    assert is_refused(replace(renamed, signer=SIGNER.id))
    with pytest.raises(ReceiptError, match="expected 32 bytes, got 31"):
        verify_receipt(TEXT, KEY[:31])


def test_a_signature_of_something_else_is_none_of_a_receipt():
    bare = issued().signed_bytes().partition(b"\0")[2]
    assert is_refused(replace(issued(), signature=SIGNER.sign(bare)))


def test_the_signature_is_ed25519_over_the_label_and_the_json():
    document = json.loads(TEXT)
    signature = base64.b64decode(document.pop("signature"))
    message = (
        b"facekit erasure receipt v1\0" + json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    )
    Ed25519PublicKey.from_public_bytes(KEY).verify(signature, message)


# -- the key that signs ----------------------------------------------------------------------------


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    first = Signer.load(tmp_path / "key.pem")
    again = Signer.load(tmp_path / "key.pem")
    assert first.public_bytes == again.public_bytes
    assert [(entry.name, entry.stat().st_mode & 0o777) for entry in tmp_path.iterdir()] == [
        ("key.pem", 0o600)
    ]


def test_processes_that_come_first_at_once_agree(tmp_path):
    code = (
        "import pathlib, sys; from facekit.receipts import Signer; sys.stdin.read();"
        "print(Signer.load(pathlib.Path(sys.argv[1])).id)"
    )
    command = [sys.executable, "-c", code, tmp_path / "key.pem"]
    many = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for one in many:
        one.stdin.close()
    said = {one.stdout.read() for one in many}
    for one in many:
        one.stdout.close()
        assert one.wait() == 0
    assert len(said) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    Signer.load(tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(mode)
    with pytest.raises(PrivacyError, match="mode 0600"):
        Signer.load(tmp_path / "key.pem")


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(PrivacyError, match="expected an Ed25519 key in PEM"):
        Signer.load(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_made_is_said_without_a_path(tmp_path):
    with pytest.raises(PrivacyError) as caught:
        Signer.load(tmp_path / "none" / "key.pem")
    assert str(caught.value) == "the key that signs receipts cannot be had (No such file or directory)"


def test_a_signer_shows_no_key_and_stays_where_it_is():
    assert re.fullmatch(r"<Signer [0-9a-f]{16}>", repr(SIGNER))
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays where it is"):
            leave(SIGNER)
