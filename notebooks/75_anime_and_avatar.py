# %% [markdown]
# # Anime and avatar
#
# Two ways to draw a person. The first, `animefy`, starts from the photo: it keeps what the photo
# shows, makes it flat, and draws lines where the photo has edges. The second, `draw_avatar`, never
# copies anything: it measures the face, puts the photo away, and draws from numbers. One is image
# processing, the other is geometry. This notebook walks through both, stage by stage, and proves
# of each what can be proved.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
import re
import xml.etree.ElementTree as ET
from dataclasses import fields, replace

# %%
import cv2
import numpy as np

# %%
from facekit import animefy, detect_faces, draw_avatar, show, synthetic_face
from facekit.compositing import as_bytes
from facekit.effects.anime_face import draw_brows, draw_eyes, draw_features
from facekit.effects.anime_lines import draw_lines
from facekit.effects.anime_look import take_colours
from facekit.effects.anime_scene import look_at, smoothed_within
from facekit.effects.anime_shape import drawn_points, narrowed
from facekit.effects.anime_tones import ink_tones, paint, tones_of

# %%
from facekit.effects.avatar import measure_face, measure_mesh, read_action
from facekit.effects.avatar.canonical import CENTRE, PER_UNIT, look_upright
from facekit.effects.avatar.coverage import cover_fill
from facekit.effects.avatar.curves import circle, flatten
from facekit.effects.avatar.design import design
from facekit.effects.avatar.figure import make_figure
from facekit.effects.avatar.palette import EYES, HAIR, SKIN, lab_of, nearest
from facekit.effects.avatar.raster import rasterise_drawing
from facekit.effects.avatar.silhouette import measure_silhouette
from facekit.effects.avatar.upright import mean_points, upright_points

# %%
from facekit.effects.reshape import reshape
from facekit.errors import ArrayError, FaceIndexError, NoFaceError
from facekit.ink import edge_flow, flow_smoothed, halftone, ink_lines, without_specks
from facekit.ink_rows import differences
from facekit.lab import to_lab
from facekit.segment import eye_distance, face_mask
from facekit.synthetic import synthetic_mesh
from facekit.topology import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_BROW,
    RIGHT_EYE,
    mirror_permutation,
)
from facekit.values import Blendshapes

# %% [markdown]
# ## What is this step?
#
# A photo goes in. `animefy(photo, style="cel")` gives flat colours with clean shadows, as on the
# painted celluloid of film animation; `style="ink"` gives black ink and screens of dots, as in
# printed comics. `draw_avatar(photo)` gives an SVG document, and the same drawing in pixels. A
# drawing has sharp lines, so we work with twice as many pixels a side as the other notebooks do.

# %%
person = show.portrait(photo, 2 * size)
lady = show.portrait("joconde" if photo == "astronaut" else "astronaut", 2 * size)
cel, ink = animefy(person), animefy(person, style="ink")
avatar = draw_avatar(person, size=2 * size)


# %%
def small(image, side=161):
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


# %% tags=["thumbnail"]
show.pictures(
    *[small(image, 184) for image in (person, cel.image, ink.image, avatar.image)],
    titles=["the photo", 'style="cel"', 'style="ink"', "the avatar"],
    alt="A person in a photo, in flat colours with ink lines, in black with dots, and as a flat portrait.",
    width=11,
)

# %% [markdown]
# Move the line: what was photographed is on its left, what was drawn is on its right. Hair, face and
# clothes stay where they are; only the chin gets narrower, the eyes larger and the mouth a little
# smaller.

# %%
show.Wipe(
    small(person, 360),
    small(cel.image, 360),
    alt=("The photo.", "The same person as a drawing in flat colours."),
    interactive=interactive,
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("75_cel", cel.image), show.check("75_ink", ink.image))
assert cel.image.shape == ink.image.shape == person.shape
assert cel.mask.mean() > 0.5 and np.array_equal(cel.mask, (cel.image != person).any(axis=2))

# %% [markdown]
# ## Why is it so? The anime
#
# A filter that treats all pixels alike makes a photo look like a filtered photo. Who draws knows
# what is hair and what is skin, chooses a colour for each, decides where shade begins, and draws
# eyes as eyes. So do we, in that order.
#
# **Shape.** Let $s$ run from 0 at the tip of the nose to 1 at the chin, and let $a(p)$ be a
# point's distance from the midline of the face, as a vector. The lower face is drawn in by
#
# $$ p' = p - 0.13\, s^{3/2}\, a(p), $$
#
# and the picture is warped along, with neck and collar. Nothing above the tip of the nose moves.

# %%
mesh = detect_faces(person)[0]
slim = narrowed(mesh)
moved = replace(mesh, points=slim)
narrow = reshape(person, mesh, slim)
assert np.array_equal(slim[10], mesh.points[10]) and not np.array_equal(slim[172], mesh.points[172])

# %% [markdown]
# **Parts.** A small network tells people from background, on a grid of 256 by 256; a guided filter
# brings its soft answer to the edges of the picture (`facekit.person`). No network tells hair.
# It is found by what colours say, and by place:
#
# $$ \log\frac{P(\text{hair})}{1 - P(\text{hair})}
#   = \tau \log\frac{p(c \mid \text{hair})}{p(c \mid \text{other})} + \text{prior}(x, y). $$
#
# The histogram $p(c \mid \text{hair})$ is learned from the crown of this very head, and learned
# again from what was found, three times. Here $\tau = 0.7$, because neighbouring pixels are not
# independent witnesses. Skin is what has the chroma of this face. Bristles are looked for
# where beards grow, as darker or paler than the cheek of the same side.

# %%
scene = look_at(narrow, moved)
show.pictures(
    *[small(part) for part in (narrow, scene.person, scene.hair, scene.skin)],
    titles=["chin drawn in", "person", "hair", "skin"],
    alt="The person with a narrower chin, and white masks of the whole person, of the hair, and of skin.",
    width=10,
)

# %%
assert scene.person[scene.face].mean() > 0.99 and (scene.hair <= scene.person).all()
if photo == "astronaut":
    assert scene.beard.mean() < 0.01 and 0.05 < scene.hair.mean() < 0.4

# %% [markdown]
# **Colours.** Each part gets one flat colour: the median of its pixels in CIELAB, cleared up. Skin
# gets lighter, the more so the darker the photo is ($L' = L + 7 + 0.16\,(80 - L)$ below 80), and its
# chroma grows with it. Its shade is a fifth darker and a little redder, since light that comes out
# of skin has passed through blood. Hair has three tones, and the chroma of the iris grows by at least a
# half.

# %%
look = take_colours(scene)
names = ["skin", "skin_shade", "hair", "hair_shade", "hair_shine", "brow", "iris", "lips", "ink"]
strip = np.array([[getattr(look, name) for name in names]]).round().astype(np.uint8)
figure, axes = show.canvas(size=(9, 1.6))
axes.imshow(strip, aspect="auto")
axes.set(title="the colours taken", xlabel="part", ylabel="one colour", yticks=[])
axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names])
show.View(figure, alt="Nine swatches: light and shaded skin, three tones of hair, brow, iris, lips and ink.")

# %% [markdown]
# The order of tones must not depend on the photo: shade is darker than skin, shine is lighter than
# hair, and ink is the darkest.

# %%
light = dict(zip(names, to_lab(strip)[0, :, 0], strict=True))
assert light["skin"] > light["skin_shade"] > light["ink"]
assert light["hair_shine"] > light["hair"] > light["hair_shade"]

# %% [markdown]
# **Tones.** Where does shade begin? Not where a pixel is dark: pores and noise are dark, too. The
# light must be smoothed first, within skin alone, so that neither hair nor wall bleeds in. That is a
# *normalised convolution*: with weights $w$ from the matte,
#
# $$ \bar L = \frac{G_\sigma * (w\,L)}{G_\sigma * w}. $$
#
# Skin is in the shade where $\bar L$ lies 7 units under the face's usual light. The field is soft,
# the shape must not be. It is stretched to the picture's size and cut there at its level $\ell$, with
# a ramp of one pixel, $\operatorname{clip}(\tfrac12 + g\,(f - \ell))$. The gain $g$ is such that the
# outline is smooth and has no stairs. A fringe and the chin cast shadows of their own, as they would
# under a lamp overhead: their mattes are shifted down.

# %%
tones = tones_of(scene)
spread = 0.075 * scene.unit * scene.scale
field = smoothed_within(scene.lab[..., 0], scene.skin, spread)
painting = paint(scene, look, tones)

# %%
show.pictures(
    small(scene.lab[..., 0]),
    small(np.where(scene.skin > 0.5, field, np.float32(0))),
    small(tones.shadow * tones.skin),
    small(as_bytes(painting)),
    titles=["lightness", "smoothed within skin", "cut: the shade", "flat colours"],
    alt="Lightness of the photo, the soft light of skin, a clean shape of shade, and a flat painting.",
    width=10,
)

# %% [markdown]
# A cut field is flat: nearly all pixels of the shade are either in it or not. Of the photo's
# lightness nothing like it can be said.

# %%
cut = tones.shadow[tones.skin > 0.9]
decided = ((cut < 0.02) | (cut > 0.98)).mean()
print("more than 90 % of the skin is either lit or in the shade:", bool(decided > 0.9))
assert decided > 0.9

# %% [markdown]
# Clothes and background keep some drawing. Their lightness is rounded to steps of
# $\Delta = 13$, with a short slope between two steps, so that a slow gradient gets a clean contour
# and not a torn one (Winnemöller, Olsen and Gooch 2006):
#
# $$ Q(L) = \Delta \left(\left\lfloor \tfrac{L}{\Delta} \right\rfloor
#   + \operatorname{clip}\!\left(5 \operatorname{frac}\tfrac{L}{\Delta} - 2,\; 0,\; 1\right)\right). $$

# %%
steps = np.histogram(to_lab(as_bytes(tones.clothes))[..., 0], 100, (0, 100))[0]
photographed = np.histogram(to_lab(scene.image)[..., 0], 100, (0, 100))[0]
top = [np.sort(one)[::-1][:16].sum() / one.sum() for one in (steps, photographed)]
print("clothes have fewer tones than the photo:", bool(top[0] > top[1]))
assert top[0] > top[1]

# %% [markdown]
# **The flow of edges.** Ink comes next, and this is the heart of it. Along which way would a pen go?
# Across an edge the picture changes most, along it least. One pixel's gradient $\nabla L$ is noisy,
# and to average gradients is of no use: on both sides of a dark line they point in opposite
# directions and cancel. Their *products* do not. The **structure tensor** is
#
# $$ J = G_\sigma * \left(\nabla L\, \nabla L^{\mathsf T}\right)
#   = \begin{pmatrix} J_{xx} & J_{xy} \\ J_{xy} & J_{yy} \end{pmatrix}. $$
#
# Its eigenvector of the smaller eigenvalue is the direction of least change, the *edge tangent*. For
# two by two it has a closed form, at the angle
# $\tfrac12 \operatorname{atan2}(2 J_{xy},\, J_{xx} - J_{yy}) + \tfrac{\pi}{2}$. It has no sign: the
# flow is a field of lines, not of arrows.
#
# We see it by smearing noise along it (*line integral convolution*, Cabral and Leedom 1993). The
# Mona Lisa is our example now, because a panel of poplar that is five hundred years old has what a
# portrait from a studio has not: cracks.

# %%
width = 1.3
lightness = cv2.cvtColor(lady, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * np.float32(100 / 255)
flow = edge_flow(lightness, 2.5 * width)
noise = np.random.default_rng(seed).random(lightness.shape, dtype=np.float32)
smeared = flow_smoothed(cv2.GaussianBlur(noise, (0, 0), 1), flow, 9.0)


# %%
def around(face, reach):
    unit, (x, y) = eye_distance(face), face.points[4].astype(int)
    half = round(reach * unit)
    return np.s_[max(y - half, 0) : y + half, max(x - half, 0) : x + half]


# %%
sitter = detect_faces(lady)[0]
head = around(sitter, 0.9)
low, high = np.percentile(smeared, (2, 98))
show.pictures(
    lightness[head],
    np.clip(smeared, low, high)[head],
    titles=["lightness", "noise, smeared along the flow"],
    alt="The Mona Lisa in grey; noise combed into strands that follow her outline, eyes and mouth.",
    width=6.4,
)

# %% [markdown]
# Is it the way of least change? Then the gradient across the flow must be larger than the one along
# it, all over the picture.

# %%
gradient = np.stack([cv2.Sobel(lightness, cv2.CV_32F, *way) for way in ((1, 0), (0, 1))], axis=2)
along = np.abs((gradient * flow).sum(axis=2)).mean()
across = np.abs(gradient[..., 0] * flow[..., 1] - gradient[..., 1] * flow[..., 0]).mean()
print("across the flow the picture changes at least 1.5 times as much:", bool(across > 1.5 * along))
assert across > 1.5 * along and np.allclose(np.hypot(*np.moveaxis(flow, 2, 0)), 1, atol=1e-5)

# %% [markdown]
# **Difference of Gaussians.** A dark line is where a narrow mean is darker than a wide one:
# $D = G_\sigma * L - G_{1.6\,\sigma} * L$. The plain way (Marr and Hildreth 1980) takes round
# Gaussians, and finds lines as well as every crack and grain. Kang, Lee and Chui (2007) take the
# difference only *across* the flow, by a profile in one dimension, and then gather it *along* the
# flow:
#
# $$ H(x) = \int G_{3\sigma}(s) \int \left(G_\sigma(t) - G_{1.6\,\sigma}(t)\right)
#   L\big(c_x(s) + t\, n(s)\big)\, dt\, ds, $$
#
# where $c_x$ is the stream line through $x$, and $n$ stands across it. Where many pixels along a
# stroke agree, they sum up; a grain has nobody to agree with.


# %%
def profile(sigma):
    steps = np.arange(round(2.5 * 1.6 * sigma) + 1)
    narrow, wide = (np.exp(-0.5 * (steps / spread) ** 2) for spread in (sigma, 1.6 * sigma))
    narrow, wide = (one / (one[0] + 2 * one[1:].sum()) for one in (narrow, wide))
    return (narrow - wide).astype(np.float32)


# %%
plain = cv2.GaussianBlur(lightness, (0, 0), width) - cv2.GaussianBlur(lightness, (0, 0), 1.6 * width)
weights = profile(width)
padded = cv2.copyMakeBorder(lightness, *(len(weights),) * 4, cv2.BORDER_REPLICATE)
difference = np.zeros_like(lightness)
everywhere = np.ones(lightness.shape, bool)
differences(padded, flow, weights, everywhere, difference, 0, len(lightness))
gathered = flow_smoothed(difference, flow, 3 * width)

# %% [markdown]
# **Threshold.** Ink is black or not there. A hard threshold gives stairs, so the *extended*
# difference of Gaussians (Winnemöller, Kyprianidis and Olsen 2012) takes a soft one:
# $\operatorname{clip}\big(\tanh(\varphi\,(-H - \tau)),\, 0,\, 1\big)$, with $\varphi = 0.9$. Below
# $\tau$, in units of lightness, there is paper.


# %%
def thresholded(response, threshold=0.6):
    return np.clip(np.tanh((-response - np.float32(threshold)) * np.float32(0.9)), 0, 1)


# %%
rough, strokes = thresholded(plain), thresholded(gathered)
clean = without_specks(strokes)

# %%
show.pictures(
    *[np.clip(one, -3, 3)[head] for one in (plain, gathered)],
    titles=["difference of Gaussians", "across and along the flow"],
    alt="Two grey fields: the first is full of fine grain; in the second lines are long and smooth.",
    width=6.4,
)

# %% [markdown]
# The same as ink. Left to right: without flow; with it; and with specks removed. A mark of fewer than
# 12 pixels is dirt, not ink. No blur would take it away without hurting the strokes, but a count of
# connected pixels does.

# %%
show.pictures(
    *[small(1 - one[head], 236) for one in (rough, strokes, clean)],
    titles=["no flow, thresholded", "along the flow", "specks removed"],
    alt="Ink drawings of the Mona Lisa: noisy with broken lines, with clean strokes, and without specks.",
    width=10,
)


# %%
def marks(lines):
    found = cv2.connectedComponentsWithStats((lines > 0.1).astype(np.uint8))[2]
    return found[1:, cv2.CC_STAT_AREA]


# %%
counts = [len(marks(lines)) for lines in (rough, strokes, clean)]
print("the flow leaves fewer marks, and taking specks away fewer still:", counts == sorted(counts)[::-1])
assert counts[0] > counts[1] > counts[2] > 0
assert marks(strokes).min() < 12 <= marks(clean).min()
assert marks(ink_lines(person, width=width)).min() >= 12

# %% [markdown]
# What we built by hand is what `ink_lines` returns. It only does less: nothing at all where the
# picture hardly varies.

# %%
away = np.abs(clean - ink_lines(lady, width=width))
print("by hand it is the same, but for one pixel in a thousand:", bool((away > 0.01).mean() < 1e-3))
assert (away > 0.01).mean() < 1e-3

# %% [markdown]
# In a drawing of a face, `ink_lines` is asked only outside of the drawn face: for folds, ears, strands.
# The outlines of person, hair and jaw are drawn as curves where a matte passes one half. A pen presses
# more below and to the right, away from the light: with $g$ the matte's gradient, a line's width is
# $w\,\big(0.85 - 0.35\,(g_x + g_y)/|g|\big)$.

# %%
lined = painting.copy()
draw_lines(lined, scene, look, tones, strong=False)

# %% [markdown]
# **Features.** A filter can make skin flat, but an eye that is filtered is a stain. Eyes, brows, nose
# and mouth are drawn from the mesh. First its points move: an eye gets 1.16 times wider and up to
# 1.42 times higher, an iris 1.42 times larger, and the mouth is a tenth smaller. A closed eye stays
# closed. Then curves go through the points. A Catmull-Rom spline passes through all of them, and
# needs nothing but four neighbours:
#
# $$ c(t) = \tfrac12 \big(2 p_1 + (p_2 - p_0)\,t + (2p_0 - 5p_1 + 4p_2 - p_3)\,t^2
#   + (3p_1 - p_0 - 3p_2 + p_3)\,t^3\big). $$

# %%
free = 1 - tones.hair
eyed, drawn = lined.copy(), lined.copy()
draw_eyes(eyed, scene, look, free)
draw_features(drawn, scene, look, free, plain=False)
draw_brows(drawn, scene, look, np.maximum(free, np.float32(0.75)))

# %%
face = around(mesh, 0.8)
show.pictures(
    *[small(as_bytes(stage)[face], 236) for stage in (lined, eyed, drawn)],
    titles=["flat, with lines", "with eyes", "with all features"],
    alt="A face with outlines but without features; with large eyes; with brows, nose and mouth.",
    width=10,
)

# %%
assert np.array_equal(scene.mesh.points, drawn_points(moved).points)
eyes = [np.ptp(points[list(RIGHT_EYE)], axis=0) for points in (slim, scene.mesh.points)]
assert (eyes[1] > 1.05 * eyes[0]).all()

# %% [markdown]
# This was all. The stages together are `animefy`, up to rounding. And `amount` is a plain mean of
# photo and drawing, $(1 - a)\,I + a\,D$: at 0 the photo comes back, to the bit.

# %%
gap = np.abs(as_bytes(drawn).astype(int) - cel.image).max(axis=2)
print("stage by stage it is the same to two levels:", bool((gap > 2).mean() < 1e-3))
assert (gap > 2).mean() < 1e-3
assert np.array_equal(animefy(person, amount=0).image, person)

# %% [markdown]
# **Screens.** A press for comics has one ink, black. Greys are dots on a grid, which stands at 45
# degrees, where the eye sees a grid least. The screen is $h = \tfrac12 + \tfrac12\cos kx\,\cos ky$, with
# $k = \pi\sqrt2/p$; along the diagonals, dots are $p$ apart. To cover the share $t$ of the paper, ink
# goes where $h$ is among the highest $t$ of all its values: it is the *rank* that counts. Without it, a
# tone of 0.1 would cover far less than a tenth, because $h$ is seldom near its ends (Ulichney 1987).

# %%
ramp = np.tile(np.linspace(0, 1, 270, dtype=np.float32), (60, 1))
screen = halftone(ramp, period=9)
show.pictures(
    1 - ramp,
    1 - screen,
    titles=["a grey ramp", "its screen of dots"],
    alt="A ramp from white to black, and the same as dots that grow, meet, and leave white holes.",
    width=7.4,
)

# %%
shares = np.linspace(0, 1, 11)
covered = [float(halftone(np.full((96, 96), share, np.float32), period=8).mean()) for share in shares]
assert np.abs(covered - shares).max() < 0.05

# %%
screened = as_bytes(ink_tones(scene, look, tones))
show.pictures(
    *[small(one[around(mesh, 1.05)], 251) for one in (screened, ink.image)],
    titles=["screens and solid black", "with lines and features"],
    alt="A head of black areas and dots without a face; the same with lines, eyes, nose and mouth.",
    width=7,
)

# %% [markdown]
# ### Dials of the anime
#
# `style` below a half is cel, above it ink. `amount` lets the photo show through. With fewer pixels,
# lines get thinner, and the pen stops at a width of about one.

# %%
fewer = small(person, 3 * size // 2)


def draw_anime(style, amount):
    return animefy(fewer, style="ink" if style > 0.5 else "cel", amount=amount).image


# %%
dials = show.Play(
    draw_anime,
    alt="The person as a drawing, as the dials for style and amount say.",
    interactive=interactive,
    style=(0.0, 1.0, 0.0),
    amount=(0.0, 1.0, 1.0),
)
dials

# %%
whole = dials.picture
dials.set(amount=0.5)
assert np.abs(dials.picture - (fewer.astype(float) + whole) / 2).max() <= 1.01
dials.set(style=1, amount=1)
assert (np.ptp(dials.picture, axis=2) == 0).mean() > 0.99

# %% [markdown]
# ## Why is it so? The avatar
#
# An avatar should be like its person and yet give nothing of the photo away. So photo and drawing
# are separated by a narrow gate, the `Portrait`: the shape of a face as numbers, and a few words.
# Whatever is not in it cannot be in the drawing.
#
# **Shape.** The head's pose is undone in space. Over points that no expression moves (corners of eyes,
# the nose's bridge, rims at the ears), we look for the similarity that carries the face onto the mean
# face (Umeyama 1991; notebook 70 says more):
#
# $$ \min_{s, R, t} \sum_{i} \left\lVert s R\, x_i + t - \bar x_i \right\rVert^2. $$
#
# Then what the face *does* is taken away. Blendshapes say how much it smiles or how far the jaw has
# dropped; each has a slope, found by regression over portraits, and an amount of it is subtracted.
# What remains is the face at rest. And last, the difference to the mean is exaggerated by a fifth,
# $p' = \bar p + 1.2\,(p - \bar p)$, for that is what makes a likeness (Brennan 1985). Half of what is
# lopsided is taken away again, since a drawing shows that more than a face does. The mean face is drawn
# in orange: it smiles a little, because people before cameras do.

# %%
portrait = measure_face(person, mesh)
upright = upright_points(mesh)[:, :2]
exaggerated = make_figure(portrait).points

# %%
rings = (FACE_OVAL, RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_OUTER, LIPS_INNER)


def outlines(ax, points, colour):
    for ring in rings:
        ax.plot(*points[[*ring, ring[0]], :2].T, color=colour, linewidth=1.5)


# %%
figure, axes = show.canvas(1, 3, size=(8.4, 3.3))
shapes = (upright, portrait.points, exaggerated)
for ax, shape, title in zip(axes, shapes, ("upright", "at rest", "exaggerated"), strict=True):
    outlines(ax, mean_points(), show.COLOURS[4])
    outlines(ax, shape, show.COLOURS[0])
    ax.set(aspect="equal", title=title, xlabel="x, eye distances", ylabel="y, eye distances")
    ax.invert_yaxis()
alt = "Outlines over those of the mean face: smiling; with closed lips; farther from the mean."
show.View(figure, alt=alt, photo=True)

# %%
far = [np.linalg.norm(points - mean_points()[:, :2], axis=1).mean() for points in shapes]
if photo == "astronaut":
    gaps = [float(points[14, 1] - points[13, 1]) for points in (upright, portrait.points)]
    assert gaps[1] < 0.5 * gaps[0]
assert far[2] > far[1]

# %% [markdown]
# What is lopsided is the difference between a face and its mirror image. It must come out 1.2 times
# larger and then halved, so at 0.6 of what it was.


# %%
def lopsided(points):
    return np.linalg.norm(points - points[mirror_permutation()] * (-1, 1))


# %%
assert abs(lopsided(exaggerated) / lopsided(portrait.points) - 0.6) < 0.03
beam = read_action({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
assert 0.13 < beam.wider < 0.17 and beam.gap < 0.02 and read_action({}).wider == 0

# %% [markdown]
# **Words.** Colours become names. A measured colour $c$ gets the name of the nearest of a fixed
# palette, $\operatorname{argmin}_k \sum_j w_j\,(c_j - c_{kj})^2$ in CIELAB, with twelve skins, twelve
# hairs and six eyes. Of millions of colours, twelve remain: that flatters, and it forgets. The head's
# outline becomes a word, too. The face is turned upright at a fixed size, and shares of hair are measured in
# zones around it: crown, sides, jaw, shoulders, fringe. A handful of rules then says "fringe", "bob",
# "bald", and so on.

# %%
look_of = portrait.look
rows = ((SKIN, look_of.skin, "skin"), (HAIR, look_of.hair, "hair"), (EYES, look_of.eyes, "eyes"))
figure, axes = show.canvas(3, 1, size=(9, 3.6))
for ax, (palette, chosen, title) in zip(axes, rows, strict=True):
    colours = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in palette.values()]
    ax.imshow(np.array([colours], np.uint8), aspect="auto")
    at = list(palette).index(chosen)
    ax.plot([at - 0.46, at + 0.46], [0.42, 0.42], color="white", linewidth=6)
    ax.plot([at - 0.46, at + 0.46], [0.42, 0.42], color="black", linewidth=3)
    ax.set(title=title, xlabel="colour of the palette", ylabel=" ", xticks=[], yticks=[])
show.View(figure, alt="Palettes of skin, hair and eyes; in each, one colour is underlined.")

# %%
view = look_upright(person, mesh)
silhouette = measure_silhouette(view)
assert silhouette.hair_class() == look_of.hair_class
assert all(nearest(lab_of(SKIN[name]), SKIN, weights=(1, 1, 1)) == name for name in SKIN)

# %%
outline = (portrait.points[list(FACE_OVAL)] * PER_UNIT + CENTRE).round().astype(np.int32)
measured = np.where(view.inside[..., None], view.image, 255).astype(np.uint8)
cv2.polylines(measured, [outline], True, (0, 160, 255), 2)
middle = np.s_[20:230, 22:232]
show.pictures(
    measured[middle],
    view.hair[middle],
    small(avatar.image, 210),
    titles=["upright", "its hair", "the drawing"],
    alt="The head upright with the face's outline at rest, a mask of its hair, and the avatar.",
    width=9,
)

# %% [markdown]
# **Layers.** `design` turns a portrait into layers of Bézier curves, from the background to the
# fringe. Each has a name, and so has each path that a program may want to move. We paint them one
# after another, and take the Mona Lisa, who has hair behind her neck, too.

# %%
layers = design(measure_face(lady, sitter))
counts = (2, 4, 7, 10, 14, len(layers.layers))
stages = [rasterise_drawing(replace(layers, layers=layers.layers[:count]), 2 * size) for count in counts]
titles = [f"up to {layers.layers[count - 1].name}" for count in counts]

# %%
show.pictures(
    *[small(stage, 188) for stage in stages[:3]],
    titles=titles[:3],
    alt="A disc with the hair behind a head; with neck and shoulders; with an empty, shaded face.",
    width=8.4,
)

# %%
show.pictures(
    *[small(stage, 188) for stage in stages[3:]],
    titles=titles[3:],
    alt="The face with mouth and nose; with eyes and brows; and with the hair in front.",
    width=8.4,
)

# %% [markdown]
# **Coverage.** SVG says where a curve runs; a picture needs to know how much of each pixel lies
# inside. Counting points on a finer grid is only nearly right. The exact area is no harder. By
# Green's theorem, an area is a sum over the outline's edges. Each edge from $(x_0, y_0)$ to
# $(x_1, y_1)$ adds, in the row that it crosses, the signed area between itself and the right end:
# its height there, times how much of the pixel lies right of it. A running sum along the row then
# gives each pixel's covered share (Levien 2016).

# %%
ring = flatten(circle(8.0, 8.0, 5.7))
following = np.roll(ring, -1, axis=0)
cover = cover_fill(np.concatenate([ring, following], axis=1).astype(np.float32), (16, 16))
area = abs((ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]).sum()) / 2
print("the covered shares sum up to the circle's area:", bool(abs(cover.sum() - area) < 1e-3 * area))
assert abs(cover.sum() - area) < 1e-3 * area and abs(area / (np.pi * 5.7**2) - 1) < 0.01

# %%
figure, axes = show.canvas(size=(4.2, 4))
axes.imshow(1 - cover, cmap="gray", extent=(0, 16, 16, 0))
axes.plot(*np.vstack([ring, ring[:1]]).T, color=show.COLOURS[1])
axes.set(title="how much of each pixel is covered", xlabel="x, pixels", ylabel="y, pixels")
alt = "A circle over a grid of pixels; those on its rim are grey by their covered area."
show.View(figure, alt=alt, photo=True)

# %% [markdown]
# **Expression.** The gate has a second use. Shape and look are who it is; `action` is what the face
# does. Hand in another face's mesh, and its blendshapes drive this portrait: somebody else's smile,
# a mannequin's stare, the next frame of a video. Its shape is ignored.

# %%
mannequin = synthetic_mesh(size)


def doing(**scores):
    shapes = mannequin.blendshapes.names
    values = np.array([scores.get(name, 0.0) for name in shapes], np.float32)
    return replace(mannequin, blendshapes=Blendshapes(shapes, values))


# %%
surprise = doing(jawOpen=0.7, browInnerUp=1, browOuterUpLeft=1, browOuterUpRight=1, eyeWideLeft=1)
wink = doing(eyeBlinkLeft=1, mouthSmileLeft=0.9, mouthSmileRight=0.5, browDownLeft=0.4)
sulk = doing(mouthFrownLeft=1, mouthFrownRight=1, browDownLeft=1, browDownRight=1, eyeLookDownLeft=0.5)
drivers = (sitter, surprise, wink, sulk)
driven = [draw_avatar(portrait, size=2 * size, expression=driver) for driver in drivers]

# %%
row, col, side = 36 * size // 100, 45 * size // 100, 110 * size // 100
show.pictures(
    *[small(one.image[row : row + side, col : col + side]) for one in driven],
    titles=["driven by Mona Lisa", "surprise", "a wink", "a sulk"],
    alt="One portrait with four expressions: faint smile, open mouth, one eye shut, corners down.",
    width=10,
)

# %%
for one in driven:
    assert np.array_equal(one.portrait.points, portrait.points) and one.portrait.look == look_of
assert driven[2].portrait.action == read_action(wink.blendshapes)
assert "eye-left-iris" not in driven[2].svg and "eye-right-iris" in driven[2].svg
assert 'id="mouth-hole"' in driven[1].svg

# %% [markdown]
# ### Dials of the avatar
#
# Five of fifty-two blendshapes, or pairs of them. `gaze` runs from the picture's left to its right.


# %%
def act(smile, jaw, brows, blink, gaze):
    right, left = max(gaze, 0), max(-gaze, 0)
    face = doing(
        **dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), smile),
        **dict.fromkeys(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), brows),
        **dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), blink),
        **dict.fromkeys(("eyeLookInRight", "eyeLookOutLeft"), right),
        **dict.fromkeys(("eyeLookOutRight", "eyeLookInLeft"), left),
        jawOpen=jaw,
    )
    return draw_avatar(portrait, size=5 * size // 4, expression=face).image


# %%
share = (0.0, 1.0, 0.0)
acting = show.Play(
    act,
    alt="The avatar, with the expression that the dials say.",
    interactive=interactive,
    smile=(0.0, 1.0, 0.6),
    jaw=share,
    brows=(0.0, 1.0, 0.4),
    blink=share,
    gaze=(-1.0, 1.0, 0.5),
)
acting

# %%
before = acting.picture
acting.set(blink=1)
rows_changed = np.flatnonzero((acting.picture != before).any(axis=(1, 2)))
assert rows_changed.size and np.ptp(rows_changed) < 0.25 * len(before)

# %% [markdown]
# ## How do I know that it is right?
#
# **A drawing is flat.** At least 60 % of the face's pixels must lie within 3 units of one of the
# few colours taken, in CIELAB. In the photo, very few do.


# %%
def flat_share(image):
    pixels = to_lab(image)[face_mask(cel.faces[0], image.shape[:2])]
    tones_taken = to_lab(strip)[0]
    return (np.linalg.norm(pixels[:, None] - tones_taken, axis=2).min(axis=1) < 3).mean()


# %%
flat, photographed = flat_share(cel.image), flat_share(narrow)
print("at least 60 % of the drawn face are flat:", bool(flat >= 0.6))
print("of the photo less than half as much:", bool(photographed < 0.5 * flat))
assert flat >= 0.6 and photographed < 0.5 * flat

# %% [markdown]
# **Ink is ink.** In the whole drawing style, nearly every pixel is grey, and most are black or white.

# %%
grey = (np.ptp(ink.image, axis=2) == 0).mean()
extreme = ((ink.image < 60) | (ink.image > 195)).mean()
assert grey > 0.99 and extreme > 0.75

# %% [markdown]
# **The same photo gives the same drawing**, bit for bit, and so does a portrait that was measured
# before.

# %%
assert np.array_equal(animefy(person).image, cel.image)
again = draw_avatar(portrait, size=2 * size)
assert again.svg == avatar.svg and np.array_equal(again.image, avatar.image)
if size == 256 and photo == "astronaut":
    print(show.check("75_avatar", avatar.image))

# %% [markdown]
# **No pixel of the photo.** A proof in three steps. First, the document holds nothing but paths, in
# groups, on a rectangle: no raster image, no link, no data. Second, `design` is a function of the
# portrait alone; the cell above drew the same document without the photo. Third, the portrait has
# no room for a picture. It is 478 points, rounded to a ten-thousandth of the eye distance, seventeen
# numbers for the action, and thirteen words and numbers for the look.

# %%
root = ET.fromstring(avatar.svg)  # noqa: S314 (our own)
kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
print("kinds of elements:", ", ".join(sorted(kinds)))
assert kinds == {"svg", "title", "desc", "defs", "clipPath", "g", "path", "rect"}
assert not re.search(r"<image|href|base64|data:|script", avatar.svg)

# %%
assert {field.name for field in fields(portrait)} == {"points", "action", "look"}
assert np.array_equal(portrait.points, portrait.points.round(4)) and portrait.points.shape == (478, 2)
assert all(isinstance(getattr(look_of, one.name), str | float | bool) for one in fields(look_of))

# %% [markdown]
# An experiment says the same. We change most pixels of the photo by up to two levels. The mesh is held
# still, and the words may not change. Then the document is the same, letter by letter.

# %%
grain = np.random.default_rng(seed).integers(-2, 3, person.shape)
noisy = np.clip(person + grain, 0, 255).astype(np.uint8)
others = replace(measure_face(noisy, mesh), look=look_of)
print("most pixels differ:", bool((noisy != person).any(axis=2).mean() > 0.9))
assert (noisy != person).any(axis=2).mean() > 0.9
assert draw_avatar(others, size=2 * size).svg == avatar.svg

# %% [markdown]
# **Pixels and SVG are one drawing.** The ids in the document are the drawing's names, in its order.
# Coordinates have two decimals, so the document has less than 60 kilobytes, whatever the size. And a
# large raster, made smaller, is the small raster. A test in the repository has Chromium paint the SVG
# and compares that, too.

# %%
names = design(portrait).names()
inside = [one.get("id") for one in root.iter() if one.get("id") in set(names)]
tiny = draw_avatar(portrait, size=size // 2)
shrunk = avatar.image.reshape(size // 2, 4, size // 2, 4, 3).mean(axis=(1, 3))
assert inside == names and len(avatar.svg.encode()) < 60_000
assert re.findall(r' d="[^"]+"', tiny.svg) == re.findall(r' d="[^"]+"', avatar.svg)
assert np.abs(shrunk - tiny.image).mean() < 2
assert re.search(r"\d\.\d\d\b", avatar.svg) and not re.search(r"\.\d{3}", avatar.svg)

# %% [markdown]
# **Whose portrait is it?** We compare outlines of faces as drawn with outlines as measured. Each
# drawing must be nearest to its own person, although it is exaggerated and made more symmetric.

# %%
meshes = [mesh, sitter]
ovals = [upright_points(one)[list(FACE_OVAL), :2] for one in meshes]
figures = [make_figure(measure_mesh(one)).points[list(FACE_OVAL)] for one in meshes]
gaps = [[np.linalg.norm(drawn_oval - oval, axis=1).mean() for oval in ovals] for drawn_oval in figures]
print("each drawn outline is nearest to its own person:", [int(np.argmin(row)) for row in gaps] == [0, 1])
assert [int(np.argmin(row)) for row in gaps] == [0, 1]

# %%
nobody = synthetic_face(size, seed=seed + 3)
pair = [draw_avatar(one, size=2 * size).image for one in (lady, nobody)]
show.pictures(
    *[small(one) for one in (lady, pair[0], nobody, pair[1])],
    titles=["Mona Lisa", "her avatar", "a mannequin", "its avatar"],
    alt="The Mona Lisa and a portrait with long black hair; a mannequin and a portrait with short hair.",
    width=10,
)

# %% [markdown]
# ## What can go wrong?
#
# - *Colour of the light.* Both read the photo's colours. Under a red lamp, skin is red, and the
#   drawing believes it.
# - *Hats are hair.* Nothing tells cloth on a head from hair on it. White beards are not seen as
#   beards.
# - *Parts bleed.* Where hair and wall have one colour, only their place tells them apart, and outlines
#   wander.
# - *Profiles.* Of a head that is turned far aside, `animefy` does not draw the hidden eye. From 35
#   degrees, the avatar's hidden side is the mirror image of the other.
# - *Words are few.* Nine kinds of hair, five of beard. Two people may get the same ones, and then only
#   the shape tells them apart. Clothes are invented: they follow from the look, not from the photo.
# - *It is not anonymous.* An avatar holds no pixel, but a likeness is its purpose. Who knows the
#   person may recognise it, and a shape in numbers is personal data.
# - *One face at a time.* Whoever else is in the picture is simplified and gets no drawn eyes.
#
# The lamp, and a face that is turned far aside:

# %%
lamp = (person * np.array([1, 0.5, 0.45])).astype(np.uint8)
turned = synthetic_face(size, seed=seed + 5, yaw=38)
shown = (animefy(lamp).image, draw_avatar(lamp, size=2 * size).image, turned, animefy(turned).image)
show.pictures(
    *[small(one) for one in shown],
    titles=["under a red lamp", "its avatar", "turned aside", "drawn"],
    alt="A red drawing, an avatar with the wrong skin, a mannequin turned aside, and its drawing.",
    width=10,
)

# %%
reds = [take_colours(look_at(image, mesh)).skin_lab[1] for image in (lamp, person)]
assert reds[0] > reds[1] + 5

# %% [markdown]
# What cannot be drawn is refused, by an error that says what was expected.


# %%
def refusal(kind, way):
    try:
        way()
    except kind as error:
        return f"{kind.__name__}: {error}"
    raise AssertionError(f"expected {kind.__name__}")


# %%
wall = np.full_like(person, 128)
print(refusal(NoFaceError, lambda: animefy(wall)))
print(refusal(NoFaceError, lambda: draw_avatar(wall)))
print(refusal(FaceIndexError, lambda: animefy(person, face=3)))

# %%
print(refusal(ArrayError, lambda: animefy(person, style="oil")))
print(refusal(ArrayError, lambda: animefy(person, amount=1.5)))
print(refusal(ArrayError, lambda: draw_avatar(person, size=5)))
holed = replace(mesh, points=np.full_like(mesh.points, np.nan))
print(refusal(ArrayError, lambda: draw_avatar(holed)))

# %% [markdown]
# ## Try it yourself
#
# 1. Take the average of gradients in place of the structure tensor: blur both components of
#    $\nabla L$, and turn the result by 90 degrees. Where is the flow wrong?
#
# <details><summary>Answer</summary>
#
# On thin lines. To the left and to the right of a dark line the gradients are opposite, and their mean
# is about zero; what is left is noise. Products of gradients have no sign, so both sides agree. On the
# edge between two large areas both ways are equally good.
#
# </details>
#
# 2. Draw the avatar of an avatar: `draw_avatar(avatar.image)`. Is it the same person?
#
# <details><summary>Answer</summary>
#
# The face is, and more so: it is found in the drawing, and its difference to the mean is exaggerated
# once more, with eyes that were too large already. The hair may be quite another. What tells people
# from background, and hair from skin, was made for photos: in a flat drawing it may take the pale disc
# for hair, and the portrait gets long and blond.
#
# </details>
#
# 3. What must change in the cells above to have specks smaller than 40 pixels removed? What goes first?
#
# <details><summary>Answer</summary>
#
# `without_specks(strokes, least=40)`. The ends of strands go first, and short folds around the eyes of
# the painting. The long outlines stay, since they hang together.
#
# </details>

# %%
bold = without_specks(strokes, least=40)
assert marks(bold).min() >= 40 and len(marks(bold)) < len(marks(clean))

# %% [markdown]
# ## References
#
# - Brennan, "Caricature Generator", Leonardo 18(3), 1985.
# - Cabral and Leedom, "Imaging Vector Fields Using Line Integral Convolution", SIGGRAPH 1993.
# - Catmull and Rom, "A Class of Local Interpolating Splines", Computer Aided Geometric Design, 1974.
# - Kang, Lee and Chui, "Coherent Line Drawing", NPAR 2007.
# - Levien, "Inside the Fastest Font Renderer in the World", 2016.
# - Marr and Hildreth, "Theory of Edge Detection", Proceedings of the Royal Society B 207, 1980.
# - Ulichney, "Digital Halftoning", MIT Press, 1987.
# - Umeyama, "Least-Squares Estimation of Transformation Parameters", IEEE PAMI 13(4), 1991.
# - Winnemöller, Kyprianidis and Olsen, "XDoG: An eXtended Difference-of-Gaussians Compendium",
#   Computers & Graphics 36(6), 2012.
# - Winnemöller, Olsen and Gooch, "Real-Time Video Abstraction", SIGGRAPH 2006.
# - Yacoob and Davis, "Detection and Analysis of Hair", IEEE PAMI 28(7), 2006.
