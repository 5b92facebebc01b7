"""Bilinear samples, in whole numbers: all channels of a pixel at once, in the vector units.

Weights are steps of 1/64 pixel (OpenCV's are 1/32), so that a sample is exact: a byte and twice
6 bits. A pixel is a word of four bytes, and its right neighbour is the word behind it, so that one
load brings both [1]_. numba has no words for vectors, but LLVM has: `weighed` is written in them,
and LLVM makes of it what the processor has (a dozen instructions on x86, pmaddwd among them).

References
----------
.. [1] Wolberg, "Digital Image Warping", IEEE Computer Society Press, 1990, chapter 5.
"""

from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from facekit.compiled import compiled
from facekit.values import Image

__all__ = ["HALF", "PLACES", "STEPS", "Words", "as_words", "put", "put_over", "weighed"]

BITS = 6
STEPS = 1 << BITS  # sampling positions per source pixel
PLACES = 2 * BITS  # bits of a weighted sum behind the point: weights add up to 1 << PLACES
HALF = 1 << PLACES - 1

Words: TypeAlias = npt.NDArray[np.uint32]
Bytes: TypeAlias = npt.NDArray[np.uint8]

# Looked up, because what is spread over a vector comes faster from memory than from a register:
# the weights of a pixel (lower half) and of its right neighbour, and the weight of the row below.
RIGHT = np.array([right << 16 | STEPS - right for right in range(STEPS)], np.uint32)
DOWN = np.arange(STEPS, dtype=np.uint16)


def as_words(image: Image) -> Words:
    """Give each pixel a word.

    Parameters
    ----------
    image : Image of shape (H, W, 3), uint8
        The picture.

    Returns
    -------
    ndarray of shape (H, W), uint32
        The first channel in the lowest byte; the highest byte has no meaning.
    """
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)).view(np.uint32)[..., 0]


@compiled
def weighed(words: Words, width: np.uint64, u: np.uint64, v: np.uint64) -> np.uint32:
    """Read a picture between its pixels.

    Parameters
    ----------
    words : ndarray of shape (H * W,), uint32
        The picture, row after row.
    width : int
        W.
    u, v : int, steps of 1/64 pixel
        Where: in x below W - 1, in y below H - 1. Not checked.

    Returns
    -------
    uint32
        The four pixels around, weighed and rounded.
    """
    low = np.uint64(STEPS - 1)
    at = (v >> np.uint64(BITS)) * width + (u >> np.uint64(BITS))
    return np.uint32(_weighed(words, at, at + width, RIGHT[u & low], DOWN[v & low]))


@compiled
def put(out: Bytes, at: np.uint64, word: np.uint32) -> None:
    """Write a pixel.

    Parameters
    ----------
    out : ndarray of shape (H * W * 3,), uint8
        A picture, row after row.
    at : int
        Which of its pixels. Not checked.
    word : uint32
        What to write.
    """
    byte = np.uint64(3) * at
    out[byte] = np.uint8(word)
    out[byte + np.uint64(1)] = np.uint8(word >> np.uint32(8))
    out[byte + np.uint64(2)] = np.uint8(word >> np.uint32(16))


@compiled
def put_over(out: Bytes, at: np.uint64, word: np.uint32) -> None:
    """Write a pixel in one store, which spoils the first byte of the next: that must still be written.

    Parameters
    ----------
    out : ndarray of shape (H * W * 3,), uint8
        A picture, row after row.
    at : int
        Which of its pixels, not the last. Not checked.
    word : uint32
        What to write.
    """
    _put_word(out, np.uint64(3) * at, word)


# -- in LLVM's language --------------------------------------------------------------------

BYTE, SHORT, INT = ir.IntType(8), ir.IntType(16), ir.IntType(32)


def _weigh(_: Any, words: Any, upper: Any, lower: Any, right: Any, down: Any) -> Any:
    """Weigh the pixel at index `upper` and its right neighbour, and those at `lower`; round."""

    def build(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        array, upper, lower, right, down = arguments
        start = context.make_array(signature.args[0])(context, builder, array).data

        def pair(index: ir.Value) -> ir.Value:  # r g b - r g b -, in 16 bits each
            place = builder.bitcast(builder.gep(start, [index]), ir.VectorType(BYTE, 8).as_pointer())
            return builder.zext(builder.load(place, align=4), ir.VectorType(SHORT, 8))

        def product(column: int) -> ir.Value:  # every second value of both, from `column` on
            picked = [_shuffled(builder, vector, range(column, 8, 2)) for vector in (mixed, weights)]
            return builder.mul(*(builder.sext(part, ir.VectorType(INT, 4)) for part in picked))

        above, below = pair(upper), pair(lower)
        grown = builder.mul(_spread(builder, down, 8), builder.sub(below, above))
        mixed = builder.add(builder.shl(above, _constant(SHORT, 8, BITS)), grown)
        mixed = _shuffled(builder, mixed, (0, 4, 1, 5, 2, 6, 3, 7))  # r r g g b b - -
        weights = builder.bitcast(_spread(builder, right, 4), ir.VectorType(SHORT, 8))
        rounded = builder.add(builder.add(product(0), product(1)), _constant(INT, 4, HALF))
        whole = builder.lshr(rounded, _constant(INT, 4, PLACES))
        return builder.bitcast(builder.trunc(whole, ir.VectorType(BYTE, 4)), INT)

    return types.uint32(words, upper, lower, right, down), build


def _store(_: Any, out: Any, byte: Any, word: Any) -> Any:
    """Store four bytes, at any byte."""

    def build(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        array, byte, word = arguments
        start = context.make_array(signature.args[0])(context, builder, array).data
        builder.store(word, builder.bitcast(builder.gep(start, [byte]), INT.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(out, byte, word), build


_weighed: Any = intrinsic(_weigh)
_put_word: Any = intrinsic(_store)


def _constant(kind: ir.Type, count: int, value: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(kind, count), [value] * count)


def _spread(builder: ir.IRBuilder, value: ir.Value, count: int) -> ir.Value:
    """Return a vector that has `value` everywhere."""
    empty = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    return _shuffled(builder, builder.insert_element(empty, value, INT(0)), [0] * count)


def _shuffled(builder: ir.IRBuilder, vector: ir.Value, order: Any) -> ir.Value:
    """Return the values of a vector in that order."""
    indices = list(order)
    unused = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(vector, unused, ir.Constant(ir.VectorType(INT, len(indices)), indices))
