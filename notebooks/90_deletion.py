# %% [markdown]
# # Deletion that anyone can check
#
# Every service that takes photos says that it deletes them. Nobody outside can see whether it
# does. Here you can: this notebook starts a small service in other processes, gives it a photo of
# a face, and searches its disk and its memory for what is left. Nothing that the service says is
# believed. Then we break its erasing on purpose, in several ways, and the search must find each.
#
# Seven words come up again and again. A *canary* is a short piece of the photo that is searched
# for. An *envelope* is sealed data that one key opens. A *cell* is a process that does one job
# behind walls, and ends. The *fork server* makes the cells. The *desk* is the small service. The
# *client* has the photo and keeps the only key to the result; here it is this notebook. A
# *receipt* is the desk's signed word on what it erased.

# %% tags=["parameters"]
photo = "nobody"
size = 256
seed = 0
fast = True
interactive = True

# %%
import ast
import inspect
import json
import os
import sqlite3
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory

# %%
import numpy as np

# %%
from facekit import decode_image, detect_faces, encode_image, show, synthetic_face
from facekit.canaries import canaries_of
from facekit.cell import Cells
from facekit.desk import Desk
from facekit.envelope import open_sealed, seal, seal_chunks
from facekit.errors import CellError, ErasureError, FacekitError, ReceiptError, SealError
from facekit.keys import KeyPair
from facekit.policy import clause

# %%
from facekit.proof import canaries_of_photo, canaries_of_result, prove
from facekit.receipts import verify_receipt
from facekit.residue import find_residue
from facekit.sweep import Sweep

# %% [markdown]
# Tests of facekit have programs that try to break out of a cell. We use them here, so processes
# that we start must find them, and what we write ourselves. Everything happens in one temporary
# folder, the *room*.

# %%
sys.path.append("../tests")
import captives

room = TemporaryDirectory(prefix="facekit-notebook-")
place = Path(room.name)
(place / "temporary").mkdir()
folders = [str(Path("../tests").resolve()), room.name, os.environ.get("PYTHONPATH", "")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))

# %% [markdown]
# ## What is this step?
#
# After a job, nothing of it is left. The policy promises this in clauses with numbers; the
# [notebook on the policy](97_policy_as_code.ipynb) explains how they become code. These three are
# the heart.

# %%
for number in ("1.2.1c", "1.2.2(4)b", "1.2.3c"):
    print(textwrap.fill(f"{number} · {clause(number).text}", 80), end="\n\n")

# %% [markdown]
# A photo of nobody is drawn for this notebook, so that nothing here can harm anyone. The file is
# what a user would send.

# %%
face = synthetic_face(size, seed=seed) if photo == "nobody" else show.portrait(photo, size)
upload = encode_image(face, "jpeg")
pixels = decode_image(upload)

# %% [markdown]
# ## Why is it so?
#
# ### A search that finds nothing proves nothing
#
# It may have looked in the wrong place, or for the wrong bytes, or could not read what it was
# given. So three things are needed. What is searched for must be something that no file holds by
# chance. It must be looked for in every form that it could take. And the search must first find
# what is there for certain: a *positive control*.
#
# `canaries_of_photo` chooses pieces of 16 to 64 bytes from the file, from its pixels, from the
# points of its face, and the file's digests. Even areas and headers are refused.

# %%
canaries = canaries_of_photo(upload)
forms = {kind: {label.form for label in canaries.labels if label.kind == kind} for kind in canaries.kinds}
for kind, found in forms.items():
    print(f"{kind:10} {len(found):3} forms, such as {', '.join(sorted(found)[:4])}")
assert len(canaries) > 500 and set(forms) == {"hash", "landmarks", "pixels", "upload"}

# %% [markdown]
# Where in the photo do they lie? They are held under a mask, so that whoever holds them is not
# found to hold a photo, and so they do not tell. But a search of the picture, row by row, does. A
# *sweep* is one run of the search: it reads what it is given and keeps book.

# %%
sweep = Sweep(canaries.needles, canaries.labels)
for y, row in enumerate(pixels):
    sweep.scan_bytes(row.tobytes(), str(y))
windows = [(int(hit.place), hit.offset // 3) for hit in sweep.hits() if hit.form == "RGB"]

# %%
points = detect_faces(pixels)[0].points
sweep = sweep.fresh()
for k in range(0, len(points) - 3, 4):
    sweep.scan_bytes(points[k : k + 4].tobytes(), str(k))
dots = [k + n for k in {int(hit.place) for hit in sweep.hits()} for n in range(4)]
assert len(windows) >= 12 and len(dots) >= 48

# %% [markdown]
# Each piece of pixels is eight pixels long and one high; it is drawn three high, in orange. There is
# one in each band of the picture, so that a fragment of a copy still holds some. Smooth parts have
# few, for a piece must not be a ramp that another picture could have as well. The points of the face
# are blue, as far as they are in a piece: four neighbours in the list of points, as eight numbers. A
# copy of the whole list, or of any larger part of it, holds several.

# %%
SCALE = 1024 // size
enlarged = pixels.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
grey = enlarged.mean(axis=2, keepdims=True) * 0.5 + 110
marked = np.repeat(grey, 3, axis=2).astype(np.uint8)
for y, x in windows:
    marked[SCALE * (y - 1) : SCALE * (y + 2), SCALE * x : SCALE * (x + 8)] = (230, 159, 0)
for x, y in (SCALE * points[dots]).astype(int):
    marked[y - 4 : y + 5, x - 4 : x + 5] = (0, 114, 178)

# %%
show.pictures(
    enlarged,
    marked,
    titles=["the photo", "what is searched for"],
    unit="pixels, enlarged",
    alt="A face of nobody; the same in grey with short orange bars all over and blue points on the face.",
)

# %%
if size == 256 and photo == "nobody":
    print(show.check("90_canaries", marked))

# %% [markdown]
# ### Planted, and found
#
# Now we plant pieces of the photo the way that careless programs do: a fragment in a temporary file,
# a row of a database that was deleted, a line in a log, pixels in a packed array, points in the
# memory of a process. None of these is far-fetched. Frameworks write large uploads to temporary files,
# debug logs print what came in, caches pack arrays, and databases leave deleted rows in their files
# until the space is needed again.

# %%
planted = place / "planted"
planted.mkdir()
(planted / "upload.tmp").write_bytes(upload[len(upload) // 3 :])
(planted / "app.log").write_text(f"debug: got {upload.hex()}\n")
np.savez_compressed(planted / "cache.npz", pixels=pixels)

# %%
with closing(sqlite3.connect(planted / "jobs.sqlite", isolation_level=None)) as database:
    database.execute("PRAGMA secure_delete = OFF")
    database.execute("CREATE TABLE job (photo BLOB)")
    database.execute("INSERT INTO job VALUES (?)", [upload])
    database.execute("DELETE FROM job")
    assert database.execute("SELECT count(*) FROM job").fetchone() == (0,)

# %%
HOLD = "import sys; held = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); input()"
holder = Popen([sys.executable, "-c", HOLD, str(points.nbytes)], stdin=PIPE, stdout=PIPE)  # noqa: S603
holder.stdin.write(points.tobytes())
holder.stdin.flush()
holder.stdout.readline()

# %% [markdown]
# `find_residue` searches all of it at once. Before that it plants random secrets of its own, and
# must find them: `report.control` lists where. That is the control of the search itself, and it is
# made anew each time. A report never says what was found, only where, in which form and how often:
# it would otherwise be one more copy.

# %%
report = find_residue(canaries, folders=[planted], processes=[holder.pid], usual=False)
names = ["upload.tmp", "jobs.sqlite", "app.log", "cache.npz", "process"]
hits = {(name, hit.kind) for name in names for hit in report.hits if name in hit.place.split("/")[-1]}
print(report.state, "·", len(report.control), "kinds of places in the control")

# %% [markdown]
# Colours and words say the same in the tables of this notebook, so nobody needs the colours.


# %%
LOOKS = {"in clear": "#E69F00", "sealed": "#9CCBEA", "nothing": "#EEEEEE", "not readable": "#C8C8C8"}


def table(rows, columns, states, *, title, x, y, height=0.42):
    """Draw a table of states: `states` has one for each row and column."""
    figure, axes = show.canvas(size=(8, height * len(rows) + 1.0))
    colours = [[LOOKS[states[row, column]] for column in columns] for row in rows]
    rgb = [[[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in line] for line in colours]
    axes.imshow(np.array(rgb, np.uint8), aspect="auto")
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            bold = "bold" if states[row, column] == "in clear" else "normal"
            axes.text(j, i, states[row, column], ha="center", va="center", weight=bold)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title(title, loc="left")
    axes.set(xlabel=x, ylabel=y)
    return figure


# %%
kinds = ["upload", "pixels", "landmarks"]
states = {(n, k): "in clear" if (n, k) in hits else "nothing" for n in names for k in kinds}
figure = table(names, kinds, states, title="What was planted is found", x="kind of piece", y="place")
show.View(figure, "Each of five places has pieces found in it, each of the kind that was planted there.")

# %% [markdown]
# The deleted row is the one to remember: the database says that there is no row, and the bytes are
# still in its file. Each place was found, with the kind that was put there. When all is gone, the
# same search finds nothing.

# %%
want = dict(zip(names, ["upload", "upload", "upload", "pixels", "landmarks"], strict=True))
assert hits == set(want.items())
holder.communicate(b"\n")
for path in planted.iterdir():
    path.unlink()
assert find_residue(canaries, folders=[place], usual=False).state == "clean"

# %% [markdown]
# ### An envelope
#
# The photo does not travel or lie anywhere as it is. `seal` encrypts it to a public key, for one
# job and one direction: HPKE (RFC 9180) for the key, and an authenticated cipher for the data, in
# chunks. We seal the raw pixels, so that one can see what happens to them.

# %%
keys = KeyPair.generate()
raw = pixels.tobytes()
envelope = seal(raw, keys.public_bytes, job="41c8")
noise = np.frombuffer(envelope[-len(raw) :], np.uint8).reshape(pixels.shape)


# %% [markdown]
# The *entropy* of bytes says how many bits each one carries, if all that you know is how often each
# value comes. Of even noise it is 8.


# %%
def entropy(data):
    share = np.bincount(np.frombuffer(data, np.uint8), minlength=256) / len(data)
    return -(share[share > 0] * np.log2(share[share > 0])).sum()


# %%
figure, (left, middle, right) = show.canvas(1, 3, size=(9, 3.3))
for axes, image, title in ((left, pixels, "what is sealed"), (middle, noise, "what is sent")):
    axes.imshow(image)
    axes.set(xlabel="x, pixels", ylabel="y, pixels", xticks=[0, size - 1], yticks=[0, size - 1])
    axes.set_title(title, loc="left")

# %%
for data, name, colour in ((raw, "photo", 1), (envelope, "envelope", 0)):
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    right.plot(100 * counts / len(data), label=name, color=show.COLOURS[colour], linewidth=1)
right.set(xlabel="value of a byte", ylabel="share of bytes, %", ylim=(0, 2.5))
right.set_title("share of each value", loc="left")
right.set_box_aspect(1)
right.legend(frameon=False)
show.View(figure, "A photo; the same sealed, which is noise; how often each byte comes.", photo=True)

# %%
assert entropy(raw) < 7.9 < 7.99 < entropy(envelope)
assert open_sealed(envelope, keys, job="41c8") == raw

# %% [markdown]
# Who changes anything gets nothing. One bit is flipped, at a few hundred places; the envelope is
# cut, lengthened, put in another order, opened for another job, in the other direction, or with
# another key. Each is refused by a `SealError`. It does not say which of these it was, because such
# an answer would help somebody who tries.


# %%
def is_refused(envelope, keys=keys, job="41c8", direction="upload"):
    try:
        open_sealed(envelope, keys, job=job, direction=direction)
    except SealError:
        return True
    return False


# %%
small = b"".join(seal_chunks(upload[:5000], keys.public_bytes, job="41c8", chunk_size=1024))
bits = range(0, 8 * len(small), 97)
flipped = (small[: n // 8] + bytes([small[n // 8] ^ 1 << n % 8]) + small[n // 8 + 1 :] for n in bits)
assert not is_refused(small) and all(map(is_refused, flipped))

# %%
chunk = 1024 + 16  # data, and the tag that authenticates them
body = len(small) - 4 * chunk - (5000 % 1024 + 16)
other_order = small[:body] + small[body + chunk : body + 2 * chunk] + small[body : body + chunk]
assert is_refused(other_order + small[body + 2 * chunk :])
assert is_refused(small[:-chunk]) and is_refused(small + b"\0")

# %%
assert is_refused(small, job="41c9") and is_refused(small, direction="result")
assert is_refused(small, keys=KeyPair.generate())

# %% [markdown]
# ### One process for one job
#
# Python cannot wipe its memory: each step leaves copies behind. Decoding makes some, numpy makes some,
# and the landmarker keeps what it likes. The end of a process frees them all, whatever happened in it,
# and the kernel hands no page to another process before it is zeroed. So each job gets a cell. It is
# forked from a server that has loaded everything and never sees a photo; it makes its own key, opens
# one envelope, and ends. A fork costs a few milliseconds, so this is no luxury.
#
# The photo is a stranger's file, and a decoder that it takes over must not be able to send, write or
# stay. So a cell has walls. Each is tried when it is raised, and the table says what holds it on this
# machine. Another may have fewer means. One that lacks a wall refuses to start, unless it is told
# otherwise.

# %% tags=["nbval-ignore-output"]
cells = Cells(count=2, works=captives.WORKS, seconds=4).start()
for wall in cells.walls:
    name, _, means = wall.partition(": ")
    print(f"{name:10} {means}")

# %% [markdown]
# The *works* of these cells are not swaps, but captives: programs that try to get out.


# %%
def ask(work, **options):
    """Have a fresh cell do something with a piece of the photo; return what comes back."""
    lease = cells.lease()
    envelope = seal(upload, lease.public_key, job=lease.job)
    return bytes(cells.run(lease, envelope, work, options).open())


# %%
came = {way: ask("tries", way=way).decode() for way in captives.ATTEMPTS}
assert len(came) >= 20 and all(answer.startswith("stopped: ") for answer in came.values())

# %% [markdown]
# The positive control: three of the ways that do no harm are open outside of a cell. So it is the
# walls that stop them in there, and not a mistake in how they are tried.

# %%
for way in ("write memory file", "read passwd", "write to null"):
    captives.ATTEMPTS[way]()  # raises no error here

# %% [markdown]
# The table has what the kernel said to each. `EPERM` and `EACCES` mean that it is not permitted,
# `ENOSYS` that for this process there is no such call, `EFBIG` that not one byte may be written, and
# `EHOSTUNREACH` that no name server answered.

# %%
WIDE = 4
rows = -(-len(came) // WIDE)
figure, axes = show.canvas(size=(9, 0.5 * rows + 0.7))
for n, (way, answer) in enumerate(came.items()):
    x, y = n % WIDE, n // WIDE
    axes.text(x, y - 0.17, way, ha="center", va="center", weight="bold")
    axes.text(x, y + 0.2, answer.removeprefix("stopped: "), ha="center", va="center", color=show.COLOURS[0])

# %%
axes.hlines(np.arange(1, rows) - 0.5, -0.5, WIDE - 0.5, color="#DDDDDD", linewidth=0.8)
axes.set(xlim=(-0.5, WIDE - 0.5), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[])
axes.set(xlabel="each way was tried in a cell of its own", ylabel="ways out")
axes.spines[:].set_visible(False)
axes.set_title("No way leads out of a cell, and this is what the kernel said", loc="left")
show.View(figure, "A table of ways out of a cell, each with the error by which the kernel refused it.")

# %% [markdown]
# What a cell does to itself ends with it. A crash of native code, four gibibytes of memory and an
# endless loop each end their cell, and the next job is served.


# %%
def ending(work, **options):
    try:
        return ask(work, **options)
    except CellError as error:
        return type(error).__name__


# %%
ends = {
    "crash": ending("crash"),
    "4 GiB": ending("allocate", bytes=4 * 2**30),
    "endless loop": ending("loop"),
}
print(*(f"{what}: {end}" for what, end in ends.items()), sep="\n")
assert set(ends.values()) == {"CellCrashedError", "CellMemoryError", "CellTimeoutError"}
assert ask("echo") == upload

# %% [markdown]
# And a way of your own: write it into the function below. Its source is put where the cells find it,
# in the folder of this notebook's session.


# %%
def write_module(name, *functions, end=""):
    """Write functions of this notebook into a module that other processes can import."""
    parts = [*map(inspect.getsource, functions), end]
    (place / f"{name}.py").write_text("\n\n".join(parts))


# %%
def my_way(photo, options, tell):
    """Try to send the photo to a web server."""
    import errno
    import socket

    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1).sendall(photo)
    except OSError as error:
        return f"stopped: {errno.errorcode[error.errno]}".encode()
    return b"went through"


# %%
write_module("mine", my_way)
cells.close()
with Cells(count=1, works={"mine": "mine:my_way"}) as cells:
    assert ask("mine").startswith(b"stopped")

# %% [markdown]
# ## How do I know that it is right?
#
# ### One job, from lease to receipt
#
# A desk does what a service does, in as few lines as possible: it leases a cell to a client,
# takes the sealed photo, keeps it on disk only under a duty to erase it, has the cell work, keeps
# the sealed result until the client has it, and signs a receipt. Before the first byte lies on
# the disk, the duty to erase it does: a row in a ledger, with a random number and a time, and nothing
# else. Whoever wants to believe nothing reads one file, `facekit/desk.py`.
#
# The work is a swap that waits before it warps, until a file appears. So we can look at the moment
# when a cell has the most in its memory, and no clock is involved.


# %%
def patient(photo, options, tell):
    """A swap that waits before it warps."""
    import time
    from pathlib import Path

    from facekit import works

    def told(stage):
        tell(stage)
        while stage == "warp" and not Path(options["until"]).exists():
            time.sleep(0.02)

    return works.swap(photo, {"template": "stamp", "format": "webp"}, told)


# %%
write_module("patience", patient, end="from facekit.works import prepare")
settings = {"count": 1, "works": {"patient": "patience:patient"}}
desk = Desk(place / "desk", settings, temporary=place / "temporary")
go = place / "go"

# %% [markdown]
# First without any waiting, and with a clock. The client leases, seals, runs, fetches, opens and
# acknowledges. It notes when each stage began; the receipt has when each thing was seen to be gone.

# %%
go.touch()
clock = {"lease": datetime.now(UTC)}
ticket = desk.lease()
sealed = seal(upload, ticket.public_key, job=ticket.job)
clock["sent"] = datetime.now(UTC)
desk.run(
    ticket.job,
    sealed,
    "patient",
    {"until": str(go)},
    result_key=keys.public_bytes,
    progress=lambda stage: clock.setdefault(stage, datetime.now(UTC)),
)
clock["done"] = datetime.now(UTC)

# %%
time.sleep(0.15)  # the result waits at the desk, as for a client that has other things to do
result = open_sealed(desk.fetch(ticket.job), keys, job=ticket.job, direction="result")
text = desk.acknowledge(ticket.job)
clock["receipt"] = datetime.now(UTC)
receipt = verify_receipt(text, desk.receipt_key)

# %%
gone = {str(row.what): row.at for row in receipt.erased}
end = (clock["receipt"] - clock["lease"]).total_seconds() * 1.08
spans = {
    "photo, at the client": ("lease", end),
    "sealed upload, on disk": ("sent", gone["upload-stored"]),
    "photo in clear, in the cell": ("opened", gone["cell"]),
    "sealed result, on disk": ("done", gone["result-stored"]),
}


# %%
def seconds(moment):
    at = clock.get(moment, moment) if isinstance(moment, str) else moment
    return at if isinstance(at, float) else (at - clock["lease"]).total_seconds()


# %%
figure, axes = show.canvas(size=(9, 3.0))
for y, (name, (first, last)) in enumerate(spans.items()):
    colour = LOOKS["sealed"] if "sealed" in name else LOOKS["in clear"]
    axes.barh(y, max(seconds(last) - seconds(first), 0.004), left=seconds(first), height=0.55, color=colour)
stages = [name for name in clock if name not in ("lease", "sent", "done", "receipt")]
for name in stages:
    axes.plot([seconds(name)] * 2, [1.73, 2.27], color="black", linewidth=0.8)

# %%
for name in ("lease", "done", "receipt"):
    axes.axvline(seconds(name), color="#999999", linewidth=0.8, linestyle=":", zorder=0)
    axes.text(seconds(name), -0.55, name, ha="center", color="#555555")
axes.text(seconds(stages[0]), 2.55, "ticks: " + ", ".join(stages), color="#555555", va="center", fontsize=8)
axes.set_yticks(range(len(spans)), spans)
axes.set(ylim=(len(spans) - 0.5, -0.8), xlim=(-0.04 * end, end))
axes.set(xlabel="time after the lease, seconds", ylabel="what there is, and where")
axes.set_title("What is where, and for how long: orange in clear, blue sealed", loc="left", pad=12)
show.View(figure, "Four bars over time. The upload's is short, the cell's ends before the result's begins.")

# %% [markdown]
# The order of these moments is the promise, and holds whatever the machine's speed: the upload goes
# as soon as the cell has opened it, the cell ends before its result counts as done, and the result
# goes before there is a receipt.

# %%
order = [clock["sent"], gone["upload-stored"], gone["cell"], clock["done"], gone["result-stored"]]
assert order == sorted(order) and receipt.issued >= max(gone.values())
assert decode_image(bytes(result)).shape[2] == 3

# %% [markdown]
# ### Searched at each moment
#
# Now the same job again, and at four moments everything is searched: the disk, and the memory of
# the desk, of the fork server, of the cells and of the client. There are two searches: for the
# photo in clear, and for the sealed bytes.

# %%
desk_pid, server_pid, *_ = desk.processes()
WHO = {str(os.getpid()): "client", str(desk_pid): "desk", str(server_pid): "fork server"}
PLACES = ["disk", "desk", "fork server", "cells", "client"]
seen = {}


def whose(found):
    kind, *rest = found.place.split()
    return WHO.get(rest[0], "cells") if kind == "process" else "disk"


# %% [markdown]
# A process that waits may not be read by everybody. Where the system forbids it, the search says so,
# and the table says "not readable", which is never counted as clean. As root, or in a shell of
# `unshare -r`, all can be read.


# %%
def look(moment, clear, sealed):
    """Search everywhere, and put down the worst of each place."""
    where = {"folders": [place], "processes": [os.getpid(), *desk.processes()], "usual": False}
    in_clear, as_sent = find_residue(clear, **where), find_residue(sealed, **where)
    seen.update({(one, moment): "nothing" for one in PLACES})
    seen.update({(whose(hit), moment): "sealed" for hit in as_sent.hits})
    seen.update({(whose(one), moment): "not readable" for one in in_clear.unread})
    seen.update({(whose(hit), moment): "in clear" for hit in in_clear.hits})


# %%
go.unlink()
ticket = desk.lease()
sealed = seal(upload, ticket.public_key, job=ticket.job)
sent = canaries_of(upload=sealed)
look("leased", canaries, sent)

# %%
waiting = ThreadPoolExecutor(1)
stages = []
running = waiting.submit(
    desk.run,
    ticket.job,
    sealed,
    "patient",
    {"until": str(go)},
    result_key=keys.public_bytes,
    progress=stages.append,
)

# %%
while "warp" not in stages and not running.done():
    time.sleep(0.02)
look("at work", canaries, sent)
go.touch()
running.result()

# %%
waiting_result = desk.fetch(ticket.job)
result = bytes(open_sealed(waiting_result, keys, job=ticket.job, direction="result"))
clear = canaries + canaries_of_result(result, "stamp")
sent += canaries_of(result=waiting_result)
look("result waits", clear, sent)

# %%
second = verify_receipt(desk.acknowledge(ticket.job), desk.receipt_key)
look("delivered", clear, sent)

# %% tags=["thumbnail"]
moments = ["leased", "at work", "result waits", "delivered"]
figure = table(
    PLACES, moments, seen, title="Where the photo is, moment by moment", x="moment of the job", y="searched"
)
show.View(figure, "The photo is in clear at the client always and in the cells at work; on disk only sealed.")

# %% [markdown]
# The client has the photo, so the search must find it there: the positive control of the whole. In
# the cell it must be found while the cell works. Nowhere else, at no moment, may it be in clear. That
# the desk's memory holds sealed bytes is no fault: they pass through its hands, and their keys never
# do. After delivery the disk holds not even those.

# %%
assert all(seen["client", moment] == "in clear" for moment in moments)
assert seen["cells", "at work"] in ("in clear", "not readable")
others = [state for spot, state in seen.items() if spot[0] != "client" and spot != ("cells", "at work")]
assert "in clear" not in others
assert seen["disk", "result waits"] == "sealed" and seen["disk", "delivered"] == "nothing"

# %% [markdown]
# ### The receipt
#
# The receipt lists what was erased and how. It is written after looking: the file is gone, the
# process has ended. Where that is not so there is no receipt, but an error and an open duty.

# %%
for row in receipt.erased:
    print(f"{row.what.words}: {row.how.words}")
print(f"outcome {receipt.outcome}; upload {receipt.upload}; result for the {receipt.result_key}'s key")

# %% [markdown]
# It also says what nobody can promise.

# %%
for limit in receipt.limits:
    print(textwrap.fill(limit, 90, initial_indent="- ", subsequent_indent="  "))

# %% [markdown]
# The signature (Ed25519) is over every letter. The key that checks it must come on another way than
# the receipt, or a forger would send both. We change each letter of the receipt in turn, and
# each forgery is refused. So is another key.


# %%
def holds(text, key=desk.receipt_key):
    try:
        verify_receipt(text, key)
    except ReceiptError:
        return False
    return True


# %%
letters = [text[:n] + chr(ord(text[n]) ^ 1) + text[n + 1 :] for n in range(len(text))]
assert holds(text) and not any(map(holds, letters))
assert not holds(text, KeyPair.generate().public_bytes)

# %% [markdown]
# What does it not say? Nothing about the picture: no name, size, digest or count. Otherwise the proof
# of erasure would itself be a trace of the face. Two receipts of any two jobs that went well
# differ in their random number, in their times, and in the signature over these.

# %%
first, other = json.loads(text), json.loads(second.to_json())
for document in (first, other):
    document["erased"] = [{key: row[key] for key in ("what", "how")} for row in document["erased"]]
assert {key for key in first if first[key] != other[key]} == {"job", "issued", "signature"}
desk.close()

# %% [markdown]
# ### Break it, and see it found
#
# A proof that cannot fail proves nothing. So here are five desks. One is as it should be. Each of the
# others does a single thing wrong that a careless change could do. They replace a function of
# facekit, in a process of their own, so that nothing is changed here. Edit them as you like, and run
# the cells again: their source is written to a file, and runs as a desk.


# %%
def as_it_should_be():
    """Change nothing."""


# %%
def keep_the_upload():
    """Forget to erase the upload once the cell has opened it."""
    from facekit.scratch import Scratch

    erase = Scratch.erase
    Scratch.erase = lambda self, what: what == "upload-stored" or erase(self, what)


# %%
def keep_the_files():
    """Say of every sealed file that it was erased, and leave it."""
    from facekit import scratch, shelf

    shelf.Kept.erase = scratch.Scratch._erase_forgotten = lambda *_: None  # noqa: SLF001


# %%
def after_each_run(act):
    """Have the desk do something with each result."""
    from facekit.pool import Cells

    run = Cells.run
    Cells.run = lambda self, *args, **options: act(run(self, *args, **options))


# %%
def open_the_result():
    """Open the result in the desk, where it has no business to be open."""
    kept = []
    after_each_run(lambda result: kept.append(result.open()) or result)


# %%
def write_to_the_disk():
    """Keep what came out, in clear, to look at some other day."""
    import sys
    from pathlib import Path

    debug = Path(sys.argv[1], "debug.bin")
    after_each_run(lambda result: debug.write_bytes(result.open()) and result)


# %%
MUTATIONS = [as_it_should_be, keep_the_upload, keep_the_files, open_the_result, write_to_the_disk]
RUN = "import sys\nfrom facekit import desk\nglobals()[sys.argv.pop(1)]()\ndesk.main()\n"
write_module("mutated", after_each_run, *MUTATIONS, end=RUN)


# %% [markdown]
# The work is as simple as can be: it waits for a file, and gives the photo back. At each desk three
# checks are made. While the cell works: is the sealed upload still on disk? While the result
# waits: is anything in clear in the desk's memory? After delivery: is anything on disk? The last
# column says whether the desk signed a receipt.


# %%
def wait(photo, options, tell):
    """Wait for a file, and give the photo back."""
    import time
    from pathlib import Path

    tell("wait")
    while not Path(options["until"]).exists():
        time.sleep(0.02)
    return bytes(photo)


# %%
write_module("waiting", wait)
SETTINGS = {"count": 1, "standby": 1, "works": {"wait": "waiting:wait"}}
CHECKS = ["upload, at work", "desk's memory", "disk, delivered", "receipt"]


def open_desk(name, folder):
    command = (sys.executable, str(place / "mutated.py"), name)
    return Desk(folder, SETTINGS, temporary=place / "temporary", python=command)


# %%
def hand_in(desk, until, progress=str):
    """Lease, seal and run, in another thread; return the ticket, the envelope and the run."""
    ticket = desk.lease()
    sealed = seal(upload, ticket.public_key, job=ticket.job)
    run = waiting.submit(desk.run, ticket.job, sealed, "wait", {"until": str(until)}, progress=progress)
    return ticket, sealed, run


# %%
def state(canaries, **where):
    report = find_residue(canaries, usual=False, **where)
    return "sealed" if report.hits and canaries is not clear else "in clear" if report.hits else "nothing"


# %%
def signed(desk, job):
    try:
        return "signed" if desk.acknowledge(job) else "none"
    except ErasureError:
        return "none"


# %%
def checked(name, folder):
    """Do one job at a desk; return what the three checks see."""
    go.unlink(missing_ok=True)
    stages = []
    with open_desk(name, folder) as desk:
        ticket, sealed, run = hand_in(desk, go, stages.append)
        while "wait" not in stages and not run.done():
            time.sleep(0.02)
        sent = canaries_of(upload=sealed)
        at_work = state(sent, folders=[folder])
        go.touch()
        run.result()
        memory = state(clear, processes=[desk.pid])
        sent += canaries_of(result=desk.fetch(ticket.job))
        receipt = signed(desk, ticket.job)
        left = state(clear, folders=[folder]), state(sent, folders=[folder])
    return at_work, memory, "in clear" if "in clear" in left else left[1], receipt


# %%
verdicts = {}
desks = [mutation.__name__ for mutation in MUTATIONS]
for name in desks:
    found = checked(name, place / name)
    verdicts.update({(name, check): one for check, one in zip(CHECKS, found, strict=True)})

# %%
LOOKS |= {"signed": "#EEEEEE", "none": "#EEEEEE"}
figure = table(
    desks, CHECKS, verdicts, title="Each careless change is found by a search", x="check", y="desk"
)
show.View(figure, "The desk as it should be has nothing anywhere; each mutation is found by one check.")

# %% [markdown]
# Each is found, and the desk as it should be has nothing anywhere. The last is found twice: what it
# opened is still in its memory. Now look at the last column. The first mutation gets no receipt, for
# the desk sees on leaving that a file was still there, erases it late, and does not sign. The other
# three have *signed* receipts, every letter of which holds. A receipt is a promise that somebody can
# be held to. The proof is the search.

# %%
wrong = {spot: found for spot, found in verdicts.items() if found not in ("nothing", "signed")}
must = {
    ("keep_the_upload", "upload, at work"): "sealed",
    ("keep_the_upload", "receipt"): "none",
    ("keep_the_files", "upload, at work"): "sealed",
    ("keep_the_files", "disk, delivered"): "sealed",
    ("open_the_result", "desk's memory"): "in clear",
    ("write_to_the_disk", "disk, delivered"): "in clear",
}
assert wrong.items() >= must.items()
assert not [name for name, _ in wrong if name == "as_it_should_be"]

# %% [markdown]
# ### Killed at any moment
#
# A desk that is killed cannot tidy up. So the duty to erase is written down before the first byte,
# and keys are in memory only: what a killed desk leaves on disk nobody can open any more. The cells
# end with it, by the kernel's hand. A job that was under way is lost on purpose; its client sends the
# photo again. At its next start the desk compares ledger and folder, and erases what it finds. We
# kill it at random moments of a job, as a power cut would, look, and start it again.


# %%
def killed(folder, after):
    """Kill a desk in the middle of a job, or while the result waits; return what is left on disk."""
    with open_desk("as_it_should_be", folder) as desk:
        *_, run = hand_in(desk, go if after is None else place / "never")
        run.result() if after is None else time.sleep(after)
        desk.kill()
        with suppress(FacekitError):
            run.result()
    return state(clear, folders=[folder]), len(list((folder / "sealed").iterdir()))


# %%
def restarted(folder):
    """Start a desk where another was killed; return whether all files go within five seconds."""
    deadline = time.monotonic() + 5
    with open_desk("as_it_should_be", folder):
        while list((folder / "sealed").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not list((folder / "sealed").iterdir())


# %% [markdown]
# First while the result waits, when there is something on the disk for certain; then whenever.

# %%
chance = np.random.default_rng(seed)
for after in (None, *chance.uniform(0, 0.3, 1 if fast else 12)):
    found, files = killed(place / "killed", after)
    assert found == "nothing" and (files or after)
    assert restarted(place / "killed")

# %% [markdown]
# ### Twelve statements
#
# The project says twelve things about deletion:
#
# 1. Within a second of the analysis, no byte of the upload is anywhere that was searched, and after
#    the cell's end none is in the memory of any process.
# 2. Within a second of delivery, failure, cancelling or the deadline, no byte of the result is.
# 3. At no time does the memory of the desk hold a byte of a sealed photo in clear.
# 4. The cell, the desk or both are killed at random moments: nothing in clear is ever on disk, and
#    after a new start not even sealed bytes.
# 5. Many jobs leave no point, no count of faces, no file name and no digest in anything durable.
# 6. Inside a cell, connecting, writing, forking, four gibibytes and an endless loop all fail, and the
#    desk goes on.
# 7. A picture that crashes the decoder ends its cell alone.
# 8. Two jobs with the same photo never meet.
# 9. An envelope that was altered, cut, put in another order or sent again is refused.
# 10. A receipt that was forged or edited does not hold.
# 11. Without the erasing, these tests fail.
# 12. A full disk, a read-only one and a missing permission end in an error and an open duty, and never
#     in a receipt.
#
# Each is proved by a test that can fail, or by more than one. Those tests start real desks and kill
# real processes; this notebook has shown most of them in small. Here is where each is proved.

# %%
tree = ast.parse(Path("../tests/test_statements.py").read_text())
found = [node.value for node in tree.body if ast.unparse(node).startswith("STATEMENTS = ")]
proofs = ast.literal_eval(found[0])
for number, tests in proofs.items():
    print(f"{number:2}", *(test.split("::")[-1] for test in tests.split()), sep="\n   ")
assert list(proofs) == list(range(1, 13))

# %% [markdown]
# You need no notebook for this, and no trust in this one:
#
# - `make proof` does one job from end to end and searches, in less than a minute; `make proof-full`
#   adds hundreds of kills and a thousand jobs.
# - `facekit proof me.jpg` does the same with a photo of yours, and `--usual` also searches the places
#   where programs leave things behind.
# - `facekit residue --pattern me.jpg --folder FOLDER` searches for what is left of a photo wherever
#   you say, and `facekit receipt` verifies a receipt.
#
# Or here, with a photo of your own. It stays in the kernel: neither it nor the answer is saved with
# the notebook.


# %%
def proved(image):
    """Do a job with a picture, search, and draw what each search said."""
    proof = prove(encode_image(image, "jpeg"))
    found = {name: report.state for name, report in proof.searches.items()}
    states = {(name, "found"): "in clear" if one == "found" else "nothing" for name, one in found.items()}
    unread = {(name, "found"): "not readable" for name, one in found.items() if one == "incomplete"}
    figure = table(list(found), ["found"], states | unread, title="A proof", x="what", y="search")
    return decode_image(show.View(figure, "What each search found.").encoded())


# %%
alt = "A table: the control has found the photo, the other searches nothing."
own = show.Upload(proved, alt=alt, interactive=interactive)
own

# %% [markdown]
# We play the browser, and hand in the photo of nobody.

# %%
answer = own.give(encode_image(face, "png"))
assert own.answer == "Done." and answer is not None

# %% [markdown]
# ## What can go wrong
#
# **The search looks for copies, not for likenesses.** A picture that was made smaller has other bytes.
# Who keeps thumbnails is not found by canaries of the photo, but by those of the thumbnail. That is
# why the search of a job looks for the result as well.

# %%
half = pixels.reshape(size // 2, 2, size // 2, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
thumbnail = planted / "thumbnail.bmp"
thumbnail.write_bytes(encode_image(half, "bmp"))
assert state(canaries, folders=[planted]) == "nothing"
assert find_residue(canaries_of(pixels=half), folders=[planted], usual=False).state == "found"
thumbnail.unlink()

# %% [markdown]
# **Something could not be read.** Then the search is *incomplete*, and never clean. The process below
# has ended, so nobody can say what was in its memory.

# %%
report = find_residue(canaries, processes=[holder.pid], usual=False)
assert report.state == "incomplete" and len(report.unread) == 1

# %% [markdown]
# **The client keeps it.** This notebook has held the photo all the time. What your own devices keep
# is yours to delete, and a receipt says so.
#
# **The operator runs other software.** A receipt that holds means that this software said so, after
# looking. Who runs a changed desk can sign anything, as three of the mutations did. From outside, no
# signature can tell that.
#
# **The machine keeps copies.** Memory may have gone to a swap file or into a snapshot of a virtual
# machine, and a solid-state disk keeps overwritten blocks for a while. What was on disk was sealed,
# and its key was not; what was in memory is out of reach here. The
# [threat model](../docs/threat-model.md) says who attacks what, what is held by what, and what is
# out of reach.
#
# ## How fast is it?
#
# The cost of a search is that of reading. It looks for all canaries in one pass, so twice as many
# take less than twice as long.

# %%
data = np.random.default_rng(seed).bytes(2**22)
some, many = (Sweep(one.needles, one.labels) for one in (canaries, canaries + clear))
few_s, many_s = show.best_times(lambda: some.scan_bytes(data, "data"), lambda: many.scan_bytes(data, "data"))
print("twice as many canaries take less than twice as long:", bool(many_s < 2 * few_s))
assert many_s < 2 * few_s

# %% [markdown]
# The session ends here: processes have ended, and the room goes.

# %%
waiting.shutdown()
keys.erase()
room.cleanup()
assert not place.exists()

# %% [markdown]
# ## Exercises
#
# 1. In the table of moments, why is the client orange even after delivery, and why is that good?
#
# <details><summary>Answer</summary>
# It has the photo, so a search that works must find it there. Were the client clean, the other clean
# rows would prove nothing: the search might be blind.
# </details>
#
# 2. Write a mutation that keeps the landmarks of each face in a module of the desk. Which check finds
#    it?
#
# <details><summary>Answer</summary>
# None needs to: the desk never has landmarks, for it never opens the upload. One must first break
# more, such as the seal. That is the point of the design: what a process never has, it cannot forget
# to erase.
# </details>
#
# 3. A service encrypts results and deletes the key instead of the file. Is that deletion?
#
# <details><summary>Answer</summary>
# As far as the key was nowhere else, and stays so. Here both are done: the key was never on disk, and
# the file is overwritten and unlinked. A search finds sealed bytes that were left, so that one does
# not have to trust the key's end.
# </details>
#
# 4. Make `my_way` get something out of a cell that is not its result.
#
# <details><summary>Answer</summary>
# A side channel: how long it works tells something, and so does how much processor time it takes. That is
# why the receipt does not say when the work began. Nothing here closes such channels to somebody who
# owns the machine.
# </details>
#
# ## References
#
# - R. Barnes, K. Bhargavan, B. Lipp, C. Wood, *Hybrid Public Key Encryption*, RFC 9180, 2022.
# - S. Josefsson, I. Liusvaara, *Edwards-Curve Digital Signature Algorithm*, RFC 8032, 2017.
# - S. Garfinkel, A. Shelat, *Remembrance of Data Passed: A Study of Disk Sanitization Practices*, IEEE
#   Security & Privacy 1(1), 2003, [doi:10.1109/MSECP.2003.1176992](https://doi.org/10.1109/MSECP.2003.1176992).
# - J. Chow, B. Pfaff, T. Garfinkel, K. Christopher, M. Rosenblum, *Understanding Data Lifetime via
#   Whole System Simulation*, USENIX Security 2004: what processes leave in memory.
