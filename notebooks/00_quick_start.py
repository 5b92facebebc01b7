# %% [markdown]
# # Quick start
#
# facekit takes a photo of a person, finds the face in it, and puts that face into another picture,
# the *template*. This notebook does it in three lines. Then it does it again slowly, one stage at
# a time, with a picture of each. It is here so that you know the whole before you read the parts:
# every stage has a notebook of its own, and the last section says which.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

# %%
import numpy as np
from typer.testing import CliRunner

# %%
from facekit import (
    blend_poisson,
    detect_faces,
    match_colour,
    read_image,
    show,
    swap_face,
    synthetic_face,
    warp_piecewise_affine,
    write_image,
)
from facekit.cli import app
from facekit.colour import match_light
from facekit.errors import NoFaceError
from facekit.evaluate import seam_visibility
from facekit.segment import eye_distance, feature_mask
from facekit.templates import template_from_picture
from facekit.topology import face_triangles
from facekit.warp import facing

# %% [markdown]
# ## What is this step?
#
# Two types are enough to begin. An `Image` is an array of bytes of shape `(H, W, 3)`, in RGB. A
# `Template` is an image with one `Slot` for each face in it: the face that is there now, where a
# new one may show, and what lies in front of it.
#
# Our two people are Eileen Collins, photographed by NASA, and Mona Lisa, painted by Leonardo. We
# cut a square around each face and make it `size` pixels wide.

# %%
person = show.portrait(photo, size)
canvas = show.portrait("joconde" if photo == "astronaut" else "astronaut", size)

# %% [markdown]
# Now the three lines. `template_from_picture` finds the slots; `swap_face` does the rest. For a
# ready template it would be `load_template("stamp")`, and for a file of yours
# `load_template("portrait.jpg")`.

# %%
template = template_from_picture(canvas)
result = swap_face(person, template)
swapped = result.image

# %%
show.pictures(
    person,
    template.image,
    swapped,
    titles=["the photo", "the template", "the result"],
    alt="A photographed woman, the Mona Lisa, and the Mona Lisa with the first one's face.",
)

# %%
assert swapped.shape == template.image.shape and swapped.dtype == np.uint8
if size == 256 and photo == "astronaut":
    print(show.check("00_swapped", swapped))

# %% [markdown]
# ## Why is it so?
#
# A face cannot simply be cut out and pasted. It looks in another direction, it has another light,
# and its edge would show. So `swap_face` works in stages, and each removes one of these
# differences. Each stage is a function that you can call yourself. Let us do so.
#
# **Stage 1: find the points.** A small neural network finds 478 points on each face, always the
# same ones in the same order: point 1 is the tip of the nose, whoever it is. That is what makes
# two faces comparable.

# %%
mine, theirs = detect_faces(person)[0], template.slots[0].mesh
assert mine.points.shape == theirs.points.shape == (478, 2)
tips = np.array([mine.points[1], theirs.points[1]])
assert ((tips > 0.25 * size) & (tips < 0.8 * size)).all()

# %% [markdown]
# The points are joined to triangles. The list of triangles is fixed; it belongs to no particular
# face.

# %%
triangles = face_triangles()
figure, both = show.canvas(1, 2, size=(6, 3.4))
drawn = ("photo", person, mine), ("template", canvas, theirs)
for axes, (name, image, mesh) in zip(both, drawn, strict=True):
    axes.imshow(image)
    show.draw_mesh(axes, mesh.points[:468], triangles)
    axes.set_title(f"points in the {name}", loc="left")
    axes.set(xlabel="x, pixels", ylabel="y, pixels")

# %%
show.View(figure, "Two faces, each covered by a mesh of fine triangles.", photo=True)

# %% [markdown]
# **Stage 2: warp the mesh.** Each triangle of the photo is carried onto the same triangle of the
# template, by the one affine map that three corners determine. The pixels go along. Triangles that
# face away from us in the template are left out. The mouth stays open: no triangle lies between
# the lips.

# %%
seen = triangles[facing(theirs.points, triangles)]
warped, inside = warp_piecewise_affine(
    person, mine.points, theirs.points, seen, shape=canvas.shape[:2], depth=theirs.depth
)
assert not warped[~inside].any() and 0.05 < inside.mean() < 0.5

# %% [markdown]
# The face now lies where the template's face lies. To see it, ask the network: if we paste the
# warped face into the template as it is, its points are found at the template's, within a few per
# cent of the distance between the eyes.

# %%
pasted = np.where(inside[..., None], warped, canvas)
found = detect_faces(pasted)[0]
apart = np.linalg.norm(found.points - theirs.points, axis=1).mean() / eye_distance(theirs)
print("points lie within 5 % of the eye distance:", bool(apart < 0.05))
assert apart < 0.05

# %% [markdown]
# **Stage 3: match colour and light.** The skin's colour is measured in both pictures, without
# eyes, brows and lips, and the photo's is changed to the template's. Then broad light and shade
# follow. What is finer than a third of the eye distance, such as a wrinkle, stays the person's.

# %%
slot, unit = template.slots[0], eye_distance(theirs)
where = result.mask
skin = where & ~feature_mask(theirs, where.shape)
coloured = match_colour(warped, canvas, skin, where=inside)
coloured = match_light(coloured, canvas, where, sigma=0.3 * unit, where=inside)

# %% [markdown]
# Before this stage, the skin of the warped face was many grey levels away from the template's.
# After it, the means agree within a few levels in each channel.


# %%
def colour_gap(image):
    return np.abs(image[skin].mean(axis=0) - canvas[skin].mean(axis=0)).max()

# %%
assert colour_gap(coloured) < 6 < 20 < colour_gap(warped)
print("largest gap of the mean skin colour is below 6 grey levels:", bool(colour_gap(coloured) < 6))

# %% [markdown]
# **Stage 4: choose where, and blend.** `result.mask` is where the new face shows: within the slot,
# clear of hair in both pictures, and only where the photo has something to show. Inside it, the
# face keeps its *differences* from pixel to pixel, and takes its level from the template along the
# edge. That is Poisson's equation, and it leaves no seam.

# %%
blended = blend_poisson(coloured, canvas, where, reach=0.25 * unit)
assert (blended[~where] == canvas[~where]).all()

# %%
show.pictures(
    warped,
    coloured,
    np.where(where[..., None], coloured, canvas),
    blended,
    titles=["warped", "colour matched", "pasted by the mask", "blended"],
    alt="The warped face on black, the same in the painting's colours, pasted, and blended.",
)

# %% [markdown]
# ## How do I know that it is right?
#
# **The stages give the swap.** What we have just put together by hand comes near to what
# `swap_face` returned. It is not equal. `swap_face` also keeps the template's gaze, corrects a
# nod, and decides about the mouth; `60_whole_swap` adds these one by one, until nothing is
# missing.

# %%
likeness = show.psnr(blended, swapped)
print("four stages by hand agree with the swap to more than 32 dB:", bool(likeness > 32))
assert likeness > 32
if size == 256 and photo == "astronaut":
    print(show.check("00_by_hand", blended))

# %% [markdown]
# **The seam does not show.** `seam_visibility` is the mean step in colour, in CIELAB, across the
# edge of the mask. The template has steps of its own there, so we look at what the swap adds to
# them. The blend adds little; the plain paste adds much more.


# %%
def added_seam(image):
    return seam_visibility(image, where) - seam_visibility(canvas, where)

# %%
pasted_seam = added_seam(np.where(where[..., None], warped, canvas))
print("the seam is at least three times fainter:", bool(3 * added_seam(swapped) < pasted_seam))
assert 3 * added_seam(swapped) < pasted_seam and pasted_seam > 5

# %% [markdown]
# **What the result holds.** An `EffectResult` has four fields.
#
# - `image`: the finished picture, as large as the template.
# - `mask`: where it was changed. Outside, it is equal to the template in every bit.
# - `faces`: the photo's face, then the template's.
# - `timings`: seconds by stage, in the order in which they ran.

# %%
assert (swapped[~where] == template.image[~where]).all()
assert np.array_equal(result.faces[0].points, mine.points) and result.faces[1] is theirs
print(", ".join(result.timings))

# %% [markdown]
# **What is kept, and what is deleted.** Nothing is written to a disk, nothing is sent, and what
# comes in is never changed. The photo lives as long as your variable `person` does, and no longer:
# facekit holds no copy. The template's slot remembers masks that follow from the template alone.
# Only `load_template` keeps something on disk, the slots of its own ready templates.
#
# We can hold facekit to that. Python reports each file that it opens to an *audit hook*. We watch
# for any that is opened to write. The first write, to a file of our own, shows that the hook is
# awake.

# %%
written, watched = [], [False]


def hook(event, arguments, watched=watched, writing=os.O_WRONLY | os.O_RDWR | os.O_CREAT):
    if watched[0] and event == "open" and arguments[2] & writing and arguments[0] != os.devnull:
        written.append(arguments[0])


sys.addaudithook(hook)

# %%
with TemporaryDirectory() as folder:
    watched[0] = True
    (Path(folder) / "ours").write_text("the hook is awake")
    before = person.copy(), canvas.copy()
    again = swap_face(person, template)
    watched[0] = False
print("files opened to write, besides our own:", len(written) - 1)

# %%
assert len(written) == 1
assert np.array_equal(person, before[0]) and np.array_equal(canvas, before[1])
assert np.array_equal(again.image, swapped)

# %% [markdown]
# The last line says one thing more: the same input gives the same bits.
#
# **A dial.** `features` says how much of the person shows. At 0 the template stays as it is, at 1
# the person is all there. Turn it.


# %%
def melt(features):
    return swap_face(person, template, features=features).image

# %%
dial = show.Play(
    melt,
    alt="The template's face melts into the person's.",
    interactive=interactive,
    features=(0.0, 1.0, 0.5),
)
dial

# %%
half = dial.picture.astype(float)
dial.set(features=0)
assert np.array_equal(dial.picture, canvas)
dial.set(features=1)
assert np.array_equal(dial.picture, swapped)

# %% [markdown]
# Half way is half way: the blend is linear in what is put in, so the picture in the middle is the
# mean of the two ends, up to rounding, and where no channel is clipped and the mouth is not kept.

# %%
off = np.abs(half - (canvas + swapped.astype(float)) / 2)[where].mean()
print("half way is the mean, within one grey level on average:", bool(off < 1))
assert off < 1

# %% [markdown]
# **From the command line.** The same swap, from file to file:
#
# ```sh
# facekit swap photo.jpg --template portrait.jpg -o out.png
# facekit swap photo.jpg --template stamp --features 0.5 -o half.png
# facekit swap --batch photos --template spacesuit -o suits
# facekit templates                # the ready ones, with licences
# facekit doctor                   # what works on this machine
# ```
#
# Nothing is overwritten without `--force`. The exit code is 0 for done, 2 for wrong usage and 3
# for a picture that cannot be used. We run it in a folder that is deleted at once, and get the
# same picture.

# %%
with TemporaryDirectory() as folder:
    paths = [str(Path(folder) / name) for name in ("photo.png", "template.png", "out.png")]
    for path, image in zip(paths, (person, canvas), strict=False):
        write_image(path, image)
    words = ["swap", paths[0], "--template", paths[1], "-o", paths[2]]
    codes = [CliRunner().invoke(app, words).exit_code for _ in range(2)]
    from_file = read_image(paths[2])

# %%
print("exit codes of the first and of the second run:", *codes)
assert np.array_equal(from_file, swapped) and codes[0] == 0 and codes[1] != 0

# %% [markdown]
# ## How fast is it?
#
# Fast enough for a slider. Most of the time goes into the network that finds the points; the
# mathematics takes what is left. We time both in turn, and compare the
# best run of each.

# %%
ways = (lambda: detect_faces(person), lambda: swap_face(person, template))
detection, whole = show.best_times(*ways, rounds=7 if fast else 21)
print("a swap takes less than 10 times as long as finding a face:", bool(whole < 10 * detection))
assert whole < 10 * detection

# %% [markdown]
# ## What can go wrong
#
# **There is no face.** Then there is nothing to swap, and `swap_face` says so. It never returns
# the template as if all were well.

# %%
try:
    swap_face(np.full_like(person, 128), template)
except NoFaceError as error:
    print(type(error).__name__, "-", error)
else:
    raise AssertionError("a grey wall has no face")

# %% [markdown]
# **The stages are in the wrong order.** Blend first and match the colour afterwards, and the seam
# comes back: the change of colour ends at the mask's edge. Here the result of a blend without
# matched colours also shows why stage 3 is there. The edge is perfect, and the middle is still in
# daylight.

# %%
uncoloured = blend_poisson(warped, canvas, where, reach=0.25 * unit)
late = match_colour(uncoloured, canvas, skin, where=where)
assert added_seam(late) > added_seam(uncoloured) + 1

# %%
show.pictures(
    uncoloured,
    late,
    swapped,
    titles=["colour not matched", "matched after blending", "as it should be"],
    alt="A face in the wrong light, a face with a visible edge, and the right result.",
)

# %% [markdown]
# **A drawn face is a face.** The network does not ask whether a person is real. A mannequin that
# facekit draws from averages is swapped as well as any other.

# %%
mannequin = synthetic_face(size, seed=seed)
drawn = swap_face(mannequin, template)
assert drawn.mask.any() and not np.array_equal(drawn.image, swapped)

# %%
show.pictures(
    mannequin,
    drawn.image,
    titles=["a mannequin", "in the template"],
    alt="A face drawn by code, and the template with that face.",
    width=5,
)

# %% [markdown]
# ## Exercises
#
# 1. Exchange the two pictures: put the painting's face into the photo. Which stage has the most to
#    do?
#
# <details><summary>Answer</summary>
# Set <code>photo = "joconde"</code> in the cell of parameters and run all. Colour: the painting's
# varnish is far from daylight. Also look at the mouth. The astronaut smiles with her teeth, Mona
# Lisa does not, so the teeth stay the template's.
# </details>
#
# 2. Why is <code>mask</code> smaller than <code>inside</code>?
#
# <details><summary>Answer</summary>
# <code>inside</code> is all that the mesh covers. The mask leaves out the fringe of hair over the
# photo's forehead, what lies in front of the template's face, and triangles that the photo shows
# too much from the side.
# </details>
#
# 3. Blend without <code>reach</code>. What changes, and where?
#
# <details><summary>Answer</summary>
# The correction along the edge then reaches all the way into the face, and errors of the edge,
# such as a shadow, tint the whole cheek. With <code>reach</code> the correction fades within a
# quarter of the eye distance, because the colour has already been matched.
# </details>
#
# ## Where to read on
#
# | notebook | what it explains |
# |---|---|
# | `10` | how the points are found, and how good they are |
# | `20` | how a mesh of triangles carries a picture, pixel by pixel |
# | `30` | Poisson's equation, and a solver fast enough for a slider |
# | [40](40_colour_and_light.ipynb) | skin colour and light |
# | [60](60_whole_swap.ipynb) | the whole swap: all its dials, its yardsticks, your own picture |
#
# ## References
#
# - D. Bitouk, N. Kumar, S. Dhillon, P. Belhumeur, S. K. Nayar, *Face Swapping: Automatically
#   Replacing Faces in Photographs*, ACM Transactions on Graphics 27(3), 2008.
# - Y. Kartynnik, A. Ablavatski, I. Grishchenko, M. Grundmann, *Real-time Facial Surface Geometry
#   from Monocular Video on Mobile GPUs*, CVPR Workshop on Computer Vision for AR/VR, 2019.
# - P. Pérez, M. Gangnet, A. Blake, *Poisson Image Editing*, ACM Transactions on Graphics 22(3),
#   2003.
