"""Numbers that ship with the package; their provenance is in datasets/README.md."""

from functools import cache
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import numpy.typing as npt

__all__ = ["load_numbers"]


@cache
def load_numbers(name: str) -> "Mapping[str, npt.NDArray[Any]]":
    """Load `assets/<name>.npz` once; the arrays are read-only.

    Parameters
    ----------
    name : str
        File name without its suffix, such as ``"ibug68"``.

    Returns
    -------
    Mapping of str to ndarray
        The arrays of the file by name.
    """
    with as_file(files(__name__) / f"{name}.npz") as path, np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for array in arrays.values():
        array.setflags(write=False)
    return MappingProxyType(arrays)
