# %% [markdown]
# # The statistical face
#
# What does a face have to do with its bearer's gender or age? Nothing that holds for one person. On
# average, though, there is an answer: take a thousand faces, and ask which way the mean moves from
# one group to the other. That way is an *axis*. A step along it changes what goes with gender or
# age, and leaves what is this person's own. Two effects follow, `change_gender` and `change_age`,
# and what researchers try first: averages, caricatures, and faces between two.

# %% tags=["parameters"]
photo = "astronaut"
size = 256
seed = 0
fast = True
interactive = True

# %%
from importlib.util import find_spec

# %%
import numpy as np

# %%
from facekit import (
    average,
    caricature,
    change_age,
    change_gender,
    detect_faces,
    morph,
    show,
    synthetic_face,
)
from facekit.effects.folds import folds
from facekit.effects.recolour import recolour
from facekit.effects.reshape import reshape
from facekit.effects.zones import open_parts, rim, zones
from facekit.errors import ArrayError, NoFaceError

# %%
from facekit.evaluate import identity_distance
from facekit.face_model import (
    along,
    average_shape,
    fit_face,
    mean_shape,
    mean_texture,
    mirror_shape,
    move_mesh,
    project_shape,
    texture_along,
    texture_layout,
)
from facekit.lab import from_lab, to_lab
from facekit.topology import face_triangles

# %% [markdown]
# ## What is this step?
#
# The model is a table of numbers in the package: a mean shape of 468 points in space, a mean
# texture of 192 by 192 texels, and for gender and for age how both change. It was made from 1,014
# photographs of adults; `datasets/README.md` in the repository says which, and how. No picture and
# no person can be got back from it.
#
# We draw the mean face on a skin colour of our choice. To its left and right is the same face, one
# and a half steps towards the average woman and towards the average man.

# %%
SKIN = np.array([62, 15, 16], np.float32)  # L, a, b


def painted(texture):
    return from_lab((texture + SKIN).astype(np.float32))


# %%
faces = [painted(mean_texture() + texture_along(gender=step)) for step in (-1.5, 0, 1.5)]
show.pictures(
    *faces,
    titles=["towards women", "the mean face", "towards men"],
    alt="Three soft faces: with fine brows and red lips, neutral, with strong brows and a beard's shadow.",
)

# %% [markdown]
# Nobody drew the lipstick or the stubble: they are what differs on average. Now age, twenty years
# younger and forty years older than the mean.

# %%
ages = [painted(mean_texture() + texture_along(age=years)) for years in (-20, 0, 40)]
show.pictures(
    *ages,
    titles=["20 years younger", "the mean face", "40 years older"],
    alt="Three soft faces: with dark brows and full lips, neutral, and with pale brows and hollow cheeks.",
)

# %% [markdown]
# The older face has no wrinkles. A mean cannot hold any: each person has them elsewhere, and what
# is averaged blurs. We come back to this.
#
# ## Why is it so?
#
# **Shape.** Let $s_i$ be the points of face $i$, turned to the front and brought to one size by
# *Procrustes alignment*: the rotation, scale and shift that bring it nearest to the mean. Then fit,
# coordinate by coordinate,
#
# $$ s_i \approx \bar s + g_i\, a_{\text{gender}} + t_i\, a_{\text{age}} + B\, p_i, $$
#
# where $g_i$ is $\pm\tfrac12$, $t_i$ is in tens of years, and $p_i$ holds pose and expression. They
# are in the fit so that they do not leak into the axes. (If the women in a collection smile more
# often than the men, a difference of plain means would take a smile for a woman's mouth.) A *ridge*
# keeps the coefficients small where the data say little.
#
# The mean shape is symmetric, and so are the axes. We look at the step from women to men: the chin
# gets longer, the brows sink, and nothing moves by more than two hundredths of an eye distance.

# %%
step = along(gender=1)
lengths = np.linalg.norm(step, axis=1)
print("the largest move is less than 3 % of the eye distance:", bool(lengths.max() < 0.03))
assert step[152, 1] > 0.01 and step[105, 1] > 0 and lengths.max() < 0.03
assert np.abs(mirror_shape(step) - step).max() < 1e-4

# %% [markdown]
# Drawn as it is one would see nothing. Exaggerated eight times:

# %%
figure, axes = show.canvas(1, 3)
for ax, times in zip(axes.flat, (-8, 0, 8), strict=True):
    show.draw_mesh(ax, (mean_shape() + times * step)[:, :2], face_triangles())
    ax.set(aspect="equal", title=f"{times:+d} steps" if times else "mean", xlabel="x, eye distances")
    ax.set(ylabel="y, eye distances")
    ax.invert_yaxis()
show.View(figure, alt="Three triangle meshes of a face; the right one has a longer chin and lower brows.")

# %% [markdown]
# **Fit.** To use an axis in a photo we need to know how the head is turned. `fit_face` finds the
# similarity in space (Umeyama 1991) that carries the mean onto the face's points and depth, and
# turns the face back by it. What comes out is the person's own shape, expression included, as if
# seen from the front.

# %%
person = show.portrait(photo, size)
mesh = detect_faces(person)[0]
fitted = fit_face(mesh)
turned = fit_face(detect_faces(np.ascontiguousarray(np.rot90(person)))[0]) if size >= 256 else fitted

# %% [markdown]
# The photo turned by ninety degrees gives the same shape, as far as the network finds the same
# points. And the way back leads to the points that we came from.

# %%
back = fitted.shape @ fitted.matrix[:, :3].T + fitted.matrix[:, 3]
off = np.linalg.norm(fitted.shape - turned.shape, axis=1).mean()
print("the turned photo's shape differs by less than 4 % of the eye distance:", bool(off < 0.04))
assert off < 0.04 and np.abs(back[:, :2] - mesh.points[:468]).max() < 0.01

# %% [markdown]
# **Step, don't replace.** We never replace the person's shape by the model's. We *add* a step:
# $s' = s + k\,a$. It is turned into the picture's pose by the rotation that was fitted. So the
# distance between the person and the mean face stays what it was, along every other direction. The
# projection onto the axis, by least squares, grows by just $k$.

# %%
before = project_shape(fitted.shape)[0]
after = project_shape(fitted.shape + along(gender=2))[0]
moved = move_mesh(mesh, along(gender=2))
seen = project_shape(fit_face(moved).shape)[0]
assert abs(after - before - 2) < 1e-3 and abs(seen - before - 2) < 0.4

# %% [markdown]
# **Warp, with surroundings still.** The mesh is moved to its new points, and rings of anchors
# around the face take up the change, each less than the one before. Beyond the last, the picture is
# bit for bit the same.

# %%
reshaped = reshape(person, mesh, move_mesh(mesh, along(gender=-3)).points)
same = (reshaped == person).all(axis=2)
print("more than half of the picture is untouched:", bool(same.mean() > 0.5))
assert same.mean() > 0.5 and not same.all()

# %% [markdown]
# **Colour.** The texture's step $\Delta$ is in CIELAB, for a face of usual lightness, $L = 60$. A
# photo has light of its own. Less light scales $L + 16$, $a$ and $b$ alike, so the step is scaled
# by $(L + 16)/76$ at each pixel. And it is bounded by what this skin can look like. It gets no
# lighter than the cheeks in the light and a little more; a warm colour fades, but by a factor, so
# that it never turns green or blue.
#
# Added plainly, without scale and bounds, the step leaves a mark. We lay both on the same face,
# twice as far as we ever go, so that it shows.

# %%
far = 5 * texture_along(gender=-1) * (rim() * (1 - open_parts()))[..., None]
careful = recolour(reshaped, moved, far.astype(np.float32))


def plainly(image, face, change):
    from facekit.face_model import lay_texture

    laid, box = lay_texture(change, face, image.shape[:2])
    result = image.copy()
    result[box] = np.where(laid.any(axis=2)[..., None], from_lab(to_lab(image[box]) + laid), image[box])
    return result


# %%
plain = plainly(reshaped, moved, far.astype(np.float32))
show.pictures(
    reshaped,
    plain,
    careful,
    titles=["shape only", "colour added plainly", "in its own light"],
    alt="A face; the same with glaring blotches; the same with even, made-up skin.",
)

# %%
beyond = [(to_lab(image)[..., 0] > to_lab(person)[..., 0].max() - 1).mean() for image in (plain, careful)]
assert beyond[1] <= beyond[0]

# %% [markdown]
# **Where it tells.** Not every part of a face says equally much. We asked a gender classifier how
# much it is turned by the change of one part alone, and a face-recognition network how far that
# part alone takes the person away from themselves. Eyes and brows say much at little cost; the
# light on the nose costs most. So each part moves by its own number of steps, inside soft masks.
# Eyeballs and what shows between the lips are left out.

# %%
parts = [255 * np.repeat(part[..., None], 3, axis=2) for part in (*zones().values(), open_parts())]
show.pictures(
    *[np.asarray(part, np.uint8) for part in parts[:4]],
    titles=list(zones())[:4],
    alt="Soft white masks of eyes, brows, lips and nose in the model's layout.",
)

# %% [markdown]
# ## Gender
#
# `change_gender` does all of this, and three things that no axis holds. On the way to a woman it
# thins a beard: what the skin under it would look like is predicted from the cheeks and the mean.
# On the way to a man it suggests stubble. And the grain of the skin gets finer or coarser.

# %%
female, male = (change_gender(person, toward=way).image for way in ("female", "male"))
show.pictures(
    female,
    person,
    male,
    titles=["toward female", "the photo", "toward male"],
    alt="The person with brighter skin and lips; as in the photo; with strong brows and stubble.",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("70_female", female), show.check("70_male", male))
where = [project_shape(fit_face(detect_faces(image)[0]).shape)[0] for image in (female, person, male)]
assert where[0] < where[1] < where[2]

# %% [markdown]
# With "auto" it goes to the other side. For that it guesses where the face lies now, from the
# projections of its shape, its light and its brows. The guess lives for the length of the call. It
# is not in the result, and nothing keeps it; it would be personal data that nobody asked for.

# %% tags=["thumbnail"]
steps = [change_gender(person, amount=amount).image for amount in (0.5, 1.0)]
show.pictures(
    person,
    *steps,
    titles=["the photo", "amount 0.5", "amount 1"],
    alt="The person, half way to the other gender, and all the way.",
)

# %% [markdown]
# ## Age
#
# Light and shape again follow an axis, and hair turns grey. What the mean lost must be put back
# (Tiddeman, Burt and Perrett 2001 were the first to say so). The person's own folds get deeper, by
# the difference between a narrow and a wide blur; younger, they get shallower. And lines are drawn
# where skin folds as it ages, through landmarks: dark where it turns from the light, bright below.

# %%
lines = np.asarray(np.clip(128 + 110 * folds(), 0, 255), np.uint8)
older = change_age(person, years=25).image
younger = change_age(person, years=-15).image

# %%
show.pictures(
    np.repeat(lines[..., None], 3, axis=2),
    younger,
    person,
    older,
    titles=["lines", "15 years younger", "the photo", "25 years older"],
    alt="Drawn fold lines of a face; the person younger with smooth skin, as now, and older with folds.",
)

# %%
if size == 256 and photo == "astronaut":
    print(show.check("70_older", older))


def ink_near(landmark):
    x, y = (4 * texture_layout()[landmark] + 1.5).astype(int)
    return np.abs(folds()[y - 9 : y + 9, x - 9 : x + 9]).max()


# %%
assert ink_near(203) > 0.3 and ink_near(1) < 0.05

# %% [markdown]
# ### All dials
#
# Gender from -1 (female) to 1 (male), and years. Both at once is one effect after the other.


# %%
def draw(gender, years):
    way = "male" if gender > 0 else "female"
    return change_age(change_gender(person, toward=way, amount=abs(gender)).image, years=years).image


# %%
dials = show.Play(
    draw,
    alt="The person, as the dials for gender and age say.",
    interactive=interactive,
    gender=(-1.0, 1.0, 0.0),
    years=(-30.0, 40.0, 0.0),
)
dials

# %%
assert np.array_equal(dials.picture, person)
dials.set(gender=-0.7, years=20)
assert (dials.picture != person).any()

# %% [markdown]
# ## What researchers try first
#
# **Average.** Shapes first: each is turned to the front, and they are aligned to their own mean
# until it stands still (*generalised Procrustes*, Gower 1975). Then each picture is carried onto
# that shape, and colours are averaged. The order matters: pictures averaged without it are a blur. We
# take the astronaut, the Mona Lisa, and two mannequins that facekit draws.

# %%
people = [show.portrait(name, size) for name in ("astronaut", "joconde")]
people += [synthetic_face(size, seed=number) for number in (1, 5)]
blur = np.mean(people, axis=0).astype(np.uint8)
middle = average(people, size=size)

# %%
show.pictures(
    blur,
    middle,
    titles=["pictures averaged", "faces averaged"],
    alt="A blur of four heads; beside it one clear face, blurred only around it.",
    width=5.5,
)

# %% [markdown]
# An average lies nearer to the mean face than those it is made of. It is also smoother and more
# regular, which is one reason why averages are found attractive (Langlois and Roggman 1990).


# %%
def from_mean(image):
    return np.linalg.norm(fit_face(detect_faces(image)[0]).shape - mean_shape(), axis=1).mean()


# %%
shapes = [fit_face(detect_faces(image)[0]).shape for image in people]
assert from_mean(middle) < np.mean([from_mean(image) for image in people])
assert np.allclose(average_shape(shapes), average_shape(shapes[::-1]), atol=1e-5)

# %% [markdown]
# **Caricature.** What sets a person apart is their difference to the mean, $s - \bar s$. Let it
# grow, and the face is more like itself than itself (Brennan 1985); let it shrink, and it becomes
# anybody. Expression is part of the difference, so a smile grows, too.

# %%
drawn = [caricature(person, amount=amount) for amount in (-1.0, 0.5, 1.0)]
show.pictures(
    drawn[0].image,
    person,
    *[result.image for result in drawn[1:]],
    titles=["as the mean face", "the photo", "amount 0.5", "amount 1"],
    alt="The person with an average shape, as in the photo, and twice exaggerated.",
)

# %%
apart = [np.linalg.norm(fit_face(result.faces[0]).shape - mean_shape(), axis=1).mean() for result in drawn]
print("distances to the mean grow with the amount:", bool(apart[0] < apart[1] < apart[2]))
assert apart[0] < 0.2 * apart[1] and apart[1] < apart[2]

# %% [markdown]
# **Between two.** The other picture is turned and scaled to fit, both faces are warped to the shape
# between, and one fades into the other.

# %%
row = [morph(people[0], people[1], share=share) for share in (0, 0.33, 0.67, 1)]
show.pictures(
    *row,
    titles=["one", "a third", "two thirds", "the other"],
    alt="The astronaut's face turns into the Mona Lisa's in four steps.",
)

# %%
assert np.array_equal(row[0], people[0])

# %% [markdown]
# ## How do I know that it is right?
#
# **Locality.** `mask` tells which pixels differ. Outside of it the picture is bit for bit the
# photo, and `amount=0` gives the photo back.

# %%
result = change_gender(person)
assert (result.image[~result.mask] == person[~result.mask]).all()
assert np.array_equal(change_gender(person, amount=0).image, person)
assert np.array_equal(change_age(person, years=0).image, person)

# %% [markdown]
# **Is it still this person?** dlib's recognition network takes two pictures for one person below
# a distance of 0.6. The distance grows with the amount. (Without dlib, the cell claims nothing.)

# %%
known = find_spec("dlib") is not None
changed = [change_gender(person, amount=amount).image for amount in (0.25, 0.5, 1.0)] if known else []
far_away = [identity_distance(image, person) for image in changed] or [0.1, 0.2, 0.5]
print("half way, the network still takes both for one person:", bool(far_away[1] < 0.6))
assert far_away == sorted(far_away) and far_away[1] < 0.6

# %% [markdown]
# **Is it another gender?** An independent classifier should know. `tools/measure_effects.py FOLDER`
# asks one about a folder of labelled portraits, and prints how many turn, at what distance, and by
# how many years the estimated age moves. The figures in `docs/effects.md` are from 41 portraits that
# are not in the repository: at amount 1 forty turn, at a median distance of 0.59.
#
# ## What can go wrong?
#
# - *The axis is an average over a collection.* Of press photographs, with labels by a classifier,
#   of two classes. It carries what that collection carries: lipstick, grooming, a way to be lit.
#   It is a statement about pictures, not about people.
# - *Hair, neck and clothes stay.* Long hair still says what it said.
# - *A full beard is only thinned*, and what is under it is a guess.
# - *Profiles.* Beyond 45 degrees half of the texture is not seen; the effect gets weak.
# - *A painting's cracks and a phone's grain* are smoothed a little wherever the shape moves, because
#   a warp must sample between pixels.
#
# Bad values are refused by name, before any work.

# %%
for wrong in (
    lambda: change_gender(person, amount=2),
    lambda: change_age(person, years=90),
    lambda: average([]),
):
    try:
        wrong()
    except ArrayError as error:
        print(error)
try:
    change_gender(np.zeros((64, 64, 3), np.uint8))
except NoFaceError as error:
    print(error)

# %% [markdown]
# ## Try it yourself
#
# What does a face look like that went to the other gender and back again? Is it the one that we
# started from?
#
# <details><summary>Answer</summary>
#
# Not quite. The shape comes back, because steps add up. The colour does not wholly: a step that was
# bounded on the way out is not bounded on the way back, detail that was smoothed is lost, and a
# beard that was taken off is only suggested by stubble. An effect is not a group action; who wants
# the original must keep it, which facekit does not.
#
# </details>

# %%
there = change_gender(person, toward="female", amount=0.5).image
again = change_gender(there, toward="male", amount=0.5)
shift = [project_shape(fit_face(face).shape)[0] for face in (mesh, again.faces[0])]
assert abs(shift[1] - shift[0]) < 0.8 and (again.image != person).any()

# %% [markdown]
# ## References
#
# - Rowland and Perrett, "Manipulating Facial Appearance through Shape and Color", IEEE CG&A 15(5), 1995.
# - Tiddeman, Burt and Perrett, "Prototyping and Transforming Facial Textures for Perception Research",
#   IEEE CG&A 21(5), 2001.
# - Cootes, Edwards and Taylor, "Active Appearance Models", IEEE PAMI 23(6), 2001.
# - Gower, "Generalized Procrustes Analysis", Psychometrika 40(1), 1975.
# - Umeyama, "Least-Squares Estimation of Transformation Parameters", IEEE PAMI 13(4), 1991.
# - Brennan, "Caricature Generator", Leonardo 18(3), 1985.
# - Langlois and Roggman, "Attractive Faces Are Only Average", Psychological Science 1(2), 1990.
