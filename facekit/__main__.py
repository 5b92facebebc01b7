"""Run facekit as `python -m facekit`."""

from facekit.cli import app

if __name__ == "__main__":  # workers of a batch import this module too
    app()
