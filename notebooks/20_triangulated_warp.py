# %% [markdown]
# # The triangulated warp
#
# A face mesh says where 468 points of a face lie in a photo, and another mesh says where the same
# points lie in a painting. Between the points nothing is known. This step fills the gap: it cuts
# both faces into the same triangles and carries the picture from each triangle of the one onto its
# partner in the other. The swap needs it, because a face that is to sit in a template must first
# take the template's pose and outline. This notebook builds such a warp in plain numpy, from a few
# short functions, and holds `facekit.warp_piecewise_affine` to it.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
import cv2
import numpy as np

# %%
from facekit import detect_faces, load_sample, show, warp_piecewise_affine
from facekit.errors import DegenerateMeshError
from facekit.topology import FACE_OVAL, face_triangles
from facekit.warp import (
    SamplingMap,
    facing,
    fit_similarity,
    rasterise,
    sample,
    sample_mask,
    signed_areas,
    transform_points,
    warp_in_place,
    warp_points,
    warp_similarity,
)

# %% [markdown]
# ## What is this step?
#
# The types are few. A picture is an array of shape `(H, W, 3)` in bytes. Points are an array `(N,
# 2)` in pixels, as x and y, with pixel centres at whole numbers. Triangles are an array `(T, 3)`
# of indices into the points. The same triangles serve both faces: that is the whole idea of
# Glasbey and Mardia's *piecewise affine* warp [1].
#
# `close_up` finds the face, and moves and scales the picture so that the face fills it. It returns
# the picture, the 468 points of the surface, and each point's distance from the viewer (smaller is
# nearer).


# %%
def close_up(name):
    image = load_sample(name)
    face = detect_faces(image)[0]
    points, depth = face.points[:468], face.depth[:468]
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / (1.5 * (high - low).max())
    shift = (size - 1) / 2 - scale * (low + high) / 2
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    close = warp_similarity(image, matrix, shape=(size, size))
    return close, transform_points(points, matrix), scale * depth


# %%
image, points, depth = close_up(photo)
painting, target, target_depth = close_up("astronaut" if photo == "joconde" else "joconde")
triangles = face_triangles()
assert triangles.shape == (898, 3) and triangles.max() == 467

# %% [markdown]
# One call does the warp. It takes the picture, the points where they are, the points where they
# shall be, and the triangles. `depth` tells which triangle is nearer where two overlap; more of
# that below. It returns the warped picture and a mask of the pixels that the mesh covers.

# %%
warped, inside = warp_piecewise_affine(image, points, target, triangles, depth=target_depth)
assert warped.shape == image.shape and inside.shape == image.shape[:2]
assert not warped[~inside].any()

# %%
figure, axes = show.canvas(1, 3, size=(9, 3.4))
for one, picture, at in zip(axes, (image, painting, warped), (points, target, target), strict=True):
    one.imshow(picture)
    show.draw_mesh(one, at, triangles, colour="#ffffff66")
    one.set(xlabel="x, pixels", ylabel="y, pixels", xlim=(0, size - 1), ylim=(size - 1, 0))
for one, title in zip(axes, ("From this mesh", "onto this one", "The warped face"), strict=True):
    one.set_title(title, loc="left")
show.View(figure, "A photo, a painting and the warped photo, each under a mesh", photo=True)

# %% [markdown]
# The same result without the lines, beside the painting and pasted into it. The paste is crude:
# colours and the seam are the business of later steps. The geometry is already right: the eyes
# look where hers look.

# %%
pasted = np.where(inside[..., None], warped, painting)

# %%
show.pictures(
    painting,
    warped,
    pasted,
    titles=["The painting", "The warped face", "The warped face, pasted"],
    alt="Mona Lisa, the photo's face in her shape, and that face pasted over hers",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("20_warped_face", pasted))

# %% [markdown]
# ## Why is it so?
#
# ### Three weights name a place in a triangle
#
# August Möbius found in 1827 that every point $p$ of a plane is a weighted mean of a triangle's
# corners $a, b, c$:
#
# $$p = \alpha a + \beta b + \gamma c, \qquad \alpha + \beta + \gamma = 1.$$
#
# The weights are the *barycentric coordinates* of $p$. Each is a ratio of areas: $\alpha$ is the
# area of the triangle $p, b, c$ divided by that of $a, b, c$. Areas have a sign, so a weight is
# negative exactly when $p$ lies beyond the opposite side. The area comes from a cross product.


# %%
def cross(p, q, x, y):
    """Twice the area of p, q, (x, y); positive where they run clockwise on the screen."""
    return (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])


def weights(corners, x, y):
    a, b, c = corners
    return np.stack([cross(b, c, x, y), cross(c, a, x, y), cross(a, b, x, y)]) / cross(a, b, *c)


# %% [markdown]
# The weights add up to one, and they give the point back.

# %%
rng = np.random.default_rng(seed)
corner = np.array([[10.0, 4.0], [58.0, 30.0], [14.0, 60.0]])
x, y = rng.uniform(0, 64, (2, 1000))
share = weights(corner, x, y)
assert np.allclose(share.sum(axis=0), 1)
assert np.allclose(share.T @ corner, np.column_stack([x, y]))

# %% [markdown]
# Painted as red, green and blue, the three weights look like this. Each corner has a colour of its
# own, and the middle of the triangle is grey. Lines of equal weight run parallel to the opposite
# side.

# %%
y, x = np.mgrid[:64, :64]
share = weights(corner, x, y)
painted = np.where((share >= 0).all(axis=0), share * 255, 255).transpose(1, 2, 0).astype(np.uint8)
alone = [np.where((share >= 0).all(axis=0), share[k], 1) for k in range(2)]

# %%
show.pictures(
    painted,
    *alone,
    titles=["All three as colours", "The first weight", "The second weight"],
    alt="A triangle whose colour changes evenly between corners; two of its weights in grey",
)

# %% [markdown]
# Keep the weights, exchange the corners, and you have a map from one triangle to the other. It is
# *affine*: a matrix and a shift. Six numbers, fixed by three pairs of corners. Two neighbours
# agree along the side that they share, since there the third weight is zero and only the two
# shared corners count. So the whole map is continuous.

# %%
other = np.array([[30.0, 8.0], [61.0, 55.0], [3.0, 41.0]])
x, y = rng.uniform(0, 64, (2, 1000))
moved = weights(corner, x, y).T @ other
matrix = cv2.getAffineTransform(corner.astype(np.float32), other.astype(np.float32))
assert np.allclose(moved, transform_points(np.column_stack([x, y]), matrix), atol=1e-3)

# %% [markdown]
# ### Which pixels belong to a triangle?
#
# Pineda's answer [2]: those whose centre lies on the inner side of all three edges, that is, where
# three cross products are positive. But what of a centre *on* an edge, where one is zero? If such
# centres are left out, two neighbours both leave them out, and a crack shows the background. If
# they are let in, both draw them: the work is done twice, and whatever is mixed or summed comes
# out wrong. Each centre needs exactly one owner.
#
# The *top-left rule* decides. A centre on an edge belongs to the triangle for which that edge is a
# top edge (level, with the triangle below it) or a left edge. The edge that two triangles share is
# a left edge for exactly one.


# %%
def is_top_or_left(p, q):
    """For an edge of a clockwise triangle: it runs up, or level to the right."""
    dx, dy = q - p
    return dy < 0 or (dy == 0 and dx > 0)


# %% [markdown]
# A rule about "exactly on" is worthless if rounding blurs it. In floating point, the cross product
# seen from one triangle is not always the opposite of that seen from its neighbour. Here are edges
# that pass through a pixel centre as nearly as 32-bit numbers allow, seen from both ends. Some of
# them change sides.

# %%
middle = rng.integers(0, 1000, (2, 1000))
way = rng.normal(size=(2, 1000)) * 5
p, q = (middle - way).astype(np.float32), (middle + 2 * way).astype(np.float32)
x, y = middle.astype(np.float32)
forth, back = np.sign(cross(p, q, x, y)), np.sign(cross(q, p, x, y))
print(f"with floats, some edges differ from themselves: {bool((forth != -back).any())}")
assert (forth != -back).any()

# %% [markdown]
# facekit therefore snaps each vertex to a grid of 1/256 pixel and counts in whole numbers. 1/256
# of a pixel cannot be seen, and whole numbers do not round. The same edges, snapped, always agree.

# %%
STEPS_OF_GRID = 256
p, q = (np.rint(ends.astype(float) * STEPS_OF_GRID).astype(np.int64) for ends in (p, q))
x, y = middle * STEPS_OF_GRID
assert (np.sign(cross(p, q, x, y)) == -np.sign(cross(q, p, x, y))).all()

# %% [markdown]
# Now the naive rasteriser. It takes the corners in units of 1/256 pixel, makes them run clockwise,
# and tests each centre in the triangle's box against the three edges. `bound` is the least value
# that an edge lets in: 0 for an edge that owns its centres, 1 for one that does not.


# %%
def covered(corners, shape, bound):
    """Return the pixels (x, y) of one triangle; `bound` takes the two ends of an edge."""
    a, b, c = corners
    a, b, c = (a, b, c) if cross(a, b, *c) > 0 else (a, c, b)
    low = np.maximum(-(-corners.min(axis=0) // STEPS_OF_GRID), 0)
    high = np.minimum(corners.max(axis=0) // STEPS_OF_GRID + 1, shape[::-1])
    x, y = np.meshgrid(*(np.arange(*ends) for ends in zip(low, high, strict=True)))
    u, v = x * STEPS_OF_GRID, y * STEPS_OF_GRID
    edges = ((a, b), (b, c), (c, a))
    hit = np.logical_and.reduce([cross(p, q, u, v) >= bound(p, q) for p, q in edges])
    return x[hit], y[hit]


# %% [markdown]
# A mesh to try it on: a square lattice whose inner vertices were pushed about by whole pixels, so
# that many centres lie on edges.


# %%
def lattice(cells, pitch, shift):
    """A square lattice: its vertices, these with the inner ones moved, and its triangles."""
    still = np.stack(np.meshgrid(*[np.arange(cells + 1)] * 2), axis=2).reshape(-1, 2) * pitch
    inner = ((still > 0) & (still < cells * pitch)).all(axis=1)
    moved = still + inner[:, None] * rng.integers(-shift, shift + 1, still.shape)
    ids = np.arange((cells + 1) ** 2).reshape(cells + 1, -1)
    a, b, c, d = (part.ravel() for part in (ids[:-1, :-1], ids[:-1, 1:], ids[1:, 1:], ids[1:, :-1]))
    rows = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return still.astype(np.float32), moved.astype(np.float32), rows.astype(np.int32)


# %%
still, pushed, rows = lattice(cells=6, pitch=8, shift=2)
fine = np.rint(pushed * STEPS_OF_GRID).astype(np.int64)
shape = (49, 49)

# %% [markdown]
# Three rules, and how many owners each pixel gets: none (black), one (blue) or several (orange).

# %%
RULES = {
    "Nobody owns an edge": lambda *_: 1,
    "Both own an edge": lambda *_: 0,
    "Top-left rule": lambda p, q: 0 if is_top_or_left(p, q) else 1,
}

# %%
owners = {name: np.zeros(shape, int) for name in RULES}
for name, bound in RULES.items():
    for row in rows:
        x, y = covered(fine[row], shape, bound)
        owners[name][y, x] += 1

# %%
palette = np.array([[0, 0, 0], [0, 114, 178], [230, 159, 0]], np.uint8)
show.pictures(
    *[palette[np.minimum(count, 2)] for count in owners.values()],
    titles=list(owners),
    alt="A mesh under three fill rules: one leaves cracks, one doubles pixels, one does neither",
)

# %% [markdown]
# Within the mesh's outline the first rule leaves cracks, the second doubles pixels, and the third
# gives each exactly one owner.

# %%
within = {name: count[1:-1, 1:-1] for name, count in owners.items()}
assert (within["Nobody owns an edge"] == 0).any() and (within["Both own an edge"] > 1).any()
assert (within["Top-left rule"] == 1).all()
print(f"pixels without an owner: {(within['Nobody owns an edge'] == 0).sum()} under the first rule")
print(f"pixels with several: {(within['Both own an edge'] > 1).sum()} under the second")

# %% [markdown]
# One thing is left. At the right and lower border of the whole mesh, the rule loses centres that
# no neighbour takes. facekit closes this outer edge in a second round: it draws all triangles
# again, with all their edges in, but only where no triangle has the pixel yet. In that round it
# goes backwards, so that the last row still wins.


# %%
def turns(fine, triangles, shape):
    """Yield, in drawing order, each triangle's name and the pixels that it gets."""
    free = np.ones(shape, bool)
    solid = [k for k, (a, b, c) in enumerate(fine[triangles]) if cross(a, b, *c) != 0]
    for name in solid:
        x, y = covered(fine[triangles[name]], shape, RULES["Top-left rule"])
        free[y, x] = False
        yield name, x, y
    for name in reversed(solid):
        x, y = covered(fine[triangles[name]], shape, RULES["Both own an edge"])
        x, y = x[free[y, x]], y[free[y, x]]
        free[y, x] = False
        yield name, x, y


# %% [markdown]
# facekit's rasteriser visits no pixel to find this out. It walks down the rows and adds, as
# Bresenham did, to learn where each row of a triangle begins and ends. To see which triangle it
# gives a pixel to, we let each triangle come from a place of its own: triangle 7 from the point
# (7, 7). The owners are the same at every pixel.

# %%
names = np.full(shape, -1)
for name, x, y in turns(fine, rows, shape):
    names[y, x] = name
apart, split = pushed[rows].reshape(-1, 2), np.arange(3 * len(rows), dtype=np.int32).reshape(-1, 3)
place = np.repeat(np.arange(len(rows)), 3)[:, None].astype(np.float32) * [1, 1]
found = rasterise(place.astype(np.float32), apart, split, shape=shape)
assert found.inside.all() and (found.x.round() == names).all()

# %% [markdown]
# ### Pull, do not push
#
# It seems natural to go through the pixels of the photo and to put each where it belongs. But
# pixels are points, and where the picture grows, points move apart: holes stay between them. Where
# it shrinks, several land on one spot and the last wins. Rounding to whole pixels makes it jagged
# besides.
#
# So we go through the pixels of the *result* and ask each where it comes from. Every pixel gets an
# answer, once. That is the inverse map, and the reason why the mesh is rasterised at its
# destination.

# %%
turn = np.deg2rad(15)
linear = 1.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
middle = np.full(2, (size - 1) / 2)
matrix = np.column_stack([linear, middle - linear @ middle])

# %%
y, x = np.mgrid[:size, :size]
there = np.rint(transform_points(np.column_stack([x.ravel(), y.ravel()]), matrix)).astype(int)
kept = ((there >= 0) & (there < size)).all(axis=1)

# %%
push, hit = np.zeros_like(image), np.zeros((size, size), bool)
push[there[kept, 1], there[kept, 0]] = image.reshape(-1, 3)[kept]
hit[there[kept, 1], there[kept, 0]] = True

# %% [markdown]
# The pull uses the mesh of two triangles that is the whole picture. We look at a part of it
# closely.

# %%
frame = np.array([[0, 0], [size - 1, 0], [size - 1, size - 1], [0, size - 1]], np.float32)
halves = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
pull, pulled = warp_piecewise_affine(image, frame, transform_points(frame, matrix), halves)

# %%
near = np.s_[size // 4 : size // 4 + 64, size // 4 : size // 4 + 64]
show.pictures(
    push[near],
    pull[near],
    (~hit & pulled)[near],
    titles=["Pushed", "Pulled", "Holes of the first"],
    width=7,
    alt="A turned photo: full of black holes when pushed, whole when pulled; the holes alone",
)

# %% [markdown]
# An area grows by $1.3^2 = 1.69$. There are not enough pixels to go round: about $1 - 1/1.69$ of
# the result, or 41 %, must stay empty.

# %%
holes = (~hit & pulled).sum() / pulled.sum()
print(f"share of the result that is holes: {holes:.1f}")
assert abs(holes - (1 - 1 / 1.69)) < 0.03
assert pulled[size // 4 : -size // 4, size // 4 : -size // 4].all()

# %% [markdown]
# ### Between the pixels: bilinear, in whole numbers
#
# The place that a pixel comes from lies between four pixels of the photo. They are weighed by
# nearness: along x first, then along y. facekit counts places in steps of 1/64 pixel. The weights
# are then whole numbers that add up to $64 \cdot 64 = 4096$, the sum of four weighed bytes fits in
# 20 bits, and nothing is rounded until the end: add half, and shift by 12. The result is the same
# on any machine and for any number of threads.


# %%
def bilinear(image, x, y):
    """Read an image at places (x, y); beyond its edge, the edge repeats."""
    padded = np.pad(image, ((0, 1), (0, 1), (0, 0)), mode="edge").astype(int)
    (j, right), (i, down) = (
        np.divmod(np.clip(np.floor(np.float64(at) * 64 + 0.5), 0, 64 * (side - 1)).astype(int), 64)
        for at, side in ((x, image.shape[1]), (y, image.shape[0]))
    )
    right, down = right[..., None], down[..., None]
    upper = (64 - right) * padded[i, j] + right * padded[i, j + 1]
    lower = (64 - right) * padded[i + 1, j] + right * padded[i + 1, j + 1]
    return ((64 - down) * upper + down * lower + 2048 >> 12).astype(np.uint8)


# %% [markdown]
# facekit writes the same in the words of the vector unit, four channels at once. On noise, the
# hardest of pictures, and at random places, some of them outside, the two agree bit for bit.

# %%
noise = rng.integers(0, 256, (61, 47, 3), dtype=np.uint8)
x, y = rng.uniform(-3, 65, (2, 200, 300)).astype(np.float32)
everywhere = SamplingMap(x, y, np.ones(x.shape, bool), (0, 0))
assert (sample(noise, everywhere) == bilinear(noise, x, y)).all()

# %% [markdown]
# Are 64 steps enough? A step of $1/n$ pixel puts a sample off by at most $1/2n$ in x and in y.
# Between pixels as unlike as noise, that costs some levels in the worst case. In photos neighbours
# are alike. Here is the mean error on both, against weights that are not rounded at all. It halves
# with each doubling, until only the rounding of the result to whole levels would be left.


# %%
def smooth_weights(image, x, y, steps):
    x, y = (np.rint(at * steps) / steps if steps else at for at in (x, y))
    i, j = y.astype(int), x.astype(int)
    down, right = (y - i)[..., None], (x - j)[..., None]
    upper = (1 - right) * image[i, j] + right * image[i, j + 1]
    return (1 - down) * upper + down * ((1 - right) * image[i + 1, j] + right * image[i + 1, j + 1])


# %%
x, y = rng.uniform(0, 45, (2, 100, 100))
x = x.clip(0, 45.9)
counts, errors = [8, 16, 32, 64, 128, 256], {"photo": [], "noise": []}
for name, picture in (("photo", image[size // 3 :, size // 3 :]), ("noise", noise)):
    exact = smooth_weights(picture, x, y, 0)
    for steps in counts:
        errors[name].append(np.abs(smooth_weights(picture, x, y, steps) - exact).mean())
show.curves(
    counts,
    errors,
    title="What coarse weights cost",
    x_label="steps in a pixel",
    y_label="mean error, grey levels",
    alt="The error halves with each doubling of the steps; at 64 it is below half a level",
    log="xy",
)

# %%
assert errors["noise"][counts.index(64)] < 0.5 and errors["photo"][counts.index(64)] < 0.1
assert np.allclose(np.divide(errors["noise"][:-1], errors["noise"][1:]), 2, atol=0.2)

# %% [markdown]
# ## How do I know that it is right?
#
# ### The naive warp agrees
#
# All parts are there. The naive warp goes through the triangles; for each pixel that a triangle
# gets, it weighs the corners, finds the source, and reads the photo there.
#
# One twist is worth a thought. The vertices were snapped, but the map must not suffer from it. So
# the weights carry the *shift* from a pixel to its source, not the source itself. If a mesh stays
# still, all shifts are zero, and any weighted mean of zeros is zero, whatever the grid did to the
# weights.


# %%
def naive_warp(image, src, dst, triangles):
    out, inside = np.zeros_like(image), np.zeros(image.shape[:2], bool)
    fine = np.rint(dst.astype(float) * STEPS_OF_GRID).astype(np.int64)
    shift = src.astype(float) - dst
    for name, x, y in turns(fine, triangles, inside.shape):
        row = triangles[name]
        u, v = shift[row].T @ weights(fine[row] / STEPS_OF_GRID, x, y)
        out[y, x] = bilinear(image, x + u, y + v)
        inside[y, x] = True
    return out, inside


# %% [markdown]
# On the real faces both cover the same pixels. The colours agree too, but for a few places that
# fall within rounding of a boundary between two 1/64 steps: facekit adds along a row in fixed
# point, the naive version in floats. We allow one pixel in a thousand to differ, by no more than
# what one step can do.

# %%
shown = triangles[facing(target, triangles)]
slow, slow_inside = naive_warp(image, points, target, shown)
quick, quick_inside = warp_piecewise_affine(image, points, target, shown)
unequal = (slow != quick).any(axis=2)
print(f"same mask: {bool((slow_inside == quick_inside).all())}")
print(f"fewer than one pixel in 1000 differs: {bool(unequal.sum() * 1000 < slow_inside.sum())}")
assert (slow_inside == quick_inside).all()
assert unequal.sum() * 1000 < slow_inside.sum() and np.abs(slow.astype(int) - quick).max() <= 8

# %%
show.pictures(
    slow,
    quick,
    titles=["Naive", "facekit"],
    alt="Two equal warped faces, one by the naive loop and one by facekit",
    width=6,
)

# %% [markdown]
# On noise, and on the lattice whose vertices are whole pixels, the same holds. Noise would betray
# a wrong weight at once, since any two neighbours are unlike.

# %%
noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
slow, _ = naive_warp(noise, still, pushed, rows)
quick, _ = warp_piecewise_affine(noise, still, pushed, rows)
assert (slow != quick).any(axis=2).mean() < 0.01 and np.abs(slow.astype(int) - quick).max() <= 8

# %% [markdown]
# ### A still mesh gives the picture back
#
# Carry the face onto itself, and every byte under the mesh is what it was, although the vertices
# lie anywhere between pixels.

# %%
same, under = warp_piecewise_affine(image, points, points, triangles, depth=depth)
assert under.any() and (same[under] == image[under]).all()

# %% [markdown]
# ### One affine map for all: OpenCV agrees
#
# If all triangles undergo the same affine map, the mesh must not matter. The result is then what
# `cv2.warpAffine` makes of the whole picture. OpenCV has weights of 1/32, so the two can be one
# level apart; the picture is smoothed a little for this, as otherwise one step of a sharp edge is
# worth more than a level.

# %%
soft = cv2.GaussianBlur(image, (0, 0), 3)
ours, covers = warp_piecewise_affine(soft, frame, transform_points(frame, matrix), halves)
theirs = cv2.warpAffine(soft, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
apart = np.abs(ours.astype(int) - theirs)[covers]
print(f"within one grey level of cv2.warpAffine: {bool(apart.max() <= 1)}")
assert apart.max() <= 1

# %% [markdown]
# ### Points and masks go the same way
#
# `warp_points` carries points as the warp carries the picture, and with the meshes exchanged it
# brings them back. Points outside the mesh have no image, and become `nan`.

# %%
some = rng.uniform(0, 48, (500, 2)).astype(np.float32)
there = warp_points(some, still, pushed, rows)
home = warp_points(there, pushed, still, rows)
assert np.allclose(home, some, atol=1e-3) and not np.allclose(there, some, atol=0.5)
assert np.isnan(warp_points(np.float32([[-1, 5], [-0.01, 5]]), still, pushed, rows)).all()

# %% [markdown]
# A mask must stay a mask. `sample_mask` weighs zeros and ones like colours, and a pixel is set if
# at least half of it is covered. That, too, can be checked bit for bit: a sum of at least 2048 in
# 4096.

# %%
bright = image[..., 1] > 128
found = rasterise(points, target, shown, shape=(size, size))
carried = sample_mask(bright, found)
as_picture = np.repeat(bright[..., None], 3, axis=2).astype(np.uint8)
wanted = bilinear(as_picture, found.x, found.y)[..., 0].astype(bool) & found.inside
assert (carried == wanted).all() and carried.any()

# %%
whole = np.zeros((size, size), bool)
whole[found.box] = carried

# %%
show.pictures(
    image,
    bright,
    whole,
    titles=["The photo", "Where it is bright", "That mask, warped"],
    alt="The photo, a mask of its bright parts, and this mask carried to the painting's shape",
)

# %% [markdown]
# ### Within its own picture
#
# `warp_in_place` changes a face's shape without cutting it out. Rings of anchors around the face
# take up the change and fade it: the outermost does not move at all. Here the face goes a good
# part of the way to the painting's shape, after a rotation, a shift and a scale were taken out
# (Umeyama's fit [5]). Triangles seen edge-on are left out beforehand.

# %%
aligned = transform_points(target, fit_similarity(target, points))
toward = points + 0.5 * (aligned - points)
firm = np.abs([signed_areas(at, triangles) for at in (points, toward)]).min(axis=0) > 0.01

# %%
reshaped, changed = warp_in_place(image, points, toward, triangles[firm])
assert (reshaped[~changed] == image[~changed]).all() and (reshaped[changed] != image[changed]).any()
assert (warp_in_place(image, points, points, triangles[firm])[0] == image).all()

# %%
show.pictures(
    image,
    reshaped,
    changed,
    titles=["The photo", "Half way to the painting", "What may change"],
    alt="The photo, its face half way to the painting's shape, and a mask of face and rings",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("20_in_place", reshaped))

# %% [markdown]
# The rings are four, out to 1.35 times the oval's radius. A ring at the share $t$ of the way moves
# by $1 - t^2 (3 - 2t)$ times what the oval moves. This *smoothstep* begins and ends without a
# slope, so that the change neither starts nor stops with a jolt. Two rings are joined by a strip
# of triangles.


# %%
def with_rings(points, moved, triangles):
    oval, src, dst, rows = np.array(FACE_OVAL), [points], [moved], [triangles]
    centre, inner = points[oval].mean(axis=0), oval
    for k, t in enumerate(np.linspace(0.25, 1, 4)):
        src.append(centre + (points[oval] - centre) * (1 + 0.35 * t))
        dst.append(src[-1] + (1 - t**2 * (3 - 2 * t)) * (moved[oval] - points[oval]))
        outer = len(points) + k * len(oval) + np.arange(len(oval))
        after, beyond = np.roll(inner, -1), np.roll(outer, -1)
        rows += [np.column_stack([inner, outer, after]), np.column_stack([after, outer, beyond])]
        inner = outer
    return [np.float32(np.concatenate(each)) for each in (src, dst)], np.int32(np.concatenate(rows))


# %%
(ringed, ringed_to), strips = with_rings(points, toward, triangles[firm])
alike, reached = warp_piecewise_affine(image, ringed, ringed_to, strips)
assert (reached == changed).all() and (alike[reached] == reshaped[reached]).all()

# %% [markdown]
# ### Drag it
#
# Now by hand. Eight points get handles, and the other 460 must follow. Arad et al. [8] let each
# handle pull on its neighbourhood by a Gaussian of the distance. How strongly? So that every
# handle comes to lie where the hand has put it. With $K$ for the Gaussians between two sets of
# points, and $h$ for the handles, the points $p$ move by $K_{ph}\,K_{hh}^{-1}\,\Delta h$. That is one
# small linear system, with as many equations as there are handles; `show.follow` solves it.

# %%
HANDLES = {
    "tip of the nose": 4,
    "chin": 152,
    "corner of the mouth, left in the picture": 61,
    "corner of the mouth, right": 291,
    "outer corner of the eye, left": 33,
    "outer corner of the eye, right": 263,
    "brow, left": 105,
    "brow, right": 334,
}

# %%
held, reach = points[list(HANDLES.values())], 0.07 * size


def pulled(handles, held=held):
    return show.follow(points, held, handles, reach=reach)


# %% [markdown]
# With the mesh moved, `warp_in_place` does the rest. Drag a point, or move it by the arrow keys,
# and the picture follows. The box takes the mesh away.


# %%
def dragged(handles):
    moved = pulled(handles)
    firm = np.abs([signed_areas(at, triangles) for at in (points, moved)]).min(axis=0) > 0.01
    return warp_in_place(image, points, moved, triangles[firm])[0]


# %%
hand = show.Drag(
    dragged,
    held,
    alt="The photo under a mesh, with handles at nose, chin, mouth, eyes and brows.",
    names=list(HANDLES),
    mesh=pulled,
    triangles=triangles,
    interactive=interactive,
)
hand

# %% [markdown]
# As long as nothing is moved, the picture is the photo, byte for byte. A handle that is moved lies
# exactly where it was put, and all others stay.

# %%
assert (hand.picture == image).all()
for name, side in ((2, -1), (3, 1)):  # a smile
    hand.move(name, held[name, 0] + side * 0.03 * size, held[name, 1] - 0.03 * size)
landed = pulled(hand.points)[list(HANDLES.values())]
assert np.allclose(landed, hand.points, atol=1e-3) and (landed[0] == held[0]).all()

# %%
show.pictures(
    image,
    hand.picture,
    titles=["The photo", "The corners of the mouth pulled"],
    alt="The photo, and the same face with a wider smile",
    width=6,
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("20_dragged", hand.picture))

# %% [markdown]
# How far may one pull? Along the way of a lone handle, the point at distance $x$ goes to $x + d
# e^{-x^2 / 2 \sigma^2}$. The slope of this is least at $x = \sigma$, where it is $1 - (d / \sigma)
# e^{-1/2}$. It stays above zero, and the order of points is kept, as long as $d < \sqrt{e}\,\sigma
# \approx 1.65\,\sigma$. Beyond that it folds.

# %%
line = np.linspace(-4, 4, 8001)  # in widths
for pull, kept in ((1.64, True), (1.66, False)):
    there = line + pull * np.exp(-(line**2) / 2)
    assert (np.diff(there) > 0).all() == kept

# %% [markdown]
# So does the face. We pull the tip of the nose sideways, and count the triangles that turn over.
# (A sliver or two may do so earlier: its corners do not lie along the way.)


# %%
def folds(widths):
    there = pulled(held[:1] + np.float32([widths * reach, 0]), held[:1])
    return int((facing(points, triangles) & ~facing(there, triangles)).sum())


# %%
print("pulled by 1 width, at most 3 turn over:", folds(1) <= 3)
print("pulled by 2.5 widths, more than 20 do:", folds(2.5) > 20)
assert folds(1) <= 3 and folds(2.5) > 20

# %% [markdown]
# ## How fast is it?
#
# The naive warp spends its time in the interpreter: dozens of numpy calls for each of nearly nine
# hundred triangles. facekit finds all runs and draws them in one compiled pass, in strips of rows
# that threads share. We take turns and compare the best run of each, because another job on
# the machine can only slow a run.

# %%
loop, ours = show.best_times(
    lambda: naive_warp(image, points, target, shown),
    lambda: warp_piecewise_affine(image, points, target, shown),
    rounds=3 if fast else 9,
)
print(f"facekit is at least 10 times faster than the naive loop: {bool(loop >= 10 * ours)}")
assert loop >= 10 * ours

# %% [markdown]
# A harder rival is `cv2.remap`. It only reads the picture, in hand-written vector code, through a
# map that must be ready beforehand. facekit does more: it finds the map on the way, and never
# writes it down. In the package's benchmarks the two take about the same time. We claim less here,
# because machines differ.

# %%
large = cv2.resize(image, (1024, 1024))
big_from, big_to = ((at + 0.5) * (1024 / size) - 0.5 for at in (points, target))
found = rasterise(big_from, big_to, shown, shape=(1024, 1024))

# %%
mesh, remap = show.best_times(
    lambda: warp_piecewise_affine(large, big_from, big_to, shown),
    lambda: cv2.remap(large, found.x, found.y, cv2.INTER_LINEAR),
    rounds=15 if fast else 45,
)
print(f"the whole warp takes less than 6 times one cv2.remap: {bool(mesh < 6 * remap)}")
assert mesh < 6 * remap

# %% [markdown]
# ## What can go wrong
#
# ### The mesh folds
#
# When a head turns, its far cheek goes behind the nose. In the picture, triangles then overlap,
# and some turn their back on us: their corners run anticlockwise. If simply the last row wins, the
# hidden cheek may be drawn over the nose. `depth` settles it: at every pixel the nearest triangle
# wins, as in any depth buffer (Catmull [6]).
#
# We have depths, so we can turn the mesh itself. Here by 50 degrees, which is more than a swap
# would dare.


# %%
def turned(degrees):
    """Turn the face's points about an upright axis through its middle."""
    angle = np.deg2rad(degrees)
    x, z = points[:, 0] - points[:, 0].mean(), depth - depth.mean()
    side = np.cos(angle) * x + np.sin(angle) * z + points[:, 0].mean()
    away = np.cos(angle) * z - np.sin(angle) * x
    return np.column_stack([side, points[:, 1]]).astype(np.float32), away.astype(np.float32)


# %%
away, how_far = turned(50)
thick = triangles[np.abs(signed_areas(away, triangles)) > 0.01]
last_wins, seen = warp_piecewise_affine(image, points, away, thick)
near_wins, _ = warp_piecewise_affine(image, points, away, thick, depth=how_far)

# %%
folded = ~facing(away, triangles)
hidden = (last_wins != near_wins).any(axis=2)
assert folded.any() and hidden.any() and (hidden <= seen).all()

# %%
show.pictures(
    last_wins,
    near_wins,
    hidden,
    titles=["The last row wins", "The nearest wins", "Where they differ"],
    alt="A face turned aside: with shreds of the far cheek, without, and the shreds alone",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("20_turned", near_wins))

# %% [markdown]
# The naive version keeps, for each pixel, the least distance so far. The distance of a pixel is
# again a weighted mean of the corners'. Two surfaces at nearly one distance may be told apart
# differently by rounding, so we again allow one pixel in a thousand. Where triangles only share an
# edge nothing changes: we check the picture, not the order.


# %%
def naive_nearest(image, src, dst, triangles, depth):
    out, near = np.zeros_like(image), np.full(image.shape[:2], np.inf)
    fine = np.rint(dst.astype(float) * STEPS_OF_GRID).astype(np.int64)
    values = np.column_stack([src.astype(float) - dst, depth])
    for row in triangles[[cross(a, b, *c) != 0 for a, b, c in fine[triangles]]]:
        x, y = covered(fine[row], near.shape, RULES["Top-left rule"])
        u, v, distance = values[row].T @ weights(fine[row] / STEPS_OF_GRID, x, y)
        wins = distance < near[y, x]
        x, y, u, v = x[wins], y[wins], u[wins], v[wins]
        near[y, x] = distance[wins]
        out[y, x] = bilinear(image, x + u, y + v)
    return out


# %%
slow = naive_nearest(image, points, away, thick, how_far)
unequal = (slow != near_wins).any(axis=2) & slow.any(axis=2)
print(f"fewer than one pixel in 1000 differs: {bool(unequal.sum() * 1000 < seen.sum())}")
assert unequal.sum() * 1000 < seen.sum()

# %% [markdown]
# Turn the head with the dial. At zero the face is the photo's, byte for byte. As it turns, it
# covers less, and the far side goes under. What never appears is the *other* side of the head: no
# warp shows what the photo does not. A swap therefore leaves out triangles that face away in
# either picture.


# %%
def draw(turn):
    there, far = turned(turn)
    return warp_piecewise_affine(image, points, there, triangles, depth=far)[0]


# %%
dial = show.Play(draw, alt="A face that turns", interactive=interactive, turn=(-60, 60, 30))
dial

# %%
areas = []
for turn in (0, 30, 60):
    dial.set(turn=turn)
    areas.append(dial.picture.any(axis=2).sum())
assert areas[0] > areas[1] > areas[2]
dial.set(turn=0)
assert (dial.picture[under] == image[under]).all()

# %% [markdown]
# ### A triangle has no area
#
# An edge-on triangle is a line. The weights would divide by zero, and no pixel centre needs it.
# With `depth` such triangles are expected, and are left out. Without it they are a mistake in the
# mesh, and facekit names the rows rather than leave a hole in silence.

# %%
line = frame.copy()
line[1] = (line[0] + line[2]) / 2

# %%
try:
    warp_piecewise_affine(image, frame, line, halves)
    bad_rows = []
except DegenerateMeshError as error:
    bad_rows = error.triangles
print(f"rows without area: {list(bad_rows)}")
assert list(bad_rows) == [0]

# %% [markdown]
# "No area" means less than a thousandth of a square pixel. Such a triangle is a sliver too thin to
# be seen, and too thin for its weights to be trusted.


# %%
def is_refused(area):
    thin = np.float32([[0, 0], [16, 0], [0, area / 8]])
    try:
        warp_piecewise_affine(image, thin, thin, np.int32([[0, 1, 2]]))
    except DegenerateMeshError:
        return True
    return False


# %%
assert is_refused(0.0009) and not is_refused(0.0011)

# %% [markdown]
# ### Where the mesh shrinks
#
# Four pixels around a place are enough if the picture grows. If it shrinks to a quarter, each
# pixel of the result stands for sixteen of the photo, and bilinear weights look at four of them.
# The rest is skipped, and fine stripes turn into coarse ones that were never there. This is
# *aliasing* (Heckbert [3], Wolberg [4]). The cure is to smooth the picture first. facekit does so
# when, over the whole mesh, more than 1.25 pixels of the photo's side fall on one of the result's:
# just below that measure it still agrees with the naive warp, and just above it does not.


# %%
def is_smoothed(shrink):
    still, _, rows = lattice(cells=6, pitch=8, shift=2)
    ours, _ = warp_piecewise_affine(noise, still, still / np.float32(shrink), rows)
    plain, _ = naive_warp(noise, still, still / np.float32(shrink), rows)
    return np.abs(ours.astype(int) - plain).max() > 8


# %%
assert not is_smoothed(1.24) and is_smoothed(1.26)

# %% [markdown]
# The rings below get finer outwards. The naive warp has no cure; the mean over blocks of four by
# four pixels is what one would like to see.

# %%
y, x = np.mgrid[:256, :256]
wave = 127.5 + 127.5 * np.cos(np.pi * (x**2 + y**2) / 640)
rings = np.repeat(np.rint(wave)[..., None], 3, axis=2).astype(np.uint8)
square = np.float32([[0, 0], [255, 0], [255, 255], [0, 255]])
small = (square + 0.5) / 4 - 0.5
wanted = cv2.resize(rings, (64, 64), interpolation=cv2.INTER_AREA)

# %%
smoothed, covers = warp_piecewise_affine(rings, square, small, halves, shape=(64, 64))
aliased = naive_warp(rings, square, small, halves)[0][:64, :64]
inner = np.s_[1:-1, 1:-1]
better = show.psnr(smoothed[inner], wanted[inner]) - show.psnr(aliased[inner], wanted[inner])
print(f"smoothing first is at least 6 dB nearer to the mean: {bool(better >= 6)}")
assert better >= 6 and covers[inner].all()

# %%
show.pictures(
    aliased,
    smoothed,
    wanted,
    titles=["Not smoothed", "Smoothed first", "Means of blocks"],
    alt="Rings that alias into false rings, the same smoothed to grey, and the means of blocks",
)

# %% [markdown]
# The cure has a limit: one measure for the whole mesh. Here half the mesh shrinks to a quarter of
# its width and the other half grows to fill the rest. On the whole nothing shrinks, so nothing is
# smoothed, and the narrow half aliases. A face whose far cheek is squeezed to a sliver shows a
# little of that.

# %%
half = np.float32([[0, 0], [128, 0], [255, 0], [0, 255], [128, 255], [255, 255]])
squeezed = half.copy()
squeezed[[1, 4], 0] = 32
four = np.int32([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]])
uneven, _ = warp_piecewise_affine(rings, half, squeezed, four)

# %%
plain, _ = naive_warp(rings, half, squeezed, four)
strip, mean = uneven[:, :32], cv2.resize(rings[:, :128], (32, 256), interpolation=cv2.INTER_AREA)
assert np.abs(uneven.astype(int) - plain).max() <= 8
assert show.psnr(strip, mean) < 15

# %%
show.pictures(
    uneven,
    *(np.repeat(part, 4, axis=1)[:128] for part in (strip, mean)),
    titles=["Half is squeezed", "That half, wider", "What it should be"],
    width=7,
    alt="Rings whose left half is squeezed; that half alone, full of false stripes; and without",
)

# %% [markdown]
# The first of these shows one more limit. The map is continuous, but its slope is not: the rings
# have a kink where the halves meet. On a face mesh the triangles are small and neighbours nearly
# alike, so that kinks drown in the picture's own detail. A straight line across a cheek would show
# them.
#
# ## Exercises
#
# 1. Replace `dx > 0` by `dx < 0` in `is_top_or_left`. Which pixels lose their
#    owner, and which get two?
#
# <details><summary>Answer</summary>
#
# Level edges only are concerned. The rule is then *bottom-left*: the triangle above a level edge
# owns its centres instead of the one below. Inside the mesh every centre still has exactly one
# owner, so nothing is lost or doubled. It is a sound rule, but another one, and the owners differ
# from facekit's. Change `dy < 0` as well, to `dy > 0`, and it is *bottom-right*, sound again. What
# breaks is a rule that gives an edge and its opposite the same answer.
#
# </details>
#
# 2. `naive_warp` weighs shifts. Let it weigh the source's points themselves, and carry the face
#    onto itself. Is every byte still the same?
#
# <details><summary>Answer</summary>
#
# Not surely. The weights belong to the snapped corners, which lie up to 1/512 pixel from the true
# ones. The source is then off by as much. That is less than half of a 1/64 step, so most pixels
# are saved by rounding. But "most" is luck. With shifts it is exact, because zero times anything
# is zero.
#
# </details>
#
# 3. Why may the weights of a sample be rounded to 1/64, but not the vertices to whole pixels?
#
# <details><summary>Answer</summary>
#
# A rounded weight changes one colour by a share of the difference of neighbours; the next pixel
# has an error of its own, and none is seen. A vertex moved by half a pixel moves all triangles
# around it: a lid or a lip visibly changes its shape, and in a video it would tremble.
#
# </details>
#
# ## References
#
# 1. C. A. Glasbey, K. V. Mardia, *A review of image-warping methods*, Journal of Applied Statistics
#    25(2), 1998.
# 2. J. Pineda, *A Parallel Algorithm for Polygon Rasterization*, SIGGRAPH 1988; J. E. Bresenham,
#    *Algorithm for computer control of a digital plotter*, IBM Systems Journal 4(1), 1965.
# 3. P. S. Heckbert, *Fundamentals of Texture Mapping and Image Warping*, master's thesis,
#    UC Berkeley, 1989.
# 4. G. Wolberg, *Digital Image Warping*, IEEE Computer Society Press, 1990.
# 5. S. Umeyama, *Least-Squares Estimation of Transformation Parameters Between Two Point Patterns*,
#    IEEE Transactions on Pattern Analysis and Machine Intelligence 13(4), 1991.
# 6. E. Catmull, *A Subdivision Algorithm for Computer Display of Curved Surfaces*, PhD thesis,
#    University of Utah, 1974.
# 7. Y. Kartynnik, A. Ablavatski, I. Grishchenko, M. Grundmann, *Real-time Facial Surface Geometry
#    from Monocular Video on Mobile GPUs*, CVPR Workshop on Computer Vision for AR/VR, 2019.
#    The mesh of 468 points.
# 8. N. Arad, N. Dyn, D. Reisfeld, Y. Yeshurun, *Image Warping by Radial Basis Functions:
#    Application to Facial Expressions*, CVGIP: Graphical Models and Image Processing 56(2), 1994.
