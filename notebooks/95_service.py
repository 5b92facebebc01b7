# %% [markdown]
# # A service that lets you go
#
# The other notebooks swap faces on your own machine. Most people will not: they have a phone, and a
# service does the work. Then the photo leaves their hands, and somebody else says what becomes of it.
# This notebook starts such a service in a process of its own and uses it as a person would, from the
# first page to the last: accept its policy, sign in, consent, send a photo, get the picture, see
# everything that is held, and leave. At each step it looks whether what the service says is so.
#
# Six words come up again and again. The *service* is the other process. The *client* is the part that
# you hold; here it is this notebook. An *account* is what the service knows of a person. A *purpose* is
# something that the service may do only with consent. A *job* is one photo and what is made of it. A
# *receipt* is the service's signed word on what it erased. How a job is kept from leaving anything
# behind is the subject of the [notebook on deletion](90_deletion.ipynb), and is taken for granted here.

# %% tags=["parameters"]
photo = "nobody"
size = 256
seed = 0
fast = True
interactive = True

# %%
import json
import os
import textwrap
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

# %%
from facekit import canaries_of, decode_image, encode_image, find_residue, load_template, show, synthetic_face
from facekit.client import Client
from facekit.envelope import open_sealed
from facekit.errors import InputError, ReceiptError, SealError, ServiceRefusedError
from facekit.keys import KeyPair
from facekit.local_service import LocalService
from facekit.policy import clause
from facekit.proof import canaries_of_photo
from facekit.receipts import verify_receipt

# %% [markdown]
# ## What is this step?
#
# Around the mathematics stands a thin layer that knows people: who they are, what they have agreed to,
# what was done for them, and what they may ask for. The policy promises how it behaves. These three
# clauses are the bones of what follows.

# %%
for number in ("P-3", "1.2.2(4)b", "5.3(1)"):
    print(textwrap.fill(f"{number} · {clause(number).text}", 80), end="\n\n")

# %% [markdown]
# `LocalService` runs `facekit serve`, the command that anybody would use. All that it writes lies in
# one temporary folder, the *room*, so that it can be searched. Text messages would go to a phone; here
# they appear on the service's terminal, where `service.code` reads them.

# %%
room = TemporaryDirectory(prefix="facekit-notebook-")
service = LocalService(room.name, {"CELLS": "1", "STANDBY": "1"})
client = Client(service.url, receipt_key=service.receipt_key)
assert service.url.startswith("http://127.0.0.1:") and len(service.processes()) >= 2

# %% [markdown]
# The client was given the key that receipts must be signed with, out of the service's folder. Had it
# asked the service for that key, it would believe whoever answers. And it would not talk to a service
# on another machine without TLS.

# %%
try:
    Client("http://faces.example.org")
except InputError as error:
    print(error)

# %% [markdown]
# ## Why is it so?
#
# ### To accept is not to consent
#
# Whoever comes to the service has not agreed to anything yet. So it does nothing for them but show its
# policy. To ask for a code, the first step of signing in, is refused. A refusal is a value that
# programs can read: `type` names its kind, `detail` says what to do.


# %%
def refused(ask, *arguments, **options):
    """Return the kind of the refusal that something ends in."""
    try:
        ask(*arguments, **options)
    except ServiceRefusedError as refusal:
        return refusal.type.removeprefix("/v1/problems/")
    return "not refused"


# %%
PHONE = "+8613800138000"
assert refused(client.sign_in, PHONE, service.code) == "policy-not-accepted"

# %% [markdown]
# Whoever accepts says which words they were shown, by their digest. So the service can later prove
# what was accepted, and nobody can be held to words that they never saw. That is why `accept_policy`
# takes the policy itself and not a version's name. After that the code opens an account. It begins
# with a handle of two random words, and of the phone's number it shows no more than the last digits.

# %%
policy = client.policy()
accepted = client.accept_policy(policy)
assert (accepted.version, accepted.digest) == (policy.version, policy.digest)
assert client.sign_in(PHONE, service.code).created

# %%
me = client.account.me()
print(me.phone)
assert me.phone[:3] + me.phone[-2:] == PHONE[:3] + PHONE[-2:] and set(me.phone[3:-2]) == {"*"}
assert [part.isalpha() for part in me.handle.split("-")] == [True, True, False]

# %% [markdown]
# To accept is not to consent. Every purpose is off, and each has a text of its own, which says what is
# done, with what, and how long it is kept. This is the one about faces.

# %%
purposes = client.consents.all()
assert not any(choice.granted for choice in purposes.values())
print(textwrap.fill(purposes["face.effect"].words, 80))

# %% [markdown]
# As long as it is off, a job is refused before a byte of a photo is sent, and the refusal names the
# purpose. Consent alone is not enough either: a permission says where photos may come from, as phones
# have it. Both are turned on by handing in what was shown, and off by one call.

# %%
swap = {"template": "stamp", "person": "me", "over_14": True}
assert refused(client.jobs.create, "swap", **swap) == "no-consent"
client.consents.turn_on(purposes["face.effect"])
assert refused(client.jobs.create, "swap", **swap) == "no-consent"
client.permissions.turn_on(client.permissions.all()["storage"])
assert refused(client.jobs.create, "swap", **{**swap, "over_14": False}) == "not-attested"

# %% [markdown]
# The last refusal is of another kind: a face may not be the sender's own. So each job comes with an
# *attestation*, that the person shown is the sender or agrees, and is 14 or older. Which of these
# conditions gate what? Turning one thing off must shut one feature, and no other; the policy says so in
# clauses 1.2.1d and 1.3.3(1). Here is the whole table, tried out.

# %%
SWITCHES = {
    "consent to face.effect": (client.consents, "face.effect"),
    "permission storage": (client.permissions, "storage"),
}
FEATURES = {
    "job from a file": lambda: client.jobs.end(client.jobs.create("swap", **swap).id),
    "read the account": client.account.me,
    "list the jobs": client.jobs.list,
    "list the consents": client.consents.all,
}

# %%
works = {}
for switch, (choices, name) in SWITCHES.items():
    choices.turn_off(name)
    works |= {(switch, feature): refused(use) for feature, use in FEATURES.items()}
    choices.turn_on(choices.all()[name])
works |= {("all on", feature): refused(use) for feature, use in FEATURES.items()}

# %%
figure, axes = show.canvas(size=(8, 2.2))
rows = [*SWITCHES, "all on"]
for y, row in enumerate(rows):
    for x, feature in enumerate(FEATURES):
        word = "works" if works[row, feature] == "not refused" else works[row, feature]
        colour = show.COLOURS[2 if word == "works" else 1]
        axes.text(x, y, word, ha="center", va="center", color=colour, weight="bold")

# %%
axes.set(xlim=(-0.5, 3.5), ylim=(2.5, -0.5), xlabel="what is tried", ylabel="what is off")
axes.set_xticks(range(4), FEATURES)
axes.set_yticks(range(3), [f"no {row}" if row != "all on" else "nothing" for row in rows])
axes.spines[:].set_visible(False)
axes.tick_params(length=0)
axes.set_title("Each switch shuts jobs, and nothing else", loc="left")
show.View(figure, "A table: without consent or permission jobs are refused, and all else works.")

# %%
shut = {feature for (_, feature), word in works.items() if word != "not refused"}
assert shut == {"job from a file"} and works["all on", "job from a file"] == "not refused"

# %% [markdown]
# ### A job, step by step
#
# `client.swap` does a job in one call. Here it is taken apart. First the photo: a face that nobody has.

# %%
face = synthetic_face(size, seed=seed) if photo == "nobody" else show.portrait(photo, size)
upload = encode_image(face, "jpeg")

# %% [markdown]
# The client makes a key pair for the result of this one job, and asks for a job. The answer has another
# public key: that of a process which was born for this job, holds the private half in its memory alone,
# and waits for one photo. So there are two keys, each for one way, and the service itself has neither:
# the photo can be opened only where the work is done, and the picture only here.

# %%
moments = {"begun": time.time()}
keys = KeyPair.generate()
job = client.jobs.create("swap", **swap, result_key=keys.public_bytes)
assert (job.state, job.kem) == ("leased", "x25519") and job.public_key != keys.public_bytes

# %% [markdown]
# `upload` seals the photo chunk by chunk while it sends it. What the service has to say about the job
# comes as *events*: numbered, so that a client whose connection breaks asks for those after the last
# that it has, and misses none.

# %%
client.jobs.upload(job, upload)
moments["sent"] = time.time()
events = []
for event in client.jobs.events(job.id):
    events.append(event.number)
    moments.setdefault(event.data.get("stage") or event.data["state"], time.time())
assert events == list(range(1, len(events) + 1)) and "done" in moments

# %%
stages = ("opened", "decode", "detect", "warp", "colour", "mask", "blend", "encode")
assert [moment for moment in moments if moment in stages] == list(stages)
late = list(client.jobs.events(job.id, after=events[-2]))
assert [event.number for event in late] == events[-1:]

# %% [markdown]
# Now the result waits at the service, sealed. Here is what somebody sees who takes the disk away: the
# name of the format, a few numbers, and noise. Only the client's key opens it, and only as the result of
# this job.

# %%
sealed = client.jobs.fetch(job.id)
moments["fetched"] = time.time()
picture = open_sealed(sealed, keys, job=job.id, direction="result")
print(bytes(sealed[:4]), decode_image(picture).shape)

# %%
try:
    open_sealed(sealed, KeyPair.generate(), job=job.id, direction="result")
except SealError as error:
    print(error)

# %% [markdown]
# Before anything is acknowledged, the service is searched. *Canaries* are short pieces of the photo, of
# its pixels and of the points of its face; [notebook 90](90_deletion.ipynb) explains them. The control
# comes first: this process has the photo, so the search must find it here. At the service there must be
# nothing, neither in its files nor in the memory of any of its processes, though the sealed result lies
# there at this very moment.

# %%
canaries = canaries_of_photo(upload)
control = find_residue(canaries, processes=[os.getpid()], usual=False)
there = find_residue(canaries, folders=[room.name], processes=service.processes(), usual=False)
print("here:", control.state, "· at the service:", "found" if there.hits else "nothing found")
assert control.state == "found" and not there.hits

# %% [markdown]
# `end` says that the result has arrived. By the time it returns, all that the service had of the job is
# erased, and the answer is the signed receipt. The client checks that the signature is by the key that
# it was given, and that the receipt is about this job. After that there is nothing left to fetch.

# %%
receipt = client.jobs.end(job.id)
moments["acknowledged"] = time.time()
for row in receipt.erased:
    print(f"{row.what.words}: {row.how.words}")
assert (receipt.job, receipt.outcome, receipt.upload) == (job.id, "delivered", "sealed")
assert refused(client.jobs.fetch, job.id) == "gone"

# %%
show.pictures(
    decode_image(upload),
    decode_image(picture),
    titles=["what was sent", "what came back"],
    alt="A photo of a face that nobody has; the same face on a postage stamp.",
)

# %%
if size == 256 and photo == "nobody":
    print(show.check("95_result", decode_image(picture)))

# %% [markdown]
# When was what where? The client knows when it sent and got things; the receipt says when each thing
# was seen to be gone. Together they draw the life line of the photo's bytes. Wherever the service
# stores them they are sealed, and in clear they are in one process, for a moment.

# %%
gone = {row.what.value: row.at.timestamp() for row in receipt.erased}
lines = {
    "photo, with you": (moments["begun"], moments["acknowledged"], "in clear"),
    "photo, sealed, on its disk": (moments["sent"], gone["upload-stored"], "sealed"),
    "photo, in the job's process": (moments["opened"], moments["done"], "in clear"),
    "result, sealed, on its disk": (moments["done"], gone["result-stored"], "sealed"),
    "result, with you": (moments["fetched"], moments["acknowledged"], "in clear"),
}

# %%
figure, axes = show.canvas(size=(8, 2.8))
looks = {"in clear": show.COLOURS[4], "sealed": show.COLOURS[5]}
for y, (start, end, how) in enumerate(lines.values()):
    axes.barh(y, max(end - start, 0.01), left=start - moments["begun"], color=looks[how], height=0.5)
for how, colour in looks.items():
    axes.barh(0, 0, color=colour, label=how)
axes.set_yticks(range(len(lines)), lines)
axes.invert_yaxis()

# %%
axes.set(xlabel="time since the job began, seconds", ylabel="bytes, and where")
axes.set_title("The life line of a photo's bytes", loc="left")
axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0.0, -0.42))
show.View(figure, "Bars over time: at the service bytes are sealed, and end; in clear in one process only.")

# %%
assert moments["begun"] < gone["upload-stored"] <= gone["result-stored"] <= moments["acknowledged"] + 1
assert set(gone) >= {"upload-stored", "result-stored"}

# %% [markdown]
# In one call it looks like this. The client makes the key, seals, follows, fetches, opens, acknowledges
# and checks. If anything goes wrong on the way, it ends the job at the service before it says so.

# %%
seen = []
done = client.swap(upload, **swap, progress=seen.append)
assert tuple(seen) == stages and done.picture == picture
assert verify_receipt(done.receipt, service.receipt_key).outcome == "delivered"

# %% [markdown]
# Now with a photo of your own. It goes from your browser to this kernel, sealed from here to the
# service, and back; neither picture stays in the notebook.


# %%
def through_the_service(image):
    return decode_image(client.swap(encode_image(image, "png"), **swap).picture)


# %%
alt = "Your face on a postage stamp, made by the service."
own = show.Upload(through_the_service, alt=alt, interactive=interactive)
made = own.give(upload)
assert own.answer == "Done." and made.shape == load_template("stamp").image.shape
own

# %% [markdown]
# ### What it holds of you
#
# A promise to delete is worth something only if one knows what there is. Every column of the service's
# database has a line in its *data map*: of which class it is, what it is for, how long it may stay at
# most, and what becomes of it when the account is cancelled. A service with a column that has no line
# does not start. The map is public: it is the policy's annex.

# %%
annex = client.rights.annex()
personal = [row for row in annex["fields"] if row["personal"]]
assert all(row["purpose"] and 0 < row["days"] <= 730 for row in personal)
words = " ".join(f"{row['column']} {row['purpose']}" for row in annex["fields"]).lower()
assert not any(word in words.split() for word in ("pixels", "landmarks", "embedding", "latitude", "imei"))

# %%
titles = {one["data_class"]: one["words"] for one in annex["classes"]}
counts = {kind: Counter() for kind in titles}
for row in personal:
    counts[row["data_class"]]["sealed" if row["sealed"] else "in clear"] += 1
held = {kind: count for kind, count in counts.items() if count}

# %% [markdown]
# What people write, or could be found by, is *sealed* under a key that each account has of its own.
# Numbers, times and words of closed lists are not: the service must be able to sort by them.

# %%
figure, (left, right) = show.canvas(1, 2, size=(10, 3.4))
for y, (kind, count) in enumerate(held.items()):
    left.barh(y, count["sealed"], color=looks["sealed"])
    left.barh(y, count["in clear"], left=count["sealed"], color=looks["in clear"])
    days = sorted({row["days"] for row in personal if row["data_class"] == kind})
    right.plot(days, [y] * len(days), "o", color=show.COLOURS[0])

# %%
left.set_yticks(range(len(held)), [textwrap.shorten(titles[kind], 38) for kind in held])
right.set(yticks=[], ylabel="the same classes", xlabel="days, at most", xlim=(0, 760))
left.set(xlabel="columns: sealed in blue, not sealed in orange", ylabel="class of data")
left.set_title("What the service can hold", loc="left")
right.set_title("and for how long", loc="left")
for axes in (left, right):
    axes.set_ylim(len(held) - 0.5, -0.5)

# %%
show.View(figure, "Bars: columns by class of data, sealed or not; dots: how many days each may stay.")

# %% [markdown]
# No class holds faces, and that is not modesty: there is no column that could. What *is* held of this
# account, row by row and in clear, comes as an *export*. It is for the person alone, so the service
# first wants a fresh code from the phone: who finds an open session must not be able to carry everything
# away, or to erase it.

# %%
assert refused(client.rights.export) == "step-up"
client.account.confirm(service.code)
export = client.rights.export()
rows = {name: len(found) for name, found in export["tables"].items() if found}
assert rows["accounts"] == 1 and rows["choices"] >= 4 and rows["jobs"] >= 3

# %% [markdown]
# The person's number stands in the export, and is in no file of the service in clear. Of the jobs there
# is a number, when each began, and how it ended; nothing of what was on the photo.

# %%
assert export["tables"]["accounts"][0]["phone"] == PHONE
files = [path for path in Path(room.name).rglob("*") if path.is_file()]
assert len(files) > 5 and not any(PHONE.encode() in path.read_bytes() for path in files)
report = json.dumps(export["tables"]["jobs"])
assert "delivered" in report and not any(one in report for one in ("png", "pixel", "eye"))

# %% [markdown]
# ### Leaving
#
# The account's number is in the service's files now, and a search finds it. That is the control for what
# comes next. Cancelling takes one call, and no second question. When it returns, the account is gone,
# with the key that its columns were sealed under. So what an old backup still has of it is noise.

# %% tags=["nbval-ignore-output"]
number = canaries_of(name=client.account.me().id)
assert find_residue(number, folders=[room.name], usual=False).state == "found"
other = Client(service.url, client.account.make_api_key("booth", ["account:read"]).token)
last = client.rights.cancel_account()
for row in last["erased"]:
    print(f"{row['what']}: {row['rows']}")

# %%
assert find_residue(number, folders=[room.name], usual=False).state == "clean"
assert refused(client.account.me) == "unknown-caller" == refused(other.account.me)
assert last["key"] == "destroyed" and me.id not in json.dumps(dict(last))

# %% [markdown]
# The receipts of the jobs stay readable, for two years, to whoever has a job's number. Nothing leads
# from them to the account any more, for the line that said whose the job was is gone.

# %%
assert client.jobs.receipt(job.id) == receipt

# %% [markdown]
# ## How does it go wrong?
#
# **Somebody withdraws in the middle.** A job has begun and waits for its photo when its owner takes the
# consent back. Then it ends at once, with a receipt, and whatever it had is erased.

# %%
second = Client(service.url, receipt_key=service.receipt_key)
second.accept_policy(second.policy())
assert second.sign_in("+8613800138001", service.code).created
second.consents.turn_on(second.consents.all()["face.effect"])
assert second.permissions.turn_on(second.permissions.all()["storage"]).granted

# %%
begun = second.jobs.create("swap", **swap)
second.consents.turn_off("face.effect")
assert second.jobs.view(begun.id).state == "cancelled"
assert second.jobs.receipt(begun.id).outcome == "cancelled"
assert second.consents.turn_on(second.consents.all()["face.effect"]).granted

# %% [markdown]
# **The photo shows no face.** The job fails in its process, far from anything that could be told of the
# photo. What comes out is one word of a closed list; the service then knows that there was no face, and
# nothing else.

# %%
blank = encode_image(face[:8].repeat(32, axis=0), "jpeg")
print(refused(second.swap, blank, **swap))
assert second.jobs.list()[0].problem == "no-face"

# %% [markdown]
# **Somebody guesses.** A job's number that belongs to somebody else is answered like one that never
# was, so nobody learns which numbers are in use. Who goes on guessing is made to wait.

# %%
stranger = Client(service.url, receipt_key=service.receipt_key)
stranger.accept_policy(stranger.policy())
stranger.sign_in("+8613800138002", service.code)
mine = second.jobs.list()[0].id
assert refused(stranger.jobs.view, mine) == "absent" == refused(stranger.jobs.view, mine[::-1][:21] + "A")

# %% [markdown]
# **Somebody edits a receipt.** One word is enough.

# %%
edited = receipt.to_json().replace('"delivered"', '"cancelled"')
try:
    verify_receipt(edited, service.receipt_key)
except ReceiptError as error:
    print(error)

# %% [markdown]
# **The operator runs other software.** All of this was looked at from outside where it can be: files,
# memory, answers. But on your own machine you know which program runs. A service elsewhere can show the
# same answers and keep a copy, and no client can tell. The photo is sealed to a key that the service
# hands out, so whoever runs it decides which process has that key. What a receipt then is worth, the
# [threat model](../docs/threat-model.md) says plainly.
#
# ## The end
#
# The service ends with its processes, and the room goes.

# %%
processes = service.processes()
for one in (client, other, second, stranger):
    one.close()
service.close()
assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
room.cleanup()

# %% [markdown]
# ## Exercises
#
# 1. Why does `accept_policy` take the policy, and `turn_on` the choice, and not just their names?
#
# <details><summary>Answer</summary>
# Each sends the digest of the words that were shown. If they have changed since, the service refuses,
# and they have to be shown again. A name would agree to whatever stands behind it by then.
# </details>
#
# 2. The client makes a new key pair for every job. What would be lost with one for all?
#
# <details><summary>Answer</summary>
# Whoever got that key some day, with sealed results that they kept from before, could open all of them.
# With a key for each job, which is let go of when the result is open, there is nothing left to get.
# </details>
#
# 3. Turn the consent off while a job is *running*, and find out how long its process lives on.
#
# <details><summary>Answer</summary>
# Send the photo, follow the events in a thread, and turn the consent off at the first stage. The process
# is killed at once; `service.processes()` no longer lists it, and the job's state is `cancelled`.
# </details>
#
# 4. Copy the service's database before you cancel, and look into the copy afterwards. What of the account
#    can you still read?
#
# <details><summary>Answer</summary>
# Its random number, times, and which purposes were on. What was sealed, such as the phone's number, is
# noise: the key was in another store, which the backup must not include, and it is gone.
# </details>
#
# ## References
#
# - M. Nottingham, E. Wilde, S. Dalal, *Problem Details for HTTP APIs*, RFC 9457, 2023.
# - R. Barnes, K. Bhargavan, B. Lipp, C. Wood, *Hybrid Public Key Encryption*, RFC 9180, 2022.
# - ISO/IEC TS 27560:2023, *Consent record information structure*.
# - P. Grassi et al., *Digital Identity Guidelines: Authentication and Lifecycle Management*, NIST SP
#   800-63B, 2017: codes by text message, and when to ask again.
