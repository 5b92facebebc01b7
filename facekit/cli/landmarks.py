"""`facekit landmarks`: where the points of a face lie, as numbers or drawn."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facekit.cli.base import (
    WRONG_USAGE,
    BatchOption,
    CommandError,
    ForceOption,
    JsonOption,
    WorkersOption,
    console,
    naming,
    put_json,
    shown,
    working,
)
from facekit.cli.batch import run_folder
from facekit.cli.files import check_mode, check_source, check_target, save_bytes, save_image
from facekit.errors import NoFaceError

if TYPE_CHECKING:
    from facekit.values import FaceMesh, Image

__all__ = ["LandmarksJob", "landmarks", "mesh_document", "mesh_npz"]

EXAMPLES = """
Examples:

  facekit landmarks me.jpg

  facekit landmarks me.jpg -o mesh.npz

  facekit landmarks group.jpg --thorough -o overlay.png

  facekit landmarks --batch photos -o meshes --format json
"""

NUMBERS = frozenset({".npz", ".json"})
MOST_FACES = 100


@dataclass(frozen=True, slots=True)
class LandmarksJob:
    """Find the faces of a picture and write them down.

    Parameters
    ----------
    thorough : bool
        As in `facekit.detect_faces`.
    """

    thorough: bool = False

    def __call__(self, source: Path, target: Path, force: bool) -> None:
        """Write the faces of `source` to `target`, in the form that its extension names."""
        image, faces = self.find(source)
        save_faces(target, image, faces, force=force)

    def find(self, source: Path) -> "tuple[Image, list[FaceMesh]]":
        """Return the picture and its faces; there is at least one."""
        from facekit.codec import read_image
        from facekit.landmarks import detect_faces

        with naming(source):
            image = read_image(source)
            faces = detect_faces(image, max_faces=MOST_FACES, thorough=self.thorough)
            if not faces:
                raise NoFaceError("no face was found; take a picture that shows a face clearly")
        return image, faces


def save_faces(target: Path, image: "Image", faces: "Sequence[FaceMesh]", *, force: bool) -> None:
    """Write faces as .npz, as .json, or drawn over the picture."""
    kind = target.suffix.lower()
    if kind == ".npz":
        save_bytes(target, mesh_npz(image, faces), force=force)
    elif kind == ".json":
        save_bytes(target, json.dumps(mesh_document(image, faces)).encode(), force=force)
    else:
        from facekit.cli.overlay import draw_overlay

        save_image(target, draw_overlay(image, faces), force=force)


def mesh_npz(image: "Image", faces: "Sequence[FaceMesh]") -> bytes:
    """Pack the faces, F of them, into an .npz file.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        For its size.
    faces : sequence of FaceMesh
        At least one.

    Returns
    -------
    bytes
        Arrays ``points`` (F, 478, 2), ``ibug68`` (F, 68, 2), ``depth`` (F, 478), ``blendshapes``
        (F, 52), ``blendshape_names`` (52,), ``pose`` (F, 4, 4), ``box`` (F, 4), ``score`` (F,)
        and ``image_size`` (width, height); lengths in pixels.
    """
    import numpy as np

    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        points=np.stack([face.points for face in faces]),
        ibug68=np.stack([face.ibug68() for face in faces]),
        depth=np.stack([face.depth for face in faces]),
        blendshapes=np.stack([face.blendshapes.scores for face in faces]),
        blendshape_names=np.array(faces[0].blendshapes.names),
        pose=np.stack([face.pose for face in faces]),
        box=np.array([face.box for face in faces], np.float32),
        score=np.array([face.score for face in faces], np.float32),
        image_size=np.array(image.shape[1::-1]),
    )
    return packed.getvalue()


def mesh_document(image: "Image", faces: "Sequence[FaceMesh]") -> dict[str, Any]:
    """Return the faces as a JSON document, under the same names as in `mesh_npz`."""
    return {
        "image_size": [image.shape[1], image.shape[0]],
        "faces": [
            {
                "box": _rounded(face.box, 2),
                "score": round(face.score, 4),
                "pose": [_rounded(row, 6) for row in face.pose.tolist()],
                "angles": _angles_by_name(face),
                "blendshapes": {name: round(score, 5) for name, score in face.blendshapes.items()},
                "points": [_rounded(point, 3) for point in face.points.tolist()],
                "depth": _rounded(face.depth.tolist(), 3),
                "ibug68": [_rounded(point, 3) for point in face.ibug68().tolist()],
            }
            for face in faces
        ],
    }


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(value, digits) for value in values]


def _angles_by_name(face: "FaceMesh") -> dict[str, float]:
    return dict(zip(("yaw", "pitch", "roll"), _rounded(face.angles(), 1), strict=True))


def landmarks(
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="The picture.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=".npz, .json, or a picture to draw; with --batch, a folder."),
    ] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Look for small and turned faces.")] = False,
    batch: BatchOption = None,
    workers: WorkersOption = None,
    form: Annotated[
        str | None, typer.Option("--format", help="Extension for --batch: npz, json, png.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find faces: 478 points, the 68 of the literature, depth, blendshapes and pose of each.

    Without -o, print a summary. A drawing of a small picture is enlarged until the mesh can be read.
    """
    check_mode(photo, batch, workers=workers, format=form)
    from facekit.codec import WRITABLE

    known = NUMBERS | set(WRITABLE)
    job = LandmarksJob(thorough)
    if batch is not None:
        if out is None:
            raise CommandError("--batch needs -o FOLDER", code=WRONG_USAGE)
        run_folder(
            job, batch, out, form=form or "npz", known=known, force=force, workers=workers, as_json=as_json
        )
    elif photo is not None:
        if out is not None:
            check_target(out, known=known, force=force, source=photo)
        check_source(photo)
        with working("Looking for faces"):
            image, faces = job.find(photo)
            if out is not None:
                save_faces(out, image, faces, force=force)
        _report(image, faces, out, as_json=as_json)


def _report(image: "Image", faces: "Sequence[FaceMesh]", out: Path | None, *, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {"image_size": [image.shape[1], image.shape[0]], "count": len(faces)}
        if out is None:
            document["faces"] = [{"box": _rounded(face.box, 1), **_angles_by_name(face)} for face in faces]
        put_json(document | {"output": str(out) if out else None})
    elif out is not None:
        typer.echo(f"{shown(out)}: {len(faces)} face{'s' * (len(faces) != 1)}")
    else:
        _print_table(image, faces)


def _print_table(image: "Image", faces: "Sequence[FaceMesh]") -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("Face", "Left", "Top", "Width", "Height", "Yaw°", "Pitch°", "Roll°", "Score"):
        table.add_column(title, justify="right")
    for number, face in enumerate(faces):
        x0, y0, x1, y1 = face.box
        angles = (f"{angle:+.1f}" for angle in _angles_by_name(face).values())
        sides = (f"{v:.0f}" for v in (x0, y0, x1 - x0, y1 - y0))
        table.add_row(str(number), *sides, *angles, f"{face.score:.3f}")
    screen = console()
    screen.print(f"{len(faces)} face{'s' * (len(faces) != 1)} in {image.shape[1]} x {image.shape[0]} pixels")
    screen.print(table)
    screen.print("Degrees: yaw towards the picture's right, pitch down, roll clockwise are positive.")
