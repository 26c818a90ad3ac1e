"""From what a user says, and what a source knows, to `Values`. What cannot be known is asked for."""

import numpy as np

from keras_pixelrnn import checks
from keras_pixelrnn.data.values import MEANINGS, MOST_LEVELS, Values

MOST_STORED = 2**45
BINARIZATIONS = ("static", "dynamic", "threshold")
OPTIONS = """Say what they hold:
  values="intensities", value_range=(low, high)  ordered, quantised to `levels`
  values="integers", levels=L                    ordered, 0 .. L-1 as they are
  values="codes", levels=L                       no order among them (indices of a VQ-VAE), 0 .. L-1
  values="binary"                                0 and 1
  values="spins"                                 -1 and +1"""


def decide(dtype, *, known=None, extent=None, **said):
    """The `Values` of a source.

    Args:
        dtype: of the stored numbers.
        known: `(low, high)` of ordered integers where the source itself says so, or None.
        extent: function giving the smallest and largest stored number, or None where reading
            them all would be too much.
        **said: what the user said: `values`, `value_range`, `levels`, `binarization`; each or None.
    """
    dtype, levels, binarization = np.dtype(dtype), said["levels"], said["binarization"]
    meaning, value_range = said["values"], said["value_range"]
    checks.optional(checks.choice, "values", meaning, MEANINGS)
    checks.optional(checks.choice, "binarization", binarization, BINARIZATIONS)
    levels = checks.optional(check_levels, "levels", levels)
    if value_range is not None:
        if meaning not in (None, "intensities"):
            raise ValueError(
                "`value_range` goes with values='intensities'; other values say their range by "
                f"`levels`. Received: values={meaning!r}, value_range={value_range!r}"
            )
        meaning, (low, high) = "intensities", _range(value_range, dtype)
    elif meaning is None:
        meaning, (low, high) = _known(dtype, known, extent, levels, binarization)
    else:
        low, high = _stated(meaning, dtype, known, levels)
    levels = _levels(meaning, low, high, dtype, levels)
    return Values(
        meaning, low, high, levels, _binarization(meaning, low, high, levels, binarization)
    )


def _known(dtype, known, extent, levels, binarization):
    """Meaning and range where the user did not say, or `ValueError`."""
    if known not in (None, (0, 255)):
        return ("binary" if known == (0, 1) else "intensities"), known
    if dtype.kind == "b":
        return "binary", (0, 1)
    if known is None and dtype != np.uint8:
        raise ValueError(
            f"Numbers of dtype {dtype} can mean several things. {OPTIONS}\n"
            f"Received: dtype {dtype}, values=None, value_range=None, levels={levels}"
        )
    if levels is not None and levels < 256:
        smallest, largest = extent() if extent else (None, None)
        if known is None if largest is None else largest < levels:
            is_static = known is None and binarization in (None, "static")
            if largest == 1 and levels == 2 and is_static:
                return "binary", (0, 1)
            found = "" if largest is None else f", values from {smallest} to {largest}"
            raise ValueError(
                f"These numbers can be intensities 0 .. 255, to be quantised to {levels} levels, or "
                f"already be 0 .. {levels - 1}. {OPTIONS}\n"
                f"Received: dtype uint8{found}, levels={levels}, binarization={binarization!r}"
            )
    return "intensities", (0, 255)


def _stated(meaning, dtype, known, levels):
    """Range of the meaning that the user said."""
    if meaning == "intensities":
        if known is not None:
            return known
        if dtype == np.uint8:
            return 0, 255
        raise ValueError(
            "Intensities need their range, such as value_range=(0, 255), (0, 4095) for 12 bits, "
            "(0, 65535) for 16 bits, or (0, 1) for floats. "
            f"Received: dtype {dtype}, value_range=None"
        )
    if meaning in ("binary", "spins"):
        return (0, 1) if meaning == "binary" else (-1, 1)
    if levels is None:
        raise ValueError(
            f"values={meaning!r} needs `levels`, the number of values there are. "
            "Received: levels=None"
        )
    return 0, levels - 1


def _range(value_range, dtype):
    low, high = checks.limits("value_range", value_range)
    if dtype.kind in "biu" and (low != int(low) or high != int(high)):
        raise ValueError(
            f"The range of integers ends in integers. Received: value_range={value_range!r} for "
            f"dtype {dtype}"
        )
    if dtype.kind not in "biu":
        return float(low), float(high)
    low, high = int(low), int(high)
    least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if low < least or high > most:  # a part of the levels would never be met, perhaps all but one
        raise ValueError(
            f"Numbers of dtype {dtype} lie in {least} .. {most}: `value_range` is what they can reach, "
            "not what images of more bits have. "
            f"Received: value_range={value_range!r} for dtype {dtype}"
        )
    if low < -MOST_STORED or high > MOST_STORED:  # beyond, int64 overflows in making levels
        raise ValueError(
            f"The range of integers lies within {-MOST_STORED} .. {MOST_STORED}. Shift them right or "
            f"make floats of them. Received: value_range={value_range!r} for dtype {dtype}"
        )
    return low, high


def of_packed(said, about, path):
    """What was said, completed by what a packed file knows of itself; `ValueError` where they differ."""
    own = {"values": about["meaning"], "value_range": tuple(about["range"])}
    if said["value_range"] is not None:  # a list, or an array, which has no truth value
        said = {**said, "value_range": tuple(said["value_range"])}
    wrong = [name for name, value in own.items() if said[name] not in (None, value)]
    if wrong:
        raise ValueError(
            "A packed file knows what its numbers mean: leave it out, or pack the source anew. "
            f"Received: {', '.join(f'{name}={said[name]!r}' for name in wrong)} for {path} with "
            f"{', '.join(f'{name}={own[name]!r}' for name in wrong)}"
        )
    if about["meaning"] != "intensities":
        levels = said["levels"] or about["levels"]
        return {**said, "values": about["meaning"], "value_range": None, "levels": levels}
    said = {**said, "value_range": own["value_range"]}
    if said["levels"] is None:
        said["levels"] = about["levels"]
        said["binarization"] = said["binarization"] or about["binarization"]
    return said


def check_levels(name, value):
    """`value` as a number of levels."""
    if not checks.is_whole(value):
        raise ValueError(f"`{name}` must be an int. Received: {name}={checks.shown(value)}")
    if not 2 <= value <= MOST_LEVELS:
        raise ValueError(f"`{name}` must be between 2 and {MOST_LEVELS}. Received: {name}={value}")
    return int(value)


def _levels(meaning, low, high, dtype, levels):
    if meaning in ("binary", "spins"):
        if levels not in (None, 2):
            raise ValueError(
                f"`levels` must be between 2 and the 2 of {meaning} values. "
                f"Received: levels={levels}"
            )
        return 2
    if dtype.kind == "f" and meaning == "intensities":
        if levels is None:
            raise ValueError(
                "Floats need `levels`, the number of steps that their range is cut into, such as "
                f"levels=256. Received: dtype {dtype}, levels=None"
            )
        return int(levels)
    stored = high - low + 1
    if levels is None and stored <= MOST_LEVELS:
        return int(stored)
    if levels is None or levels > stored:
        raise ValueError(
            f"`levels` must be between 2 and the {stored} of the source, at most {MOST_LEVELS}. "
            f"Received: levels={levels}"
        )
    return int(levels)


def _binarization(meaning, low, high, levels, binarization):
    if levels != 2 or meaning == "codes":
        if binarization is not None:
            raise ValueError(
                "`binarization` goes with levels=2 of ordered values. Received: "
                f"levels={levels}, binarization={binarization!r}"
            )
        return None
    is_binary = meaning != "intensities" or ((low, high) == (0, 1) and isinstance(low, int))
    fitting = ("static",) if is_binary else ("dynamic", "threshold")
    if is_binary and binarization is None:
        return "static"
    else_ = "" if is_binary else "; or, where its numbers are 0 and 1 already, values='binary'"
    if binarization not in fitting:
        raise ValueError(
            f"Binary images of this source need `binarization` to be one of {fitting}{else_}. "
            f"Received: binarization={binarization!r}"
        )
    return binarization
