"""One's own account: names, handle, picture, phone and device."""

import io
import subprocess
import sys
import uuid
from collections import Counter

import pytest
from PIL import Image
from sqlalchemy import func, select

from service.database import Database
from service.tables import Base, accounts
from tests.service.serving import new_number


def tables_of(server):
    """Count the rows of each table of the server's."""
    found = Database(
        server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
    )
    with found.begin() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
    found.close()
    return counts


# -- names -----------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.3.1 p4", partly="an account works with an empty profile, and a name can be set and taken away"
)
def test_a_name_is_optional_and_can_be_taken_away(person):
    assert person.http.get("/me").json()["name"] is None
    assert person.http.patch("/me", json={"name": "  林 Lin "}).json()["name"] == "林 Lin"
    assert person.http.get("/me").json()["name"] == "林 Lin"
    assert person.http.patch("/me", json={"name": None}).json()["name"] is None


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\u202eevil", "x" * 41, 5])
def test_what_cannot_be_shown_as_a_name_is_refused(person, name):
    assert person.http.patch("/me", json={"name": name}).status_code == 422


def choose(person, handle):
    return person.http.put("/me/handle", json={"handle": handle})


def new_handle():
    return "r" + "".join("abcdefghij"[int(digit, 16) % 10] for digit in uuid.uuid4().hex[:20])


@pytest.mark.clause("1.3.1 p4", partly="the public handle can be chosen, and is nobody else's")
def test_a_handle_is_unique_however_it_is_written(person, server):
    handle = new_handle()
    assert choose(person, handle).json()["handle"] == handle
    assert choose(person, handle.upper()).status_code == 200, "one's own may be written otherwise"
    with server.person() as other:
        wide = "".join(chr(ord(one) + 0xFEE0) for one in handle)
        for taken in (handle, handle.upper(), handle.title(), wide):
            answer = choose(other, taken)
            assert answer.status_code == 409, taken
            assert handle not in answer.text
        own = other.http.get("/me").json()["handle"]
        assert choose(person, own).status_code == 409


def test_a_handle_that_was_given_up_is_free(person, server):
    handle = new_handle()
    choose(person, handle)
    choose(person, new_handle())
    with server.person() as other:
        assert choose(other, handle).status_code == 200


@pytest.mark.parametrize(
    "handle",
    [
        "1otter",
        "ot",
        "-otter",
        "otter-",
        "ot--ter",
        "ot ter",
        "ot/ter",
        "admin",
        "Facekit",
        "оtter",
        "ot\u200bter",
    ],
)
def test_what_is_no_handle_or_looks_like_another_is_refused(person, handle):
    assert choose(person, handle).status_code in (409, 422)


@pytest.mark.clause("1.3.1 p4", partly="a handle shows no part of the phone number")
def test_a_handle_that_shows_a_part_of_the_number_is_refused(person):
    digits = person.phone[3:]
    for handle in (
        f"fox{digits}",
        f"fox{digits[-4:]}",
        "fox" + "-".join(digits[4:9]),
        f"f{digits[2:4]}x{digits[4:6]}",
    ):
        assert choose(person, handle).status_code == 422, handle


@pytest.mark.clause(
    "1.3.1 p4", partly="a handle that nobody chose is chance: of 2,000, no digit follows the number's"
)
def test_random_handles_have_nothing_to_do_with_numbers():
    """Where a handle's digits came from the number, they would agree with it more often than one in ten."""
    import random

    from service.accounts.handles import random_handle

    chance = random.Random(7)  # noqa: S311 (nothing depends on it)
    agreeing = Counter()
    for _ in range(2000):
        number, digits = f"{chance.randrange(10**8):08}", random_handle().rpartition("-")[2]
        agreeing.update(place for place in range(8) if number[place] == digits[place])
    # 2,000 throws at one in ten: 200, give or take 13; six times that is a chance of one in 10^8.
    assert all(abs(agreeing[place] - 200) < 80 for place in range(8)), agreeing


# -- the picture -----------------------------------------------------------------------------


def picture(kind="PNG", size=(800, 600), **extra):
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **extra)
    return out.getvalue()


def put(person, data, media_type="image/png", **headers):
    return person.http.put("/me/avatar", content=data, headers={"Content-Type": media_type, **headers})


@pytest.mark.clause("1.3.1 p1 b", partly="a picture can be set; it is made anew, small and without metadata")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_made_anew_without_metadata(person, kind):
    exif = Image.Exif()
    exif[0x010E] = "CANARY in the description"
    exif[0x0112] = 6  # lies on its side
    data = picture(kind, exif=exif, **({"comment": b"CANARY in a comment"} if kind == "JPEG" else {}))
    assert b"CANARY" in data
    assert put(person, data, f"image/{kind.lower()}").status_code == 204
    shown = person.http.get("/me/avatar")
    assert (shown.headers["content-type"], shown.headers["cache-control"]) == ("image/webp", "no-store")
    assert b"CANARY" not in shown.content
    found = Image.open(io.BytesIO(shown.content))
    assert (found.format, found.size, dict(found.getexif())) == ("WEBP", (384, 512), {})


def test_a_small_picture_stays_as_large_as_it_is(person):
    assert put(person, picture(size=(40, 30))).status_code == 204
    assert Image.open(io.BytesIO(person.http.get("/me/avatar").content)).size == (40, 30)


@pytest.mark.clause(
    "1.3.1 p1 b", partly="no job comes of a picture, and what makes it anew loads nothing that finds faces"
)
def test_a_picture_never_meets_what_finds_faces(person):
    before = tables_of(person.server)
    assert put(person, picture()).status_code == 204
    after = tables_of(person.server)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"avatars"}

    look = (
        "import io, sys\n"
        "import facekit.thumbnail as thumbnail\n"
        "sys.argv[1:] = ['512', '1']\n"
        "assert thumbnail.main() == 0\n"
        "sys.stderr.write('\\n'.join(sorted(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", look], input=picture(), capture_output=True, check=True)
    loaded = set(run.stderr.decode().split())
    assert {"facekit.codec", "PIL", "numpy"} <= loaded, "the control: it does load what decodes"
    assert not {name for name in loaded if name.split(".")[0] in {"mediapipe", "cv2", "numba"}}
    assert not loaded & {"facekit.landmarks", "facekit.swap", "facekit.works", "facekit.cell", "facekit.pool"}


def test_the_service_itself_loads_no_decoder():
    look = "import sys, service.app; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True, text=True)
    loaded = set(run.stdout.split())
    assert "facekit.thumbnail" in loaded
    assert not loaded & {"PIL", "cv2", "mediapipe", "facekit.codec", "facekit.landmarks"}


def test_a_picture_is_sealed_where_it_is_kept(person):
    put(person, picture())
    shown = person.http.get("/me/avatar").content
    found = Database(
        person.server.environment.get(
            "FACEKIT_DATABASE_URL", f"sqlite:///{person.server.data}/facekit.sqlite"
        )
    )
    with found.begin() as session:
        kept = session.get(accounts.Picture, person.account).picture
    found.close()
    assert len(kept) > len(shown)
    assert b"WEBP" in shown
    assert b"WEBP" not in kept


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"x" * 10, {"Content-Type": "image/gif"}, 415),
        (b"x" * 10, {"Content-Type": "application/json"}, 415),
        (picture("GIF"), {"Content-Type": "image/png"}, 415),
        (b"no picture at all", {"Content-Type": "image/png"}, 422),
        (picture()[:200], {"Content-Type": "image/png"}, 422),
        (b"x" * (2 * 2**20 + 1), {"Content-Type": "image/png"}, 413),
        (iter([b"x" * 10]), {"Content-Type": "image/png"}, 411),
    ],
    ids=["a GIF", "JSON", "a GIF that says PNG", "nonsense", "cut off", "too long", "of no said length"],
)
def test_what_is_no_picture_or_too_much_is_refused(person, data, headers, status):
    answer = person.http.put("/me/avatar", content=data, headers=headers)
    assert answer.status_code == status, answer.text
    assert person.http.get("/me/avatar").headers["content-type"].startswith("image/svg")


def test_too_long_a_picture_is_refused_before_it_is_read(person):
    """Its first byte never comes, and the answer does."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(person.server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.putrequest("PUT", "/v1/me/avatar")
    for name, value in (
        ("Authorization", f"Bearer {person.token}"),
        ("Content-Type", "image/png"),
        ("Content-Length", str(2**30)),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.clause(
    "5.2", partly="what an account shows is gone from here once it is deleted; there is no public place yet"
)
def test_who_has_no_picture_is_shown_a_pattern_of_their_own(person, server):
    shown = person.http.get("/me/avatar")
    assert shown.headers["content-type"].startswith("image/svg+xml")
    assert shown.headers["content-security-policy"] == "default-src 'none'"
    assert person.http.get("/me/avatar").content == shown.content
    with server.person() as other:
        assert other.http.get("/me/avatar").content != shown.content
    put(person, picture())
    assert person.http.get("/me/avatar").content != shown.content
    assert person.http.delete("/me/avatar").status_code == 204
    assert person.http.get("/me/avatar").content == shown.content


# -- the phone -------------------------------------------------------------------------------


def bind(person, phone, *, code=None):
    challenge = person.http.post("/auth/otp", json={"phone": phone}).json()["challenge"]
    sent = person.server.texts.code_for(phone)
    given = {"challenge": challenge, "phone": phone, "code": code or sent}
    return person.http.post("/me/phone", json=given)


@pytest.mark.clause("1.3.1 p3 b", partly="a number is changed with a code of the old one and one of the new")
def test_a_number_is_changed_with_a_code_of_each(person):
    new, old = new_number(), person.phone
    assert bind(person, new).status_code == 401, "no fresh code to the old number"
    person.step_up()
    assert bind(person, new, code="000000").status_code == 422
    with person.server.person(old) as other:
        assert bind(person, new).json()["phone"][-2:] == new[-2:]
        assert other.http.get("/me").status_code == 401, "what the old number had opened"
    assert person.http.get("/me").status_code == 200
    with person.server.person(new) as by_new, person.server.person(old) as by_old:
        assert by_new.account == person.account
        assert by_old.account != person.account


@pytest.mark.clause(
    "1.3.1 p3 b", partly="a number of another account's is not taken over, and nothing is told of it"
)
def test_a_number_that_another_account_has_is_not_taken_over(person, server):
    with server.person() as other:
        person.step_up()
        answer = bind(person, other.phone)
        assert answer.status_code == 409
        assert other.account not in answer.text
        assert other.http.get("/me").json()["id"] == other.account
        assert person.http.get("/me").json()["phone"][-2:] == person.phone[-2:]
        with server.person(other.phone) as again:
            assert again.account == other.account


# -- the device ------------------------------------------------------------------------------

DEVICE = {
    "os": "android",
    "os_version": "15",
    "app_version": "2.1.0",
    "locale": "zh-CN",
    "install_id": str(uuid.UUID(int=0x1234567890AB4CDE8F01234567890ABC)),
}


@pytest.mark.clause(
    "1.3.2(2)", partly="what is known of a device needs consent, and refusing it stops nothing else"
)
def test_a_device_tells_only_with_consent_and_all_else_works_without(person):
    answer = person.http.put("/me/device", json=DEVICE)
    assert (answer.status_code, answer.json()["purpose"]) == (403, "device.info")
    assert person.http.get("/me/device").status_code == 404
    person.consent("face.effect")
    assert person.http.get("/me").status_code == 200

    person.consent("device.info")
    assert person.http.put("/me/device", json=DEVICE).json() == DEVICE
    assert person.http.get("/me/device").json() == DEVICE
    newer = DEVICE | {"app_version": "2.2.0"}
    assert person.http.put("/me/device", json=newer).json() == newer
    assert person.http.get("/me/device").json() == newer
    assert person.http.delete("/me/device").status_code == 204
    assert person.http.get("/me/device").status_code == 404


@pytest.mark.clause("1.3.2(2)", partly="there is no field for an identifier of hardware, so none is stored")
@pytest.mark.parametrize(
    "more",
    [
        {"imei": "490154203237518"},
        {"mac": "00:1B:44:11:3A:B7"},
        {"ssid": "home"},
        {"os_version": "490154203237518"},
        {"app_version": "00:1B:44:11:3A:B7"},
        {"locale": "490154203237518"},
        {"install_id": "490154203237518"},
        {"install_id": str(uuid.uuid1())},
    ],
)
def test_an_identifier_of_hardware_is_refused_and_nothing_is_stored(person, more):
    person.consent("device.info")
    before = tables_of(person.server)
    answer = person.http.put("/me/device", json=DEVICE | more)
    assert answer.status_code == 422
    assert next(iter(more.values())) not in answer.text
    assert tables_of(person.server) == before
    assert person.http.get("/me/device").status_code == 404


@pytest.mark.clause("1.3.2(2)", partly="to withdraw the consent erases what was known of the device")
def test_to_withdraw_the_consent_erases_the_device(person):
    person.consent("device.info")
    person.http.put("/me/device", json=DEVICE)
    before = tables_of(person.server)["devices"]
    assert person.http.delete("/consents/device.info").status_code == 200
    assert tables_of(person.server)["devices"] == before - 1
    assert person.http.get("/me/device").status_code == 404
    assert person.http.put("/me/device", json=DEVICE).status_code == 403
