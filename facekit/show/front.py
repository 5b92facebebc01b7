"""The part of a widget that runs in the browser."""

from pathlib import Path
from typing import Any

__all__ = ["front", "view_of"]

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def front(script: str, **state: Any) -> Any:
    """Make a widget of a script beside this file.

    Parameters
    ----------
    script : str
        Name of the JavaScript file, without its ending; it has `common.js` before it.
    **state : JSON values or bytes
        What both sides know, by name; a change on one side reaches the other.

    Returns
    -------
    anywidget.AnyWidget
        Shown by Jupyter and by Voila.
    """
    import anywidget
    import traitlets

    text = "\n".join((HERE / f"{name}.js").read_text() for name in ("common", script))
    traits = {name: traitlets.Any(value).tag(sync=True) for name, value in state.items()}
    return type(script.capitalize(), (anywidget.AnyWidget,), {"_esm": text, **traits})()


def view_of(widget: Any) -> dict[str, Any]:
    """Return a widget as an output's data.

    Parameters
    ----------
    widget : ipywidgets.DOMWidget or None
        What a notebook with a kernel shows.

    Returns
    -------
    dict
        By MIME type; empty where there is no widget.
    """
    if widget is None:
        return {}
    shown = widget._repr_mimebundle_()  # ipywidgets returns the data, anywidget the metadata too
    return {WIDGET: (shown[0] if isinstance(shown, tuple) else shown)[WIDGET]}
