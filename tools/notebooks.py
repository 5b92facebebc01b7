"""Make the notebooks from their sources, or run them in full size.

A notebook's source is notebooks/NN_topic.py (py:percent); its outputs are committed in the .ipynb of
the same name. `make` runs the sources and writes outputs; `full` runs them with large pictures, in out/.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
OUT = FOLDER.parent / "out" / "notebooks"
FULL = {"size": 1024, "fast": False, "interactive": False}
LIMIT = 900  # seconds a cell may take


def notebook(source: Path) -> Any:
    """Read a source as a notebook without outputs; ids and metadata are the same each time."""
    made = jupytext.read(source)
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number:02d}"
    made.metadata = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.nbformat_minor = 5
    return made


def make(source: Path) -> None:
    """Run a source and write the notebook with its outputs beside it."""
    made = notebook(source)
    client = NotebookClient(
        made, timeout=LIMIT, resources={"metadata": {"path": source.parent}}, store_widget_state=False
    )
    client.execute()
    for cell in made.cells:
        cell.metadata.pop("execution", None)  # when it ran
    made.metadata.language_info = {"name": "python"}
    nbformat.write(made, source.with_suffix(".ipynb"))  # type: ignore[no-untyped-call]


def run(source: Path, folder: Path, parameters: Mapping[str, Any]) -> Any:
    """Run a source with other parameters, in a folder; return the notebook with its outputs."""
    import papermill

    folder.mkdir(parents=True, exist_ok=True)
    made, out = folder / source.with_suffix(".ipynb").name, folder / f"{source.stem}.out.ipynb"
    nbformat.write(notebook(source), made)  # type: ignore[no-untyped-call]
    return papermill.execute_notebook(
        made,
        out,
        parameters=parameters,
        cwd=FOLDER,
        progress_bar=False,
        request_save_on_cell_execute=False,  # to write all of it after each cell takes longer than many cells
        autosave_cell_every=0,
    )


def main() -> int:
    """Run what was asked for; print a line for each notebook; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "full"])
    parser.add_argument("names", nargs="*", help="as 20_triangulated_warp; all by default")
    arguments = parser.parse_args()
    failed = 0
    for source in sources(arguments.names):
        start = time.perf_counter()
        try:
            make(source) if arguments.what == "make" else run(source, OUT, FULL)
            verdict = "done"
        except Exception as error:  # a notebook may raise anything; the others still run
            failed, verdict = failed + 1, f"FAILED: {str(error).strip().splitlines()[-1]}"
            sys.stderr.write(f"{error}\n")
        sys.stdout.write(f"{source.stem:30} {time.perf_counter() - start:7.1f} s  {verdict}\n")
    return 1 if failed else 0


def sources(names: Sequence[str] = ()) -> list[Path]:
    """List the sources, in the order in which to read them."""
    return [path for path in sorted(FOLDER.glob("[0-9][0-9]_*.py")) if not names or path.stem in names]


if __name__ == "__main__":
    sys.exit(main())
