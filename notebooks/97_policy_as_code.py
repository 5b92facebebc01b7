# %% [markdown]
# # The policy as code
#
# A privacy policy is a list of promises, and most are never checked by anyone. This project writes
# its policy in clauses with numbers. Code that makes a clause true names the number, a test that
# proves it names the number, and a table counts the clauses that nobody proves yet. This notebook
# shows how that works. It follows two clauses from the sentence to the line of code and to the
# proof. Then it breaks the code on purpose, and the proof has to notice.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
import os
import re
import sys
import textwrap

# %%
from collections import Counter
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

# %%
import numpy as np
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

# %%
from facekit import codec, policy, show, templates
from facekit.errors import InputError
from facekit.files import user_cache
from facekit.policy import Kind, clause, clauses, digest_of, policy_text

# %% [markdown]
# The tool that makes the table stands in the repository, beside the notebooks.

# %%
sys.path.append("../tools")
import policy_coverage as coverage

# %% [markdown]
# ## What is this step?
#
# `policy_text()` returns the policy as a reader sees it. `clauses()` returns its clauses in order.
# Each has a number, a title, one kind or more, and its sentences. Here is one.

# %%
kept = clause("1.2.3b")
print(kept.id, "·", kept.title, "·", *kept.kinds)
print(textwrap.fill(kept.text, 80))

# %% [markdown]
# The kinds say what a clause asks for. `F` is a function and `D` a guarantee about data: software
# can hold both, so both call for a test. `O` is a duty of the people who run a service, and `L` is
# a statement about the law: no test can prove those.

# %%
for kind in Kind:
    print(f"{kind}: {kind.name.lower()}")
assert kept.calls_for_a_test and not clause("4.2.2(5)").calls_for_a_test

# %% [markdown]
# A number that does not exist is refused, with those nearby. So a mistyped number in a test stops
# the whole test run, and cannot pass for a proof.

# %%
try:
    clause("1.2.3")
except InputError as error:
    print(error)

# %% [markdown]
# Which clauses does one photo meet on its way through a service? They are stacked below over the
# five stations of the way. The shape and colour of a mark say where the clause stands.

# %%
way = {
    "upload": ["1.3.3 note", "1.2.2(1)"],
    "analysis": ["1.2.1a", "1.2.1b", "1.2.1c", "1.2.3c"],
    "blend": ["1.2.2(2)", "1.2.2(4)c"],
    "delivery": ["1.1.3", "1.2.2(3)", "1.2.2(4)a", "1.2.2(4)b"],
    "afterwards": ["1.2.3a", "1.2.3b", "1.3.2(1)"],
}

# %% [markdown]
# The states come from the sources of tests, by `coverage.proofs`. *Proved* means that tests prove
# the whole clause, *partly* that they prove a part which the table names, and *OPEN* that software
# could hold the clause and no test proves any of it.

# %%
proven = coverage.proofs()
states = {one.id: coverage.state(one, proven) for one in clauses()}
colours = [show.COLOURS[k] for k in (2, 0, 1, 6, 5)]
looks = dict(zip(coverage.STATES, zip(colours, "osXD^", strict=True), strict=True))

# %%
figure, axes = show.canvas(size=(8, 3.4))
for x, numbers in enumerate(way.values()):
    for y, number in enumerate(numbers, 1):
        colour, marker = looks[states[number]]
        axes.plot(x - 0.32, y, marker, color=colour, markersize=9)
        axes.text(x - 0.22, y, number, va="center")

# %%
there = {states[number] for numbers in way.values() for number in numbers}
for name in (name for name in looks if name in there):
    axes.plot([], [], looks[name][1], color=looks[name][0], label=name)
axes.set_xticks(range(len(way)), way)
axes.set(xlim=(-0.6, 4.7), ylim=(0.3, 5.4), yticks=range(1, 5))
axes.set(xlabel="station on the way of a photo", ylabel="clauses, number")
axes.set_title("What is promised on the way of a photo", loc="left")
axes.legend(frameon=False, ncols=3, loc="upper right")
show.View(figure, "Clauses stacked over five stations from upload to afterwards, marked by state.")

# %% [markdown]
# ## Why is it so?
#
# ### One text, parsed
#
# The text is the only source: the registry is read from its headings. A naive reader in a few lines
# finds the same numbers and titles, so there is no second list that could differ.

# %%
headings = re.findall(r"^#{3,4} (?:<.*?>)*(.*) · (.*)$", policy_text(), re.MULTILINE)
assert headings == [(one.id, one.title) for one in clauses()]

# %% [markdown]
# ### A version that follows from the words
#
# Somebody who accepted a policy accepted certain words. The version is therefore no number that a
# person remembers to raise. It is the start of a digest of the words: SHA-256 over the text, with
# anchors taken out and every run of spaces and line breaks made one space.

# %%
words = re.sub(r"<a .*?></a>", "", policy_text()).split()
naive = sha256(" ".join(words).encode()).hexdigest()
assert naive == policy.POLICY_DIGEST and naive.startswith(policy.POLICY_VERSION)

# %% [markdown]
# Breaking lines anew changes nothing. One word more or less is another version, and a test fails
# until its author has set the date and told of the change.

# %%
weaker = policy_text().replace("or after ten minutes", "or after ten hours")
assert digest_of(policy_text().replace("\n", "\n\n")) == policy.POLICY_DIGEST
assert weaker != policy_text() and digest_of(weaker) != policy.POLICY_DIGEST

# %% [markdown]
# ### From sentence to code to test
#
# Take clause 1.1.3. Its last sentence says that a photo's metadata does not come out with the
# result. Metadata tells where and when a photo was taken, and often with whose camera.

# %%
print(textwrap.fill(clause("1.1.3").text.split(". ")[-1], 80))

# %% [markdown]
# In the code, a comment `# Clause 1.1.3: ...` stands above the line that makes it true: the decoder
# returns pixels, and nothing else goes on. The tool reads the comments and the marks, and gives the
# places back. The mark says `partly`, since the clause promises more about logs than there is.

# %%
assert "facekit.codec._decode" in coverage.enforcers()["1.1.3"]
assert "test_codec.py::test_no_metadata_comes_out" in [one.test for one in proven["1.1.3"]]
assert states["1.1.3"] == "partly"

# %% [markdown]
# ## How do I know that it is right?
#
# We prove the clause here as the test does. A photo gets a *canary*: words that no file holds by
# chance. They go into its EXIF block, the photo goes through decoder and encoder, and the canary
# must be in the first file and not in the second.

# %%
face = show.portrait(photo, size)
canary = b"taken at 51.4779 N, 0.0015 W by a neighbour of the observatory"
tags = Pillow.Exif()
tags[0x010E] = canary.decode()  # the tag for a picture's description

# %%
file = BytesIO()
Pillow.fromarray(face).save(file, "jpeg", quality=95, exif=tags)
upload = file.getvalue()


# %%
def proof():
    """Clause 1.1.3: metadata does not come out with the result."""
    assert canary in upload, "the search finds what is there"
    result = codec.encode_image(codec.decode_image(upload), "jpeg")
    assert canary not in result, "metadata has come out"


# %%
proof()

# %% [markdown]
# The first assertion is the *positive control*. Without it, a search that never finds anything
# would pass as a proof.
#
# A proof that cannot fail proves nothing, so now we break the code. Somebody means well and lets
# pictures keep their tags, for their date, say. `patch.object` puts that encoder in the place of
# ours, for one block only.


# %%
def well_meant(image, kind):
    out = BytesIO()
    Pillow.fromarray(image).save(out, kind, exif=tags)
    return out.getvalue()


# %%
def noticed(test):
    """Say whether a proof fails."""
    try:
        test()
    except AssertionError as error:
        return f"noticed: {error}"
    return "not noticed"


# %%
with patch.object(codec, "encode_image", well_meant):
    print(noticed(proof))
assert noticed(proof) == "not noticed"  # it is ours again

# %% [markdown]
# The second clause is 1.2.3b: nothing of a face is kept. facekit does keep a cache, of the face
# slots of ready templates. Its code must not do so for a picture of a user's. The proof gives the
# cache an empty folder, uses a photo as a template, and looks into the folder.


# %%
def nothing_is_cached():
    """Clause 1.2.3b: a picture used as a template leaves nothing in the cache."""
    with TemporaryDirectory() as folder, patch.dict(os.environ, XDG_CACHE_HOME=folder):
        templates.template_from_picture(face)
        left = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert not left, f"files left: {len(left)}"


# %%
nothing_is_cached()

# %% [markdown]
# We break it in the most tempting way. Looking for a face takes time, the cache is there, and
# three lines would keep in it what was found. The file that is left holds the mesh of a face, and its
# name is a hash of the picture: the clause forbids both.

# %%
find = templates.find_slots


def cached(image):
    slots, folder = find(image), user_cache()
    folder.mkdir(parents=True)
    np.save(folder / sha256(image).hexdigest(), slots[0].mesh.points)
    return slots


# %%
with patch.object(templates, "find_slots", cached):
    print(noticed(nothing_is_cached))
assert noticed(nothing_is_cached) == "not noticed"

# %% [markdown]
# ### The table
#
# `docs/policy-coverage.md` is made by the tool, and a test holds that it is what the tool makes.
# Every clause has one row. A clause that calls for a test and has none is shown as open.

# %%
table = Path("../docs/policy-coverage.md").read_text(encoding="utf-8")
assert table == coverage.page()
assert all(f"| [{one.id}](" in table for one in clauses())
assert table.count("**OPEN**") == Counter(states.values())["OPEN"]

# %% [markdown]
# In numbers, by section and by kind. A clause of two kinds counts under both. Much is open: those
# clauses speak of a service, and as long as there is none, nothing about it can be proved. The
# chart is the honest distance between what is promised and what is shown.

# %%
sections = {f"section {n}" if n.isdigit() else "before": clauses(n) for n in "P123456789"}
kinds = {f"kind {kind}": [one for one in clauses() if kind in one.kinds] for kind in Kind}
hatches = dict(zip(coverage.STATES, ["", "//", "", "--", ".."], strict=True))

# %%
figure, both = show.canvas(1, 2, size=(9, 3.6))
for axes, groups in zip(both, (sections, kinds), strict=True):
    start = np.zeros(len(groups))
    for name, (colour, _) in looks.items():
        wide = [sum(states[one.id] == name for one in group) for group in groups.values()]
        axes.barh(
            list(groups), wide, left=start, color=colour, hatch=hatches[name], edgecolor="white", label=name
        )
        start += wide

# %% [markdown]
# Both charts share their colours and hatches; the bars of a chart add up to its clauses.

# %% tags=["thumbnail"]
for axes, title in zip(both, ("by section", "by kind"), strict=True):
    axes.invert_yaxis()
    axes.set(xlabel="clauses, number", ylabel="part of the policy")
    axes.set_title(f"Where the clauses stand, {title}", loc="left")
both[1].legend(frameon=False, fontsize=8, loc="lower right")
show.View(figure, "Stacked bars of clauses by section and by kind; most are open.")

# %% [markdown]
# ## How fast is it?
#
# The text is parsed once. After that, looking a clause up costs nothing that anyone will notice. It
# is at least fifty times faster than taking the digest of the text, which is done once too.

# %%
slow, quick = show.best_times(lambda: digest_of(policy_text()), lambda: clause("9b"))
print("at least 50 times faster:", slow >= 50 * quick)
assert slow >= 50 * quick

# %% [markdown]
# ## What can go wrong
#
# **The proof looks for too much.** Our proof searches for the whole canary. A defect that lets out
# only a part of it would pass. A stricter search cuts the canary into short windows and looks for
# each. Below, a broken encoder writes a share of the canary into the middle of an uncompressed
# file. The file is drawn byte by byte, so that the photo shows through, and what a search with
# windows of eight bytes finds is painted orange.

# %%
WINDOW = 8
small = show.portrait(photo, size // 2)
whole = codec.encode_image(small, "bmp")
middle = len(whole) // 2
metadata = canary * 40


# %%
def leaking(share):
    """Return a file that holds a share of the metadata, in its middle."""
    return whole[:middle] + metadata[: round(share * len(metadata))] + whole[middle:]


# %%
def places(data, words):
    """Return where windows of the words are found in a file."""
    windows = {words[k : k + WINDOW] for k in range(len(words) - WINDOW)}
    return [at for at in range(len(data) - WINDOW + 1) if data[at : at + WINDOW] in windows]


# %% [markdown]
# A row of the file's picture is a row of the photo, three bytes for each pixel, so it is drawn three
# times. The format stores the lowest row first, which is why the photo stands on its head. The
# header shifts it to the right, and below the orange band it is shifted again: the bytes after the
# leak have moved.


# %%
def draw(leak):
    data = leaking(leak)
    grey = np.frombuffer(data, np.uint8)
    image = np.repeat(grey[:, None], 3, axis=1)
    for at in places(data, canary):
        image[at : at + WINDOW] = (230, 159, 0)
    width = 3 * small.shape[1]
    rows = len(whole + metadata) // width
    return np.repeat(np.resize(image, (rows, width, 3)), 3, axis=0)


# %%
dials = show.Play(
    draw,
    alt="The bytes of a file as grey levels; the found metadata is orange.",
    interactive=interactive,
    leak=(0.0, 1.0, 1.0),
)
dials

# %%
if size == 256 and photo == "astronaut":
    print(show.check("97_leak", dials.picture))

# %% [markdown]
# With the leak at nothing there is no orange. With a small one, less than the whole canary has come
# out: the search for the whole finds nothing, and the windows find it.

# %%
orange = (230, 159, 0)
dials.set(leak=0)
assert not (dials.picture == orange).all(axis=2).any()
dials.set(leak=0.02)
assert canary not in leaking(0.02) and len(places(leaking(0.02), canary)) > 10
assert (dials.picture == orange).all(axis=2).any()

# %% [markdown]
# **The search looks in the wrong form.** Compression hides a canary from a search for its bytes. The
# same words are in this PNG file, and a search of the file does not find them: the positive control
# fails, and so says that this search proves nothing here.

# %%
out = BytesIO()
info = PngInfo()
info.add_text("where", (canary * 20).decode(), zip=True)
Pillow.fromarray(small).save(out, "png", pnginfo=info)
assert canary in metadata and not places(out.getvalue(), canary)

# %% [markdown]
# **A mark claims too much.** A mark is a claim by an author, and no program can read whether a test
# proves a sentence. That is why a mark may say `partly`, and why the table says of what. A clause
# is *proved* only if some test claims the whole of it.

# %%
some, everything = coverage.Proof("test", "a part"), coverage.Proof("test", "")
assert coverage.state(kept, {kept.id: [some, some]}) == "partly"
assert coverage.state(kept, {kept.id: [some, everything]}) == "proved"
assert coverage.state(kept, {}) == "OPEN"

# %% [markdown]
# **A clause has no number.** What stands between two clauses would promise something that nothing
# counts. A test holds that every paragraph of a section belongs to a clause.
#
# ## Exercises
#
# 1. Why is the version a digest of the words and not of the file?
#
# <details><summary>Answer</summary>
# Otherwise a line broken elsewhere, or a renamed anchor, would be another policy, and everybody
# would be asked to accept the same words again. People stop reading what they are asked too often.
# </details>
#
# 2. Five tests each prove a part of one clause. Together they cover all of it. Which state does the
#    tool give?
#
# <details><summary>Answer</summary>
# *Partly*. The tool cannot know that the parts add up. Somebody who does writes one test, or marks
# one of them as the whole after reading all five, and answers for it in review.
# </details>
#
# 3. Break clause 1.2.3b in another way that `nothing_is_cached` does not notice.
#
# <details><summary>Answer</summary>
# Write the mesh to the temporary folder, to a log, or into a global variable. The proof looks into
# one folder. That is why the clause stays *partly*, until a search looks everywhere.
# </details>
#
# ## References
#
# - O. C. Z. Gotel, A. C. W. Finkelstein, *An Analysis of the Requirements Traceability Problem*,
#   ICRE 1994, [doi:10.1109/ICRE.1994.292398](https://doi.org/10.1109/ICRE.1994.292398).
# - R. A. DeMillo, R. J. Lipton, F. G. Sayward, *Hints on Test Data Selection*, Computer 11(4), 1978,
#   [doi:10.1109/C-M.1978.218136](https://doi.org/10.1109/C-M.1978.218136): break the program, and
#   see whether the tests notice.
