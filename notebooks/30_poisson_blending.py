# %% [markdown]
# # Poisson blending
#
# A face cut out of one photo and pasted into another shows where it was cut. This step hides the
# cut. It keeps the differences between neighbouring pixels of the source, and gives up its
# absolute colours, which the eye reads poorly anyway. It is there because no feathering can do as
# much: the whole face takes on the colours around it. Perez, Gangnet and Blake (2003) wrote it
# down as one large system of linear equations. This notebook goes from their idea to a solver that
# is fast because it works almost only along the rim of the mask.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
from dataclasses import replace

# %%
import cv2
import numpy as np
from scipy.fft import dstn, idstn
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

# %%
from facekit import blend, load_sample, multigrid, readout, show
from facekit.blend import assemble, blend_poisson, compose, prepare, solve, solve_directly
from facekit.errors import ArrayError, SolverError
from facekit.grid_stencils import coarser_stencil

# %% [markdown]
# ## What is this step?
#
# The types are few. `source` and `target` are images of one shape, `(H, W, 3)` bytes, which lie
# over each other. A `Mask` of shape `(H, W)` says where the source goes. The answer is an image.
# Its *rim* is the set of known pixels next to the mask; they keep the target's colours.
#
# We cut two squares around two faces, at fixed places, so that the faces lie over each other.

# %%
squares = {"astronaut": (225, 124, 74), "joconde": (360, 290, 153)}  # centre x and y, half a side

# %% [markdown]
# A square is cut out of the sample and brought to the size that this notebook works at: by
# averaging where it gets smaller, by cubics where it gets larger.


# %%
def cut(name):
    x, y, half = squares[name]
    square = load_sample(name)[y - half : y + half, x - half : x + half]
    how = cv2.INTER_AREA if size < 2 * half else cv2.INTER_CUBIC
    return cv2.resize(square, (size, size), interpolation=how)


# %%
source, target = cut(photo), cut("astronaut" if photo == "joconde" else "joconde")
y, x = (np.mgrid[:size, :size] + 0.5) / size

# %% [markdown]
# The masks are ellipses, given in shares of the picture so that they fit any size. Coordinates are
# those of pixel centres.


# %%
def ellipse(width, height, middle=(0.5, 0.56)):
    return ((x - middle[0]) / width) ** 2 + ((y - middle[1]) / height) ** 2 < 1


# %% [markdown]
# Copy and paste shows a seam. The blend does not.

# %%
mask = ellipse(0.27, 0.3, (0.5, 0.55))
pasted = np.where(mask[..., None], source, target)
blended = blend_poisson(source, target, mask)

# %%
show.pictures(
    source,
    target,
    pasted,
    blended,
    titles=["source", "target", "copy and paste", "Poisson blend"],
    alt="A face, a painting, the face pasted with a hard edge, and the same without a seam.",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("30_blended", blended))

# %% [markdown]
# How visible is a seam? Look at all pairs of neighbours of which one is inside the mask and the
# other outside, and take the mean difference of the two, in grey levels.


# %%
def links(image):
    """Differences to the right-hand and to the lower neighbour."""
    image = image.astype(np.float64)
    return np.concatenate([np.diff(image, axis=k).reshape(-1, 3) for k in (1, 0)])


# %% [markdown]
# Each pair of neighbours is now a row of a table, in the same order: first those side by side,
# then those one above the other. For each we note whether its two pixels are in the mask. A pair
# is *across* the seam if one is and the other is not; it is *touched* if at least one is.


# %%
inside = np.concatenate(
    [
        np.stack([mask[:, 1:], mask[:, :-1]], -1).reshape(-1, 2),
        np.stack([mask[1:], mask[:-1]], -1).reshape(-1, 2),
    ]
)
across, touched = inside.sum(1) == 1, inside.any(1)

# %% [markdown]
# The blend's seam is at least three times fainter than that of the paste, and outside the mask not
# one byte has changed.

# %%
seam = {
    name: np.abs(links(image)[across]).mean()
    for name, image in (("pasted", pasted), ("blended", blended))
}
assert seam["blended"] < seam["pasted"] / 3
assert np.array_equal(blended[~mask], target[~mask])

# %% [markdown]
# ## Why is it so?
#
# ### Gradients, not colours
#
# Let $f^*$ be the target, $g$ the source, $\Omega$ the mask and $\partial\Omega$ its rim. We want
# a picture $f$ whose gradient is as near as can be to a *guidance field* $\mathbf v$, and which
# agrees with the target on the rim:
#
# $$ \min_f \int_\Omega |\nabla f - \mathbf v|^2 \quad\text{with}\quad
#    f|_{\partial\Omega} = f^*|_{\partial\Omega}. $$
#
# A minimum is where the derivative vanishes, which here is Poisson's equation,
# $\Delta f = \operatorname{div} \mathbf v$. In *import mode* $\mathbf v = \nabla g$.
#
# ### In one dimension, a straight line
#
# On a single row of pixels we can see the answer at once. Write $f = g + c$. Then $c$ has second
# derivative zero and given ends: it is a straight line. The correction tilts the source until
# both ends meet the target.

# %%
row, columns = int(0.56 * size), np.flatnonzero(mask[int(0.56 * size)])
ours, theirs = (image[row, :, 1].astype(float) for image in (source, target))
left, right, count = columns[0], columns[-1], len(columns)

# %% [markdown]
# The equations of the row are a small matrix: twice a pixel, less its left-hand and its right-hand
# neighbour, is zero, or the known value where the neighbour is outside the mask.


# %%
chain = 2 * np.eye(count) - np.eye(count, k=1) - np.eye(count, k=-1)
ends = np.zeros(count)
ends[0] = (theirs - ours)[left - 1]
ends[-1] = (theirs - ours)[right + 1]
line = np.linalg.solve(chain, ends)

# %%
assert np.allclose(line, np.linspace(ends[0], ends[-1], count + 2)[1:-1])

# %% [markdown]
# Note what the green curve keeps: every bump of the source, in its place and in its size. What it
# gives up is the level. On one row alone the two ends say everything, and so the middle may come
# out too dark; in two dimensions the whole rim has its say.


# %%
figure, axes = show.canvas()
for name, values, at in (
    ("source", ours, slice(None)),
    ("target", theirs, slice(None)),
    ("source + line", ours[columns] + line, columns),
):
    axes.plot(
        np.arange(size)[at],
        values,
        label=name,
        color=show.COLOURS[("source", "target", "source + line").index(name)],
    )
axes.set(xlabel="x, pixels", ylabel="green, grey levels")
axes.set_title("One row: the source is tilted until its ends meet the target", loc="left")
axes.legend(frameon=False)
show.View(figure, "The source's curve plus a straight line meets the target's curve at both ends.")

# %% [markdown]
# ### In two dimensions, a membrane
#
# Put $f = g + c$ into Poisson's equation with $\mathbf v = \nabla g$. Since
# $\operatorname{div} \nabla g = \Delta g$, what remains is
#
# $$ \Delta c = 0 \text{ in } \Omega, \qquad c = f^* - g \text{ on } \partial\Omega. $$
#
# That is Laplace's equation. A soap film over a bent wire obeys it, for small slopes; hence
# *membrane*. The correction knows nothing of the source's detail, only of the mismatch along the
# rim.
#
# ### Five pixels at a time
#
# For pixel $p$ let $N_p$ be its neighbours inside the picture: four, or fewer at the border. The
# minimum of the sum of $(f_p - f_q - v_{pq})^2$ over neighbouring pairs obeys Perez's equation 7:
#
# $$ |N_p| f_p - \sum_{q \in N_p \cap \Omega} f_q = \sum_{q \in N_p \setminus \Omega} f^*_q
#    + \sum_{q \in N_p} v_{pq}. $$
#
# So each row of the matrix has at most five entries. The naive version says just that, in a loop.

# %% [markdown]
# First the neighbours: above, below, left and right, as far as the picture goes. This is the only
# place where the picture's border matters.


# %%
def around(p, shape):
    y, x = p
    near = (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)
    return [(v, u) for v, u in near if 0 <= v < shape[0] and 0 <= u < shape[1]]


# %% [markdown]
# Then the guidance, as a function of a pair of pixels. In import mode it is the source's
# difference, and the target is not asked. Later we shall put another function in its place.


# %%
def imported(g, _, p, q):
    return g[p] - g[q]


# %% [markdown]
# Each unknown pixel gets a number, and each pair an entry or two. `coo_matrix` adds up entries at
# the same place, so that the diagonal becomes the number of neighbours. Known neighbours go to the
# right-hand side.


# %%
def perez(source, target, mask, guide=imported):
    g, f = source.astype(np.float64), target.astype(np.float64)
    number = np.cumsum(mask).reshape(mask.shape) - 1
    entries, rhs = [], np.zeros((mask.sum(), 3))
    for p in map(tuple, np.argwhere(mask)):
        for q in around(p, mask.shape):
            entries.append((number[p], number[p], 1))  # adds up to the degree
            rhs[number[p]] += guide(g, f, p, q)
            if mask[q]:
                entries.append((number[p], number[q], -1))
            else:
                rhs[number[p]] += f[q]
    row, col, weight = np.array(entries).T
    f[mask] = splu(coo_matrix((weight, (row, col))).astype(float).tocsc()).solve(rhs)
    return f


# %% [markdown]
# The package works with $c$ instead of $f$. `assemble` writes the right-hand side,
# `solve_directly` factors the matrix, `compose` adds the correction to the source. Both ways give
# the same picture. To keep the Python loop short, the naive one runs on a picture of at most 96
# pixels a side.

# %%
small = min(size, 96)
little = [cv2.resize(one, (small, small), interpolation=cv2.INTER_AREA) for one in (source, target)]
spot = cv2.resize(np.uint8(mask), (small, small), interpolation=cv2.INTER_NEAREST) > 0

# %% [markdown]
# The package stores a correction over the mask's bounding box only. This puts it back into a
# picture of full size, with zeros around it.


# %%
def over_picture(region, correction):
    (x0, y0), (rows, cols) = region.corner, region.unknown.shape
    whole = np.zeros((*region.shape, 3))
    whole[y0 : y0 + rows, x0 : x0 + cols] = correction
    return whole


# %%
equations = assemble(*little, spot)
naive, correction = perez(*little, spot), solve_directly(equations)
found = little[0] + over_picture(equations.region, correction)
assert np.abs(naive - found)[spot].max() < 0.001

# %% [markdown]
# The same on the large pictures, and what the correction looks like: rough near the rim, smooth
# inside. Three things follow from Laplace's equation. Each pixel of $c$ is the mean of its four
# neighbours. So its largest and smallest values lie on the rim. And any other picture with the
# same rim has more energy.

# %%
region = prepare(mask)
equations = assemble(source, target, region)
exact = over_picture(region, solve_directly(equations))
membrane = np.where(mask[..., None], exact, target.astype(float) - source)

# %% [markdown]
# The first two claims are checked pixel by pixel, for each channel. The rim is what a cross of
# five pixels adds to the mask.


# %%
means = sum(np.roll(membrane, k, axis) for k in (1, -1) for axis in (0, 1)) / 4
rim = cv2.dilate(np.uint8(mask), np.uint8([[0, 1, 0], [1, 1, 1], [0, 1, 0]])) > mask
assert np.abs(means - membrane)[mask].max() < 0.001
assert (membrane[mask].max(0) <= membrane[rim].max(0) + 0.001).all()
assert (membrane[mask].min(0) >= membrane[rim].min(0) - 0.001).all()

# %% [markdown]
# For the third, the energy is Perez's sum itself, over all touched pairs. We add noise of three
# sizes, with both signs: a minimum must go up in every direction.


# %%
def energy(f):
    return ((links(f) - links(source))[touched] ** 2).sum()


# %%
best, rng = source + membrane, np.random.default_rng(seed)
bumps = [np.where(mask[..., None], rng.normal(0, wide, best.shape), 0) for wide in (0.01, 0.1, 1)]
assert energy(best) < energy(pasted)
assert all(energy(best + sign * bump) > energy(best) for bump in bumps for sign in (1, -1))

# %%
show.pictures(
    np.where(mask, (target.astype(float) - source)[..., 1], 0),
    np.where(mask, membrane[..., 1], 0),
    compose(source, target, equations, solve(equations)),
    titles=["target - source, green", "the membrane", "source + membrane"],
    alt="The difference of two faces is full of detail; the membrane with the same rim is smooth.",
)

# %% [markdown]
# `blend_poisson` is these three functions in one.

# %%
steps = compose(source, target, equations, solve(equations))
assert np.abs(steps.astype(int) - blended).max() <= 1 and (steps != blended).mean() < 0.001

# %% [markdown]
# ### First way: wait (Jacobi, Gauss and Seidel)
#
# Replace each pixel by the mean of its neighbours, plus its right-hand side. Do it again. That is
# Jacobi's iteration. Gauss and Seidel use new values as soon as they have them; here first the
# black fields of a chequerboard, then the white ones. We try both on a square of $n \times n$
# pixels with a rim of zeros. The answer is zero, so what stands in the array *is* the error.


# %%
def neighbours(u):
    wide = np.pad(u, 1)
    return wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]


# %% [markdown]
# The five-point stencil says four times the centre less the neighbours. A step of Jacobi adds what
# is missing, divided by the diagonal. The optional `step` takes more or less of it; we shall need
# that soon.


# %%
def jacobi(u, rhs, step=1.0):
    return u + step * (rhs - 4 * u + neighbours(u)) / 4


# %% [markdown]
# A black field has only white neighbours and the other way round, so each half can be done at
# once.


# %%
def gauss_seidel(u, rhs):
    for colour in (0, 1):
        field = np.indices(u.shape).sum(0) % 2 == colour
        u = np.where(field, (rhs + neighbours(u)) / 4, u)
    return u


# %% [markdown]
# A wave of the lowest frequency shrinks least. One sweep of Jacobi multiplies it by exactly
# $\cos\frac{\pi}{n+1}$, which is about $1 - \frac{\pi^2}{2 n^2}$; one of Gauss and Seidel by the
# square of that. To gain a digit therefore takes a number of sweeps that grows with $n^2$.

# %%
n = 2 ** int(np.log2(size / 2)) - 1
wave = np.sin(np.pi * np.arange(1, n + 1) / (n + 1))
wave, slowest = np.outer(wave, wave), np.cos(np.pi / (n + 1))
assert np.allclose(jacobi(wave, 0), slowest * wave, rtol=1e-9)

# %%
twice = gauss_seidel(gauss_seidel(wave, 0), 0)
assert np.isclose(np.abs(gauss_seidel(twice, 0)).max() / np.abs(twice).max(), slowest**2, rtol=1e-3)

# %% [markdown]
# ### Second way: smooth, then ask a coarser grid
#
# Jacobi is slow for smooth errors only. Rough ones die fast, if the step is right. In units of the
# diagonal, the matrix has eigenvalues $\lambda$ between 0 and 2, and a step $\omega$ multiplies an
# error by $1 - \omega\lambda$. A grid of every second pixel cannot show waves shorter than four
# pixels. For the five-point stencil those are the ones with $\lambda \ge \frac12$. Two steps,
# chosen by Chebyshev's polynomial, damp all of them to $1 / T_2(\frac53) = \frac{9}{41}$ at least.

# %%
angles = np.linspace(0, np.pi, 101)
a, b = np.meshgrid(angles, angles)
short = np.maximum(a, b) >= np.pi / 2
waves = 1 - (np.cos(a) + np.cos(b)) / 2
assert np.isclose(waves[short].min(), 0.5) and np.isclose(waves[short].max(), 2)

# %% [markdown]
# Two steps in a row multiply their factors. facekit uses one pair for the finest grid and another
# for the coarser ones, whose nine-point stencils have a narrower range of eigenvalues.


# %%
def damping(steps, eigenvalues):
    return np.abs((1 - steps[0] * eigenvalues) * (1 - steps[1] * eigenvalues))


# %%
assert np.isclose(damping(multigrid.FINE_STEPS, np.linspace(0.5, 2, 301)).max(), 9 / 41)
wide = (1.65 + 0.58) / (1.65 - 0.58)
coarse = damping(multigrid.COARSE_STEPS, np.linspace(0.58, 1.65, 301)).max()
assert np.isclose(coarse, 1 / (2 * wide**2 - 1))

# %%
eigenvalues = np.linspace(0, 2, 41)
show.curves(
    eigenvalues,
    {
        "two plain Jacobi steps": damping((1, 1), eigenvalues),
        "facekit's two steps": damping(multigrid.FINE_STEPS, eigenvalues),
    },
    title="What is left of an error after two sweeps",
    x_label="eigenvalue, in units of the diagonal (smooth at the left, rough at the right)",
    y_label="share that is left",
    alt="Plain Jacobi leaves the roughest errors as they are; the chosen ones do not.",
)

# %% [markdown]
# What is left is smooth, so every second pixel is enough to find it. That is the same task with a
# quarter of the pixels, and so on down to one. This is a V-cycle (Brandt, 1977). Errors go down by
# the weights of bilinear interpolation, and corrections come up by it.

# %% [markdown]
# Down: a coarse pixel gets the full share of the fine one at its place, half of those beside it,
# and a quarter of those at the corners. The weights add up to four, which is just what the twice
# larger distance between pixels asks for.


# %%
def coarser(u):
    u = u[:, 1:-1:2] + (u[:, :-2:2] + u[:, 2::2]) / 2
    return u[1:-1:2] + (u[:-2:2] + u[2::2]) / 2


# %% [markdown]
# Up: fine pixels at coarse ones' places take their values, those between two the mean of both,
# those amid four the mean of all.


# %%
def finer(u):
    out = np.zeros((2 * len(u) + 3, 2 * len(u) + 3))
    out[2:-2:2, 2:-2:2] = u
    out[1:-1:2] = (out[:-2:2] + out[2::2]) / 2
    out[:, 1:-1:2] = (out[:, :-2:2] + out[:, 2::2]) / 2
    return out[1:-1, 1:-1]


# %% [markdown]
# And the cycle itself calls itself, on half the side, until a single pixel is left, which is
# solved by a division. On the way up the two steps are taken in the opposite order, so that the
# whole is symmetric.


# %%
def v_cycle(u, rhs):
    if len(u) == 1:
        return rhs / 4
    for step in multigrid.FINE_STEPS:
        u = jacobi(u, rhs, step)
    missing = coarser(rhs - 4 * u + neighbours(u))
    u = u + finer(v_cycle(np.zeros_like(missing), missing))
    for step in multigrid.FINE_STEPS[::-1]:
        u = jacobi(u, rhs, step)
    return u


# %% [markdown]
# The cycle removes more than five sixths of the error each time, whatever the size of the square.


# %%
def history(method, n, turns):
    u, errors = np.ones((n, n)), [1.0]
    for _ in range(turns):
        u = method(u, np.zeros((n, n)))
        errors.append(np.sqrt((u**2).mean()))
    return np.array(errors)


# %%
for side in (15, 31, 63, n):
    errors = history(v_cycle, side, 8)
    assert (errors[1:] < errors[:-1] / 6).all()

# %% [markdown]
# All three against each other. A fair comparison counts work: a V-cycle does four steps, a
# residual and two transfers, on grids whose pixels add up to four thirds of the finest one's. We
# let it count as eight sweeps. The square is a small one, of 15 pixels a side, so that the slow
# methods can be seen to move at all.

# %%
tried = {"Jacobi": (jacobi, 1), "Gauss-Seidel": (gauss_seidel, 1), "V-cycle": (v_cycle, 8)}
sweeps = 8 * np.arange(16)
falls = {
    name: history(method, 15, 120 // cost)[:: 8 // cost] for name, (method, cost) in tried.items()
}
assert falls["V-cycle"][5] < 1e-3 and 0.1 < falls["Gauss-Seidel"][5] < falls["Jacobi"][5]

# %%
show.curves(
    sweeps,
    {name: np.maximum(fall, 1e-8) for name, fall in falls.items()},
    title="A square of zeros, started from ones",
    x_label="work, sweeps over the finest grid",
    y_label="error, of that at the start",
    log="y",
    alt="The V-cycle falls eight decades in some eighty sweeps, the others one or two in more.",
)

# %% [markdown]
# ### Third way: only where it is rough
#
# A membrane is smooth inside: at $d$ pixels from the rim, what is left of it varies over $d$
# pixels or more. So facekit drops the inside of each grid, and lets the next coarser one stand for
# it. Every grid follows the rim in a *band*. Agarwala (2007) did it with quadtrees.
# `grids(hide=True)` of a prepared mask holds, for every grid, the `spans` of pixels that are
# worked on. Let us draw them.

# %% [markdown]
# A span is a run of pixels in a row: from which column, to which, and where in memory. Rows and
# columns count a rim of one pixel all around.


# %%
def worked(grids, level):
    rows, cols, first = *grids.shapes[level, :2], grids.row_ends[level]
    image = np.zeros((rows, cols), bool)
    for y in range(rows):
        start, stop = grids.span_rows[first + y : first + y + 2]
        for begin, end, _ in grids.spans[start:stop]:
            image[y, begin:end] = True
    return image


# %%
grids = region.grids(hide=True)
show.pictures(
    *(worked(grids, level) for level in range(4)),
    titles=["finest grid", "every 2nd pixel", "every 4th", "every 8th"],
    alt="Four rings along an ellipse's rim, in ever coarser pixels; the last ones are filled.",
    unit="its own pixels",
)

# %% [markdown]
# Now the finest grid that works at each place, laid over the mask's box. A coarser grid keeps
# every second pixel of the finer one; `shapes` tells where it begins.


# %%
def finest(grids):
    index = [np.arange(length) for length in grids.shapes[0, :2]]
    depth = np.zeros(grids.shapes[0, :2], int)
    for level in range(len(grids.shapes)):
        if level:
            index = [
                np.rint((one - 1 - off) / 2 + 1).astype(int)
                for one, off in zip(index, grids.shapes[level, 2:], strict=True)
            ]
        rows, cols = (
            np.clip(one, 0, most - 1)
            for one, most in zip(index, grids.shapes[level, :2], strict=True)
        )
        here = worked(grids, level)[rows[:, None], cols]
        depth = np.where((depth == 0) & here, level + 1, depth)
    return depth[1:-1, 1:-1] * region.unknown


# %%
depth = finest(grids)
palette = np.uint8(
    [[255, 255, 255]] + [[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in show.COLOURS[:6]]
)
show.pictures(
    palette[np.minimum(depth, 6)],
    titles=["which grid works where"],
    alt="An ellipse in coloured rings: the finest grid at the rim, coarser ones further inside.",
    width=3.6,
)

# %% [markdown]
# The band is eight pixels: nothing is hidden that is nearer to the rim than that, and the first
# pixel beyond it is.

# %% [markdown]
# OpenCV's distance transform gives the distance to the nearest known pixel, where a diagonal step
# counts as one, which is how the band is measured.


# %%
wide = cv2.distanceTransform(np.uint8(np.pad(region.unknown, 1)), cv2.DIST_C, 3)[1:-1, 1:-1]
hidden = region.unknown & ~worked(grids, 0)[1:-1, 1:-1]
assert wide[hidden].min() == 9 and wide[region.unknown & ~hidden].max() <= 10

# %% [markdown]
# So the work grows with the rim and not with the area. Doubling an ellipse makes four times the
# pixels, but little more than twice the work. Without hiding, the grids hold more than the area.


# %%
def pixels_worked(side, hide):
    rows, cols = np.mgrid[:side, :side] / side - 0.5
    grids = prepare((rows / 0.45) ** 2 + (cols / 0.3) ** 2 < 1).grids(hide=hide)
    return int(sum(worked(grids, level).sum() for level in range(len(grids.shapes))))


# %%
sides = np.array([256, 512, 1024])
work = {how: np.array([pixels_worked(side, how) for side in sides]) for how in (True, False)}
assert (work[True][1:] < 2.4 * work[True][:-1]).all()
assert (work[False][1:] > 3.8 * work[False][:-1]).all()

# %%
view = show.curves(
    sides,
    {"all pixels": work[False], "along the rim": work[True]},
    title="Pixels worked on, all grids together",
    x_label="side of the picture, pixels",
    y_label="pixels",
    log="xy",
    alt="With all pixels the work grows fourfold when the side doubles, along the rim twofold.",
)
view.figure.axes[0].set_xticks(sides, sides)
view.figure.axes[0].minorticks_off()
view

# %% [markdown]
# Leaving out the inside would cost accuracy if a coarser grid had other solutions. With the plain
# five-point stencil it does. `coarser_stencil` gives the nine-point one that has the *same*
# solutions on every second pixel, up to sixth order. Test it on the wave $\cos(\theta
# x)\cosh(\varphi y)$ with $\cosh\varphi = 2 - \cos\theta$, which solves the fine equations
# exactly. When $\theta$ is halved, the five-point residual falls by $2^4$, that of the nine points
# by $2^8$.


# %%
def residual_at(stencil, angle, apart):
    corner, edge, centre = map(float, stencil)
    one = np.cos(apart * angle)
    other = np.cosh(apart * np.arccosh(2 - np.cos(angle)))
    return abs(centre + 2 * edge * (one + other) + 4 * corner * one * other)


# %%
five = np.float32([0, -1, 4])
nine = coarser_stencil(five)
falls = [residual_at(s, 0.4, 2) / residual_at(s, 0.2, 2) for s in (five, nine)]
assert abs(np.log2(falls[0]) - 4) < 0.2 and abs(np.log2(falls[1]) - 8) < 0.2

# %% [markdown]
# And once more: the stencil made of this one serves every fourth pixel, and keeps the order.

# %%
fourth = coarser_stencil(nine)
fall = residual_at(fourth, 0.2, 4) / residual_at(fourth, 0.1, 4)
assert abs(np.log2(fall) - 8) < 0.2

# %% [markdown]
# ## How do I know that it is right?
#
# ### Against the direct solution
#
# `solve_directly` is the oracle; the naive loop above has confirmed it. We compare on four kinds
# of masks, with a target of pure noise, the roughest rim there is. The promise is half a grey
# level.

# %%
rng = np.random.default_rng(seed)
noise = rng.integers(0, 256, source.shape, np.uint8)
turn = np.arange(24) * np.pi / 12
spikes = np.where(np.arange(24) % 2, 0.03, 0.47)[:, None] * np.stack(
    [np.cos(turn), np.sin(turn)], 1
)

# %% [markdown]
# The star has twelve rays that taper to a pixel: a mask almost without an inside, of which coarser
# grids see little. The islands are two systems in one. The holes are known pixels amid unknown
# ones; coarse grids must not step over them.


# %%
star = np.zeros((size, size), np.uint8)
cv2.fillPoly(star, [np.int32(np.rint((spikes + 0.5) * size))], 1)
islands = ellipse(0.2, 0.2, (0.27, 0.3)) | ellipse(0.23, 0.23, (0.7, 0.68))
holes = ellipse(0.3, 0.4) & (np.hypot((8 * x) % 1 - 0.5, (8 * y) % 1 - 0.5) > 0.2)
masks = {"ellipse": mask, "star": star > 0, "islands": islands, "holes": holes}

# %%
show.pictures(
    *masks.values(),
    titles=list(masks),
    alt="Four masks: an ellipse, a star with thin rays, two discs, and an ellipse full of holes.",
)

# %% [markdown]
# Each mask gives a system of its own. The error is the largest one, over all pixels and all three
# channels, before rounding to bytes.


# %%
for name, one in masks.items():
    system = assemble(source, noise, one)
    error = np.abs(solve(system) - solve_directly(system)).max()
    print(f"{name}: within half a grey level of the direct solution: {error < 0.5}")
    assert error < 0.5

# %% [markdown]
# Where is what is left of the error, and how much? On the faces, magnified to the full range:

# %%
away = np.abs(over_picture(region, solve(equations)) - exact)
assert away.max() < 0.4

# %%
show.pictures(
    np.where(mask, away.max(axis=2), 0),
    titles=["error, black 0, white its largest"],
    alt="The error inside the ellipse is smooth.",
    width=3.6,
)

# %% [markdown]
# ### Against answers known beforehand
#
# Some harmonic fields are exact on pixels: $xy$, a plane, and $y^2 - x^2$. Where target less
# source is one of them, the correction must be the same, inside a mask with a hole and all.

# %%
rows, cols = np.mgrid[:15, :15]
black, hollow = np.zeros((15, 15, 3), np.uint8), np.zeros((15, 15), bool)
hollow[2:13, 2:13] = True
hollow[6:8, 7] = False

# %%
slopes = np.clip(rows**2 - cols**2, 0, 255)  # harmonic where it is not clipped, below the diagonal
known = (rows * cols, hollow), (3 * rows + 5 * cols, hollow), (slopes, hollow & (rows > cols))
for field, where in known:
    wanted = np.repeat(np.uint8(field)[..., None], 3, axis=2)
    assert np.array_equal(blend_poisson(black, wanted, where), wanted)

# %% [markdown]
# ### The checked estimate
#
# In use there is no direct solution to compare with. So every solution is checked. If the residual
# shrinks by a factor $q$ per cycle and the last cycle moved the field by $m$, a geometric series
# says how far it has to go: $m\,q/(1-q)$. What hiding costs is seen at the end of the band, where
# solved pixels are compared with the cubics that stand for their neighbours. The sum must be
# within 0.4 grey levels, or all is solved again with nothing hidden. We watch it, cycle by cycle.


# %%
def after(cycles, hide):
    grids = region.grids(hide=hide)
    system = equations.right_hand_side().reshape(len(region.unknown), -1)
    field, rhs = np.zeros(3 * grids.size, np.float32), np.zeros(3 * grids.size, np.float32)
    blend.guidance.collect(grids, system, rhs)
    estimate = sum(multigrid.cycles(grids, field, rhs, 0.0, cycles))
    image = np.zeros_like(system)
    readout.write_floats(grids, field, image, 0, len(image))
    found = over_picture(region, image.reshape(*region.unknown.shape, 3))
    return estimate, np.abs(found - exact).max()


# %%
cycles = np.arange(2, 6)
hiding, true = np.array([after(k, True) for k in cycles]).T
all_estimates, all_true = np.array([after(k, False) for k in cycles]).T
assert np.isfinite([hiding, all_estimates]).all()
assert (true < 2 * hiding + 0.002)[1:].all()
assert (all_true < 2 * all_estimates + 0.002)[1:].all()

# %%
view = show.curves(
    cycles,
    {
        "estimate": hiding,
        "true error": true,
        "estimate, nothing hidden": all_estimates,
        "true error, nothing hidden": all_true,
    },
    title="The estimate and the truth",
    x_label="V-cycles",
    y_label="largest error, grey levels",
    log="y",
    alt="Estimate and true error fall together; with hidden pixels both level off.",
)
view.figure.axes[0].set_xticks(cycles)
view

# %% [markdown]
# It is an estimate, no bound: the truth may exceed it a little. After two cycles it is not
# believed at all, since the first rate is that of what goes fast; from the third on it counts, and
# we hold it to a factor of two. What hiding costs is the level at which the first two curves end:
# at most 0.0004 of the largest correction. Feed the solver something that is not a number, and it
# says so instead of returning a picture.

# %%
assert true[-1] < 0.0004 * np.abs(membrane[mask]).max()

# %%
try:
    solve(replace(equations, rhs=equations.rhs * np.float32(np.nan)))
    refused = False
except SolverError:
    refused = True
assert refused and blend.TOLERANCE == 0.4 and blend.GOAL == 0.2

# %% [markdown]
# ### Mixed gradients
#
# Import mode covers what is behind. If the source is a drawing on paper, we want its lines, and
# the target's texture between them. So Perez et al. (equation 12) let the *stronger* gradient win,
# for each pair of neighbours and each channel:
#
# $$ v_{pq} = \begin{cases} f^*_p - f^*_q & |f^*_p - f^*_q| > |g_p - g_q| \\
#    g_p - g_q & \text{otherwise.}\end{cases} $$

# %% [markdown]
# The naive rule is a line longer than that of import mode, and `perez` takes it as it is. Note
# that the field so chosen need not be the gradient of any picture; the least squares find the
# nearest one that is.


# %%
def mixed(g, f, p, q):
    ours, theirs = g[p] - g[q], f[p] - f[q]
    return np.where(np.abs(theirs) > np.abs(ours), theirs, ours)


# %%
paper = np.full_like(target, 235)
for k, word in enumerate(("Mona", "Lisa")):
    place = int(0.27 * size), int((0.52 + 0.2 * k) * size)
    cv2.putText(paper, word, place, 0, size / 180, (40, 30, 90), max(size // 90, 1), cv2.LINE_AA)

# %%
covered = blend_poisson(paper, target, mask)
written = blend_poisson(paper, target, mask, mode="mixed")

# %%
show.pictures(
    paper,
    covered,
    written,
    titles=["source", "import", "mixed"],
    alt="A word on paper; imported, it wipes the face out; mixed, it is written on the face.",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("30_written", written))

# %% [markdown]
# The right-hand side is no longer zero inside, so nothing is hidden in this mode. The naive loop
# agrees here, too.

# %%
words = cv2.resize(paper, (small, small), interpolation=cv2.INTER_AREA)
system = assemble(words, little[1], spot, mode="mixed")
found = words + over_picture(system.region, solve_directly(system))
assert np.abs(found - perez(words, little[1], spot, mixed))[spot].max() < 0.001
assert np.abs(solve(system) - solve_directly(system)).max() < 0.4 and not system.grids.graded

# %% [markdown]
# ### Screened: a correction that dies away
#
# The membrane tints the whole face. Sometimes the source's own colours should survive in the
# middle. Bhat et al. (2008) add a term that pulls $c$ to zero: $\Delta c = c / r^2$, where $r$ is
# the *reach* in pixels. Along a straight rim $c$ falls as $e^{-d/r}$. On pixels the rate $\kappa$
# obeys $2\cosh\kappa = 2 + 1/r^2$. A picture of which only the left column is known is such a half
# plane; at the right border the slope is zero, which makes it a hyperbolic cosine.

# %%
strip = np.ones((32, 64), bool)
strip[:, 0] = False
grey = np.full((32, 64, 3), 50, np.uint8)
distance = np.arange(1, 64)

# %%
for reach in (3, 10, 30):
    rate = np.arccosh(1 + 1 / (2 * reach**2))
    wanted = 150 * np.cosh(rate * (63.5 - distance)) / np.cosh(rate * 63.5)
    got = solve(assemble(grey, grey + np.uint8(150), strip, reach=reach))
    assert np.abs(got[..., 0] - wanted).max() < 0.4


# %% [markdown]
# Turn the dial. With a short reach the face keeps its own colours and the seam becomes a glow;
# with a long one the blend is that of import mode.


# %%
def draw(reach):
    return blend_poisson(source, target, mask, reach=reach * size / 256)


# %%
dial = show.Play(
    draw,
    alt="The blended face; its colours come from the rim, as far as the reach goes.",
    interactive=interactive,
    reach=(1, 100, 12),
)
dial

# %%
core = ellipse(0.1, 0.12)
dial.set(reach=1)
assert np.abs(dial.picture[core].astype(int) - source[core]).max() <= 1
near = dial.picture.astype(int)
dial.set(reach=100)
assert np.abs(dial.picture.astype(int) - blended).mean() < np.abs(near - blended).mean() / 2

# %%
dial.set(reach=12)
if size == 256 and photo == "astronaut":
    print(show.check("30_screened", dial.picture))

# %% [markdown]
# ### Paint the mask
#
# Theorems are one thing; the hand believes what it feels. Paint on the picture: the mask's outline
# grows, and the blend follows every stroke. Then take something away. Watch the colours of the
# *whole* face when the outline reaches hair: the membrane hangs on all of its rim.


# %%
def over(mask):
    return blend_poisson(source, target, mask)


# %%
brush = show.Paint(
    over,
    mask,
    alt="The blended face with the outline of its mask, which can be painted.",
    radius=size / 24,
    interactive=interactive,
)
brush

# %% [markdown]
# A stroke changes pixels far away from it. That is no defect but the equation: its solution at
# each pixel depends on the whole rim. Outside of the mask nothing changes, ever. We show it with a
# brush of our own, and leave yours as it is.

# %%
ours = show.Paint(over, mask, alt="The blended face.", interactive=False)
before, inner = ours.picture.astype(int), ellipse(0.1, 0.12)
ours.stroke(size * np.float32([[0.3, 0.45], [0.38, 0.16], [0.62, 0.16]]), radius=size / 24)
far = np.abs(ours.picture - before)[inner].mean()
print("far from the stroke, the mean change is over half a grey level:", bool(far > 0.5))
assert far > 0.5 and (ours.picture[~ours.mask] == target[~ours.mask]).all()

# %% [markdown]
# And if all is rubbed out, the target is back, to the bit.

# %%
ours.stroke(np.float32([[size / 2, size / 2]]), radius=size, erase=True)
assert not ours.mask.any() and (ours.picture == target).all()

# %% [markdown]
# ### Why `cv2.seamlessClone` differs
#
# OpenCV's function carries the paper's name, yet it solves another problem. It shrinks the mask by
# three pixels, takes the source's gradients inside and the *target's* outside, and solves over the
# mask's bounding box, one pixel wider. The target's colours are prescribed only on that box. On a
# box, fast sine transforms solve Poisson's equation, which is the reason. But between mask and box
# the picture is free to drift, and it does. We can write it in a dozen lines.


# %%
def box_of(mask, more=0):
    ends = map(np.flatnonzero, (mask.any(1), mask.any(0)))
    return tuple(slice(one[0] - more, one[-1] + 1 + more) for one in ends)


# %%
def over_box(source, target, mask):
    box, three = box_of(mask, 1), np.ones((3, 3), np.uint8)
    g, f = source[box].astype(float), target[box].astype(float)
    keep = cv2.erode(np.uint8(mask[box]), three, iterations=3)[..., None] > 0
    right, down = (
        np.where(keep, np.diff(g, axis=k, append=0), np.diff(f, axis=k, append=0)) for k in (1, 0)
    )
    rhs = right[1:-1, :-2] - right[1:-1, 1:-1] + down[:-2, 1:-1] - down[1:-1, 1:-1]
    f[1:-1, 1:-1] = 0
    rhs += f[:-2, 1:-1] + f[2:, 1:-1] + f[1:-1, :-2] + f[1:-1, 2:]
    rates = [2 - 2 * np.cos(np.pi * np.arange(1, k + 1) / (k + 1)) for k in rhs.shape[:2]]
    sines = dstn(rhs, type=1, axes=(0, 1)) / np.add.outer(*rates)[..., None]
    out = target.copy()
    out[box][1:-1, 1:-1] = np.clip(np.rint(idstn(sines, type=1, axes=(0, 1))), 0, 255)
    return out


# %%
def clone(source, target, mask=mask):
    rows, cols = box_of(mask)
    middle = (
        cols.start + (cols.stop - cols.start) // 2,
        rows.start + (rows.stop - rows.start) // 2,
    )
    return cv2.seamlessClone(source, target, np.uint8(mask) * 255, middle, cv2.NORMAL_CLONE)


# %% [markdown]
# First a fair check: a picture cloned into itself comes back, so nothing is shifted. Then: our
# version over the box is close to OpenCV's answer. And OpenCV's answer is far from the
# solution of the true problem, while facekit's is not. It also changes pixels outside the mask.

# %%
cloned, truth = clone(source, target), compose(source, target, equations, solve_directly(equations))
assert np.abs(clone(target, target).astype(int) - target).max() <= 2


# %%
def off(image, wanted=truth):
    return np.abs(image.astype(int) - wanted)[mask].mean()


# %%
ours = over_box(source, target, mask)
assert off(ours, cloned) < min(1, off(cloned) / 4) and off(ours) > 2
assert off(cloned) > 2 > 0.1 > off(blended)
assert (cloned != target)[~mask].any() and not (blended != target)[~mask].any()

# %%
show.pictures(
    truth,
    blended,
    cloned,
    np.where(mask, np.abs(cloned.astype(int) - truth).max(axis=2), 0).clip(0, 30),
    titles=["direct solution", "facekit", "seamlessClone", "its error, 0 to 30"],
    alt="The direct solution and facekit's look alike; seamlessClone's is darker or lighter.",
)

# %% [markdown]
# Part of that error is the smaller mask, part the box. With the mask shrunk by three pixels for
# both, the direct solution is still another picture than OpenCV's.

# %%
shrunk = cv2.erode(np.uint8(mask), np.ones((3, 3), np.uint8), iterations=3) > 0
fair = blend_poisson(source, target, shrunk)
assert np.abs(cloned.astype(int) - fair)[shrunk].mean() > 1

# %% [markdown]
# ## How fast is it?
#
# We take turns and compare the best runs, in one cell. The direct solver has the matrix to factor;
# `seamlessClone` has its sine transforms. The pictures are at least 512 pixels a side, since
# smaller ones say more about the cost of a call. What we claim is several times less than what a
# quiet machine shows, so that a busy one can confirm it.

# %%
side = max(size, 512)
pair = [
    cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC) for image in (source, target)
]
where = cv2.resize(np.uint8(mask), (side, side), interpolation=cv2.INTER_NEAREST) > 0

# %%
ways = {
    "scipy's splu": (lambda: solve_directly(assemble(*pair, where)), 20),
    "cv2.seamlessClone": (lambda: clone(*pair, where), 1.5),
}
for name, (way, factor) in ways.items():
    theirs, ours = show.best_times(
        way, lambda: blend_poisson(*pair, where), rounds=5 if fast else 3
    )
    print(f"facekit is at least {factor} times faster than {name}: {theirs >= factor * ours}")
    assert theirs >= factor * ours

# %% [markdown]
# ## What can go wrong
#
# **Colours bleed.** If the rim crosses a strong edge, such as hair or background, the mismatch
# there is large, and the membrane carries it inside. A larger ellipse cuts through hair and veil.
# Its correction varies far more over the face, and so do the colours.

# %%
large = ellipse(0.36, 0.42, (0.5, 0.52))
bled = blend_poisson(source, target, large)
spread = [
    (target.astype(float) - source)[cv2.dilate(np.uint8(one), np.ones((3, 3), np.uint8)) > one]
    .std(axis=0)
    .mean()
    for one in (mask, large)
]
assert spread[1] > 1.5 * spread[0]

# %% [markdown]
# **Levels run out.** The correction is added to bytes, and there is nothing below 0 or above 255.
# In a dark target, a contrasty source loses its shadows. The share of pixels that touch an end
# tells.


# %%
def clipped(image, where):
    return ((image == 0) | (image == 255))[where].any(axis=1).mean()


# %%
dark = target // 4
dim = blend_poisson(source, dark, mask)
assert clipped(dim, mask) > 0.05 > 3 * clipped(source, mask)

# %%
show.pictures(
    np.where(large[..., None], source, target),
    bled,
    dark,
    dim,
    titles=["over strong edges", "its blend", "a dark target", "levels run out"],
    alt="A mask cut through hair gives a stained face; a dark target blackens the shadows.",
)

# %% [markdown]
# **The mask at the border.** Where the mask touches the picture's border nothing is known, so the
# sum over neighbours has fewer terms, and the answer's slope across the border is the source's.
# The naive loop agrees to the byte or nearly.

# %%
edge = np.zeros((small, small), bool)
edge[small // 3 :, : small // 2] = True
cornered = blend_poisson(*little, edge)
assert np.abs(cornered - np.clip(perez(*little, edge), 0, 255))[edge].max() < 1

# %% [markdown]
# **The whole picture.** With no known pixel at all any brightness is as good as another, and
# facekit refuses. With a single known pixel the answer is the source plus a constant. An empty
# mask gives the target back.

# %%
whole = np.ones((small, small), bool)
try:
    blend_poisson(*little, whole)
    refused = False
except ArrayError:
    refused = True
assert refused and np.array_equal(blend_poisson(*little, ~whole), little[1])

# %%
whole[small // 2, small // 3] = False
shift = little[1][~whole].astype(int) - little[0][~whole]
got = over_picture(prepare(whole), solve(assemble(*little, whole)))
assert np.abs(got - shift)[whole].max() < 0.4

# %%
show.pictures(
    np.where(edge[..., None], *little),
    cornered,
    blend_poisson(*little, whole),
    titles=["pasted at the border", "its blend", "one pixel is known"],
    alt="A corner of the source blended into the target, and the source in one constant tint.",
    width=7,
)

# %% [markdown]
# ## Exercises
#
# 1. Swap the roles: blend the target into the source. Is the correction the old one with its sign
#    changed?
#
# <details><summary>Answer</summary>
# Yes, in import mode. The equations are linear, and the values on the rim change sign. In mixed
# mode no: the stronger gradient wins, whoever owns it, so the right-hand side does not change sign.
# </details>
#
# 2. Why does hiding the inside not work in mixed mode?
#
# <details><summary>Answer</summary>
# The right-hand side is not zero there. It holds the target's detail, pixel by pixel, and so does
# the correction. A coarser grid cannot stand for detail of one pixel.
# </details>
#
# 3. The estimate takes $q$ as 0.1 at least. What could go wrong with a smaller one?
#
# <details><summary>Answer</summary>
# The first cycles take out what is rough, which goes fast, and $q$ looks tiny. A series with that
# $q$ says that nothing is left, while the smooth error, which goes more slowly, has yet to show.
# </details>
#
# ## References
#
# - P. Perez, M. Gangnet, A. Blake, *Poisson Image Editing*, ACM Transactions on Graphics 22(3),
#   2003.
# - Z. Farbman, G. Hoffer, Y. Lipman, D. Cohen-Or, D. Lischinski, *Coordinates for Instant Image
#   Cloning*, ACM Transactions on Graphics 28(3), 2009.
# - A. Agarwala, *Efficient Gradient-Domain Compositing Using Quadtrees*, SIGGRAPH 2007.
# - P. Bhat, B. Curless, M. Cohen, C. L. Zitnick, *Fourier Analysis of the 2D Screened Poisson
#   Equation for Gradient Domain Problems*, ECCV 2008.
# - A. Brandt, *Multi-Level Adaptive Solutions to Boundary-Value Problems*, Mathematics of
#   Computation 31, 1977.
# - U. Trottenberg, C. W. Oosterlee, A. Schüller, *Multigrid*, Academic Press, 2001.
