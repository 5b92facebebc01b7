"""Sealed envelopes: what opens, what is refused, and what sealing costs in memory."""

import copy
import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
from itertools import chain, pairwise, repeat

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from facekit import keys as keys_module
from facekit.envelope import MAX_CHUNK_SIZE, KeyPair, open_chunks, open_sealed, seal, seal_chunks
from facekit.errors import ErasedError, FacekitError, InputError, PrivacyError, SealError

KEMS = ("x25519", "mlkem768x25519")
AEADS = ("chacha20poly1305", "aes256gcm")
DIRECTIONS = ("upload", "result")
HEADER, TAG, CHUNK = 15, 16, 8
HEAD = {"x25519": HEADER + 32 + 48, "mlkem768x25519": HEADER + 1120 + 48}
DATA = b"a face that is nobody else's business"  # four full chunks and a short one

KEYS = {kem: KeyPair.generate(kem) for kem in KEMS}
PAIR = KEYS["x25519"]


def sealed_parts(data=DATA, kem="x25519", **options):
    given = {"job": "41c8", "chunk_size": CHUNK, **options}
    return list(seal_chunks(data, KEYS[kem].public_bytes, **given))


def opened(parts, kem="x25519", *, job="41c8", direction="upload"):
    """Open whole and as a stream, which must agree."""
    whole = open_sealed(b"".join(parts), KEYS[kem], job=job, direction=direction)
    assert b"".join(open_chunks(parts, KEYS[kem], job=job, direction=direction)) == whole
    return whole


def is_refused(envelope, key_pair=PAIR, *, job="41c8", direction="upload"):
    """Say whether an envelope is refused, after making sure that only true data came before."""
    came = bytearray()
    with pytest.raises(SealError) as caught:
        open_sealed(envelope, key_pair, job=job, direction=direction)
    with pytest.raises(SealError) as again:
        collect(open_chunks(envelope, key_pair, job=job, direction=direction), came)
    assert DATA.startswith(came)
    return str(caught.value) == str(again.value)


def collect(chunks, came):
    for chunk in chunks:
        came += chunk


# -- what opens ----------------------------------------------------------------------------


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("aead", AEADS)
@pytest.mark.parametrize("kem", KEMS)
def test_what_is_sealed_opens_in_every_suite_and_direction(kem, aead, direction):
    parts = sealed_parts(kem=kem, aead=aead, direction=direction)
    assert opened(parts, kem, direction=direction) == DATA


@given(
    chunk_size=st.integers(1, 40),
    chunks=st.integers(0, 4),
    more=st.integers(-1, 1),
    cuts=st.lists(st.integers(0, 200)),
    content=st.randoms(use_true_random=False),
)
def test_data_of_every_length_around_the_chunks_come_back_however_the_parts_are_cut(
    chunk_size, chunks, more, cuts, content
):
    data = content.randbytes(max(0, chunks * chunk_size + more))
    parts = sealed_parts(pieces(data, cuts), chunk_size=chunk_size)
    assert opened(pieces(b"".join(parts), cuts)) == data


def pieces(data, cuts):
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def test_a_large_picture_goes_through_with_chunks_of_the_usual_size():
    data = os.urandom(300_001)
    assert open_sealed(seal(data, PAIR.public_bytes, job="41c8"), PAIR, job="41c8") == data


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, io.BytesIO, lambda data: iter([data])])
def test_bytes_files_and_iterables_are_sealed_and_opened_alike(make):
    envelope = b"".join(sealed_parts(make(DATA)))
    assert b"".join(open_chunks(make(envelope), PAIR, job="41c8")) == DATA


def test_one_buffer_may_bring_every_part():
    def parts(data):
        buffer = bytearray()
        for byte in data:
            buffer.clear()  # fails while anybody still looks at it
            buffer.extend([byte, byte])
            yield buffer

    assert opened(sealed_parts(parts(b"abc"))) == b"aabbcc"


def test_a_job_may_be_named_by_its_text_or_by_its_bytes():
    assert opened(sealed_parts(job="auftrag-ä"), job="auftrag-ä".encode()) == DATA


def test_what_was_opened_can_be_overwritten_by_who_asked():
    data = open_sealed(b"".join(sealed_parts()), PAIR, job="41c8")
    data[:] = bytes(len(data))
    assert not any(data)
    assert all(isinstance(chunk, bytearray) for chunk in open_chunks(sealed_parts(), PAIR, job="41c8"))


def test_two_envelopes_of_the_same_data_share_nothing_but_the_header():
    one, two = (b"".join(sealed_parts(bytes(64))) for _ in range(2))
    assert one[:HEADER] == two[:HEADER]
    windows = {one[at : at + 8] for at in range(HEADER, len(one) - 8)}
    assert not windows & {two[at : at + 8] for at in range(HEADER, len(two) - 8)}


@given(length=st.integers(0, 50), fill=st.binary(min_size=1, max_size=1))
def test_the_length_of_an_envelope_tells_the_length_of_the_data_and_nothing_else(length, fill):
    chunks = max(1, -(-length // CHUNK))
    assert len(b"".join(sealed_parts(fill * length))) == HEAD["x25519"] + length + TAG * chunks


def test_the_data_do_not_show():
    assert b"nobody" not in b"".join(sealed_parts(chunk_size=64))


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("aead", AEADS)
def test_an_envelope_with_any_bit_flipped_is_refused(aead):
    envelope = bytearray(b"".join(sealed_parts(aead=aead)))
    for bit in range(len(envelope) * 8):
        envelope[bit // 8] ^= 1 << bit % 8
        assert is_refused(envelope)
        envelope[bit // 8] ^= 1 << bit % 8
    assert open_sealed(envelope, PAIR, job="41c8") == DATA


@given(at=st.integers(0, HEAD["mlkem768x25519"] * 8 - 1))
def test_a_hybrid_envelope_with_a_bit_of_its_head_flipped_is_refused(at):
    envelope = bytearray(b"".join(sealed_parts(kem="mlkem768x25519")))
    envelope[at // 8] ^= 1 << at % 8
    assert is_refused(envelope, KEYS["mlkem768x25519"])


@pytest.mark.parametrize("data", [b"", DATA[:CHUNK], DATA, DATA[: 4 * CHUNK]])
def test_an_envelope_cut_short_anywhere_is_refused(data):
    envelope = b"".join(sealed_parts(data))
    assert all(is_refused(envelope[:end]) for end in range(len(envelope)))


@pytest.mark.parametrize("data", [b"", DATA[:CHUNK], DATA, DATA[: 4 * CHUNK]])
@pytest.mark.parametrize("more", [b"\0", bytes(CHUNK + TAG), bytes(200)])
def test_an_envelope_with_anything_after_it_is_refused(data, more):
    assert is_refused(b"".join(sealed_parts(data)) + more)


@settings(max_examples=300)
@given(order=st.lists(st.integers(0, 4), max_size=7).filter(lambda order: order != [0, 1, 2, 3, 4]))
def test_chunks_dropped_doubled_or_in_another_order_are_refused(order):
    head, *chunks = sealed_parts()
    assert is_refused(head + b"".join(chunks[at] for at in order))


def test_two_envelopes_one_after_the_other_are_refused():
    envelope = b"".join(sealed_parts())
    assert is_refused(envelope + envelope)
    assert is_refused(envelope + b"".join(sealed_parts()))


@given(picks=st.lists(st.booleans(), min_size=5, max_size=5))
def test_chunks_of_two_envelopes_for_the_same_key_and_job_do_not_mix(picks):
    (head, *ours), (_, *others) = sealed_parts(), sealed_parts()
    mixed = [b if other else a for a, b, other in zip(ours, others, picks, strict=True)]
    if any(picks):
        assert is_refused(head + b"".join(mixed))
    else:
        assert open_sealed(head + b"".join(mixed), PAIR, job="41c8") == DATA


@given(job=st.text(min_size=1).filter(lambda job: job != "41c8"))
def test_an_envelope_is_refused_for_another_job(job):
    assert is_refused(b"".join(sealed_parts()), job=job)


@pytest.mark.parametrize("kem", KEMS)
def test_an_envelope_is_refused_by_another_key_of_its_kind_and_of_the_other(kem):
    envelope = b"".join(sealed_parts(kem=kem))
    assert is_refused(envelope, KeyPair.generate(kem))
    (other,) = set(KEMS) - {kem}
    with pytest.raises(SealError, match=f"for a key of kind {kem}, got one of kind {other}"):
        open_sealed(envelope, KEYS[other], job="41c8")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_result_does_not_pass_for_an_upload_nor_an_upload_for_a_result(direction):
    (other,) = set(DIRECTIONS) - {direction}
    assert is_refused(b"".join(sealed_parts(direction=direction)), direction=other)


def test_a_header_cannot_be_exchanged_for_another_that_is_known():
    envelope = b"".join(sealed_parts())
    for options in ({"aead": "aes256gcm"}, {"chunk_size": CHUNK + 1}, {"chunk_size": MAX_CHUNK_SIZE}):
        assert is_refused(sealed_parts(**options)[0][:HEADER] + envelope[HEADER:])


def test_a_header_is_refused_even_where_the_cipher_and_the_cut_would_fit():
    # One chunk in all: any size of chunks that is larger would open it, were the header not bound.
    envelope = b"".join(sealed_parts(b"short"))
    larger = sealed_parts(chunk_size=CHUNK + 1)[0][:HEADER]
    assert is_refused(larger + envelope[HEADER:])


@pytest.mark.parametrize(
    ("field", "value"), [("B", 0), ("B", 2), ("kem", 0x0010), ("kdf", 2), ("aead", 1), ("size", 0)]
)
def test_a_version_or_a_suite_that_is_not_known_is_named_as_such(field, value):
    fields = dict(zip(("magic", "B", "kem", "kdf", "aead", "size"), (b"FKSE", 1, 0x20, 1, 3, 8), strict=True))
    envelope = struct.pack(">4sBHHHI", *(fields | {field: value}).values()) + bytes(200)
    wanted = f"expected an envelope of version 1, got version {value}" if field == "B" else "does not know"
    with pytest.raises(SealError, match=wanted):
        open_sealed(envelope, PAIR, job="41c8")


def test_a_header_cannot_make_the_reader_set_aside_more_than_the_limit():
    envelope = struct.pack(">4sBHHHI", b"FKSE", 1, 0x20, 1, 3, MAX_CHUNK_SIZE + 1) + bytes(200)
    with pytest.raises(SealError, match="does not know"):
        open_sealed(envelope, PAIR, job="41c8")


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0 a JPEG that was never sealed", b"FKSE"])
def test_what_is_no_envelope_is_said_to_be_none(data):
    with pytest.raises(SealError, match=r"^expected a sealed envelope, got something else$"):
        open_sealed(data, PAIR, job="41c8")


def test_nothing_is_given_out_whose_tag_does_not_hold_and_nothing_of_it_stays():
    # The library decrypts into the buffer first; the last frame of the traceback still holds it.
    envelope = bytearray(b"".join(sealed_parts(chunk_size=64)))
    envelope[-1] ^= 1
    with pytest.raises(SealError) as caught:
        next(open_chunks(envelope, PAIR, job="41c8"))
    left = caught.traceback[-1].frame.f_locals["data"]
    assert left == bytes(len(DATA))


def test_what_came_before_a_refusal_is_overwritten():
    envelope = bytearray(b"".join(sealed_parts()))
    envelope[-1] ^= 1
    with pytest.raises(SealError) as caught:
        open_sealed(envelope, PAIR, job="41c8")
    (frame,) = [entry.frame for entry in caught.traceback if "chunks" in entry.frame.f_locals]
    assert frame.f_locals["chunks"] == [bytearray(CHUNK)] * 4


def test_what_sealing_held_of_the_data_is_overwritten_even_when_it_stops_early():
    stream = seal_chunks(DATA, PAIR.public_bytes, job="41c8", chunk_size=CHUNK)
    next(stream)
    next(stream)
    held = stream.gi_frame.f_locals["buffer"]
    assert held == DATA[:CHUNK]
    stream.close()
    assert held == bytes(CHUNK)


def test_all_that_does_not_authenticate_is_refused_in_the_same_words():
    envelope = b"".join(sealed_parts())
    broken = [envelope[:-1], envelope + b"\0", envelope[:40] + b"\0" + envelope[41:]]
    said = set()
    for wrong in broken:
        with pytest.raises(SealError) as caught:
            open_sealed(wrong, PAIR, job="41c8")
        said.add(str(caught.value))
    with pytest.raises(SealError) as caught:
        open_sealed(envelope, PAIR, job="77d0")
    assert said == {str(caught.value)} == {keys_module.REFUSED}


# -- what is wrong with the arguments ------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 33, 35, 1217, 1219])
def test_bytes_that_are_no_public_key_are_refused_before_anything_is_read(size):
    for tag in (b"\x00\x20", b"\x64\x7a", b"\x00\x10"):
        with pytest.raises(SealError, match=r"^public_key: expected"):
            seal_chunks(never(), (tag + b"\x01" * size)[:size], job="41c8")


def never():
    yield pytest.fail("the source was read")


def test_a_point_of_small_order_is_no_public_key():
    with pytest.raises(SealError, match="expected a x25519 key"):
        seal(DATA, b"\x00\x20" + bytes(32), job="41c8")


@pytest.mark.parametrize(
    "options",
    [
        {"job": ""},
        {"job": b""},
        {"job": "\ud800"},
        {"direction": "sideways"},
        {"aead": "rot13"},
        {"chunk_size": 0},
        {"chunk_size": MAX_CHUNK_SIZE + 1},
    ],
)
def test_an_option_that_is_not_known_is_named(options):
    (name,) = options
    with pytest.raises(InputError, match=f"^{name}: expected"):
        seal_chunks(never(), PAIR.public_bytes, **{"job": "41c8", **options})


def test_a_kind_of_key_that_is_not_known_is_named():
    with pytest.raises(InputError, match=r"^kem: expected one of x25519, mlkem768x25519, got 'rsa'$"):
        KeyPair.generate("rsa")


def test_the_errors_hang_in_the_tree():
    assert issubclass(SealError, PrivacyError)
    assert issubclass(ErasedError, PrivacyError)
    assert issubclass(PrivacyError, FacekitError)


# -- keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kem", KEMS)
def test_a_key_pair_cannot_leave_the_process_by_pickling_or_copying(kem):
    for way in (copy.copy, copy.deepcopy, *(lambda pair, p=p: pickle.dumps(pair, p) for p in range(6))):
        with pytest.raises(TypeError, match="stays where it was made"):
            way(KEYS[kem])
    with pytest.raises(TypeError):
        vars(KEYS[kem])


def test_printing_a_key_pair_shows_its_kind_only():
    assert repr(PAIR) == str(PAIR) == "<KeyPair x25519>"


@pytest.mark.parametrize(("kem", "size"), [("x25519", 34), ("mlkem768x25519", 1218)])
def test_each_pair_is_new_and_its_public_half_says_its_kind(kem, size):
    one, two = (KeyPair.generate(kem).public_bytes for _ in range(2))
    assert len(one) == len(two) == size
    assert one != two
    assert one[:2] == two[:2] == {"x25519": b"\x00\x20", "mlkem768x25519": b"\x64\x7a"}[kem]


def test_an_erased_pair_opens_nothing_and_stays_erased():
    with KeyPair.generate() as pair:
        envelope = seal(DATA, pair.public_bytes, job="41c8")
        assert open_sealed(envelope, pair, job="41c8") == DATA
    for _ in range(2):
        pair.erase()
        with pytest.raises(ErasedError, match="has been erased"):
            open_sealed(envelope, pair, job="41c8")
    assert repr(pair) == "<KeyPair x25519, erased>"


# -- against the specifications ------------------------------------------------------------


def test_the_suite_opens_the_vector_of_rfc_9180():
    # Appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence 0.
    private = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    )
    public = bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
    assert private.public_key().public_bytes_raw() == public
    enc = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    ciphertext = bytes.fromhex(
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
    )
    suite = keys_module._suite("x25519", "chacha20poly1305")
    # The vector has associated data, which the library takes by a private function only.
    found = openssl.hpke._decrypt_with_aad(
        suite, enc + ciphertext, private, info=b"Ode on a Grecian Urn", aad=b"Count-0"
    )
    assert found == b"Beauty is truth, truth beauty"


@pytest.mark.parametrize("aead", AEADS)
@pytest.mark.parametrize("data", [b"", b"short", DATA, DATA[: 4 * CHUNK]])
def test_an_envelope_written_by_hand_from_the_description_opens(aead, data):
    assert open_sealed(by_hand(data, aead), PAIR, job="41c8") == data


def by_hand(data, aead, *, cut=None):
    """Write an envelope by the module's docstring alone; `cut` says otherwise where the chunks end."""
    number, cipher, hpke_aead = {
        "aes256gcm": (2, AESGCM, AEAD.AES_256_GCM),
        "chacha20poly1305": (3, ChaCha20Poly1305, AEAD.CHACHA20_POLY1305),
    }[aead]
    header = b"FKSE\x01" + struct.pack(">HHHI", 0x20, 1, number, CHUNK)
    public = X25519PublicKey.from_public_bytes(PAIR.public_bytes[2:])
    info = b"facekit envelope v1 upload\0" + header + b"41c8"
    file_key = bytes(range(32))
    wrapped = Suite(KEM.X25519, KDF.HKDF_SHA256, hpke_aead).encrypt(file_key, public, info=info)
    chunks = cut or [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    nonces = [
        at.to_bytes(11, "big") + (b"\1" if at == len(chunks) - 1 else b"\0") for at in range(len(chunks))
    ]
    body = [cipher(file_key).encrypt(n, chunk, None) for n, chunk in zip(nonces, chunks, strict=True)]
    return header + wrapped + b"".join(body)


def test_an_empty_chunk_after_others_is_refused_although_it_is_authentic():
    assert is_refused(by_hand(DATA, "aes256gcm", cut=[DATA[:CHUNK], b""]))


# -- cost ----------------------------------------------------------------------------------

PIECE = bytes(64 * 1024)


@pytest.mark.parametrize("megabytes", [4, 64])
def test_sealing_and_opening_a_stream_holds_a_few_chunks_however_long_it_is(megabytes):
    source = repeat(PIECE, megabytes * 16)
    tracemalloc.start()
    try:
        parts = seal_chunks(source, PAIR.public_bytes, job="41c8")
        total = sum(len(chunk) for chunk in open_chunks(parts, PAIR, job="41c8"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == megabytes * 1024 * 1024
    assert peak < 10 * len(PIECE)


def test_a_chunk_comes_out_as_soon_as_the_next_one_begins():
    head, *chunks = sealed_parts()
    after = iter(lambda: pytest.fail("more was read than the first chunk needs"), None)
    stream = open_chunks(chain([head, chunks[0], chunks[1][:1]], after), PAIR, job="41c8")
    assert next(stream) == DATA[:CHUNK]


def test_a_stream_that_breaks_off_passes_on_why():
    def broken():
        yield from sealed_parts()[:2]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        list(open_chunks(broken(), PAIR, job="41c8"))


def test_importing_the_public_names_does_not_load_the_cryptography():
    code = "import facekit, sys; sys.exit('cryptography' in sys.modules or 'seal' not in dir(facekit))"
    subprocess.run([sys.executable, "-c", code], check=True)
