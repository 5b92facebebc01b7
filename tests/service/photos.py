"""What tests of jobs share: photos of nobody, and a client that does what clients do."""

import base64
import json
import secrets
import time

from sqlalchemy import func, select

from facekit import encode_image, synthetic_face
from facekit.canaries import canaries_of
from facekit.envelope import seal
from facekit.proof import canaries_of_photo
from service.database import Database
from service.jobs.store import Job

SEALED = "application/vnd.facekit.sealed"
ASKED = {
    "effect": "swap",
    "template": "stamp",
    "options": {"format": "webp"},
    "source": "album",
    "attestation": {"person": "me", "over_14": True},
}
ENDS = {"delivered", "cancelled", "failed", "expired", "lost"}


class Photo:
    """A photo of nobody, with a comment as cameras leave one, and what to search for of it."""

    def __init__(self, seed):
        plain = encode_image(synthetic_face(512, seed=seed, yaw=seed % 20 - 10), "jpeg")
        name = f"holiday-with-{secrets.token_hex(8)}.jpg"
        comment = b"\xff\xfe" + (len(name) + 2).to_bytes(2) + name.encode()
        self.file = plain[:2] + comment + plain[2:]
        self.canaries = canaries_of_photo(self.file) + canaries_of(name=name)


def allow(person, *, consent=True, permissions=("album",)):
    """Turn on what jobs need."""
    if consent:
        person.consent("face.effect")
    for name in permissions:
        person.consent(name, kind="permissions")
    return person


def ask(person, *, headers=None, **more):
    """Ask for a job, as often as it takes until there are cells."""
    end = time.monotonic() + 120
    while True:
        answer = person.http.post("/jobs", json=ASKED | more, headers=headers)
        if answer.status_code != 503 or time.monotonic() > end:
            return answer
        time.sleep(float(answer.headers["Retry-After"]) / 4)


def begin(person, *, keys=None, **more):
    """Begin a job; return what was answered."""
    if keys is not None:
        more["result_key"] = base64.b64encode(keys.public_bytes).decode()
    answer = ask(person, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def sealed(job, data):
    return seal(data, base64.b64decode(job["public_key"]), job=job["id"])


def put(person, job, body, *, kind=SEALED):
    return person.http.put(f"/jobs/{job['id']}/photo", content=body, headers={"Content-Type": kind})


def hand_in(person, job, data):
    """Seal a photo, and hand it in."""
    answer = put(person, job, sealed(job, data))
    assert answer.status_code == 202, answer.text
    return answer.json()


def order(do, rest=b"", **options):
    """Return a photo that tells an obedient cell what to do."""
    return json.dumps({"do": do, **options}).encode() + b"\n" + rest


def read(person, job):
    answer = person.http.get(f"/jobs/{job['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_for(person, job, *states, seconds=180):
    """Wait until a job is in one of some states; return its view."""
    end = time.monotonic() + seconds
    while (view := read(person, job))["state"] not in states:
        assert time.monotonic() < end, f"still {view['state']}"
        assert view["state"] not in ENDS - set(states), view
        time.sleep(0.05)
    return view


def follow(person, job, *, last=None):
    """Follow a job's events to their end; return (number, kind, data) for each."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    found, now = [], {}
    with person.http.stream("GET", f"/jobs/{job['id']}/events", headers=headers) as lines:
        assert lines.status_code == 200
        assert lines.headers["content-type"].startswith("text/event-stream")
        for line in lines.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                now[name] = value
            elif "id" in now:
                found.append((int(now["id"]), now["event"], json.loads(now["data"])))
                now = {}
    return found


def receipt_key(person):
    return base64.b64decode(person.http.get("/receipt-key").json()["public_key"])


def ask_ledger(server, question):
    """Ask a server's database."""
    url = server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
    database = Database(url)
    with database.begin() as session:
        answer = session.scalar(question)
    database.close()
    return answer


def ledger(server):
    """Count the lines of the ledger of jobs."""
    return ask_ledger(server, select(func.count()).select_from(Job))
