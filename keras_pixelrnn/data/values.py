"""What the numbers of an image mean, decided once: how they become integers 0 .. levels-1."""

from dataclasses import dataclass

import numpy as np

from keras_pixelrnn import checks

MEANINGS = ("intensities", "integers", "codes", "binary", "spins")
MOST_LEVELS = 65_536


@dataclass(frozen=True)
class Values:
    """What stored numbers mean, and how many levels are made of them.

    Attributes:
        meaning: "intensities", "integers", "codes", "binary" or "spins", see `load`.
        low, high: smallest and largest number that may be stored.
        levels: number of values of a sub-pixel after quantisation.
        binarization: "static", "dynamic" or "threshold" for two levels; None for more.
    """

    meaning: str
    low: float
    high: float
    levels: int
    binarization: str | None = None

    @classmethod
    def of(cls, described):
        """From what `described` gave; `ValueError` where it did not."""
        try:
            low, high = checks.limits("range", described["range"])
            meaning, levels = described["meaning"], described["levels"]
            binarization = described.get("binarization")
            most = 2 if meaning in ("binary", "spins") else MOST_LEVELS
            if meaning not in MEANINGS or not isinstance(levels, int) or not 2 <= levels <= most:
                raise ValueError
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ValueError(
                "Expected what numbers mean: their meaning, range [low, high] and levels. "
                f"Received: {str(described)[:200]}"
            ) from None
        return cls(meaning, low, high, levels, binarization)

    def described(self):
        """This as JSON holds it."""
        return {
            "meaning": self.meaning,
            "range": [self.low, self.high],
            "levels": self.levels,
            "binarization": self.binarization,
        }

    @property
    def ordered(self):
        """True: neighbouring values are alike. False: they are codes, to be embedded."""
        return self.meaning != "codes"

    @property
    def exact(self):
        """True: stored numbers are the values themselves, which nothing may convert or resize."""
        return self.meaning != "intensities"

    @property
    def dtype(self):
        """The smallest unsigned integers that hold the levels."""
        return np.dtype(np.uint8 if self.levels <= 256 else np.uint16)

    def check(self, raw, where="images"):
        """Raise `ValueError` if some stored number cannot mean what it should."""
        if raw.dtype.kind not in "biuf":
            raise ValueError(f"Images must be numbers. Received: {where} of dtype {raw.dtype}")
        if self.cannot_fail(raw.dtype) or not raw.size:
            return
        most = 0.5 if self.meaning == "intensities" else 2  # whole numbers are not rounded before
        if raw.dtype.kind == "f" and self._rounding(raw.dtype) * (self.levels - 1) > most:
            raise ValueError(
                f"{raw.dtype} cannot tell {self.levels} levels apart: neighbouring ones have become one "
                "number. Store the images as integers or as wider floats, or pass fewer `levels`. "
                f"Received: {where} of dtype {raw.dtype}, levels={self.levels}"
            )
        low, high = raw.min(), raw.max()
        if not (self.low <= low and high <= self.high):  # false for NaN, too
            raise ValueError(
                f"{self._told()} must lie in {self._range()}. Received: {where} with values from "
                f"{low} to {high}"
            )
        if self.meaning != "intensities" and raw.dtype.kind == "f" and (raw != raw // 1).any():
            raise ValueError(
                f"{self._told()} must be whole numbers. For numbers between them pass "
                f"values='intensities' and value_range=(low, high). Received: {where} of dtype "
                f"{raw.dtype} with values such as {raw[raw != raw // 1].flat[0]}"
            )
        if self.meaning == "spins" and (raw == 0).any():
            raise ValueError(
                "Spins must be -1 or +1. For 0 and 1 pass values='binary'. "
                f"Received: {where} with values 0"
            )

    def quantise(self, raw, uniform=None):
        """Integers 0 .. levels-1 of checked stored numbers.

        Args:
            raw: stored numbers, any shape.
            uniform: for a dynamic binarization, float32 in [0, 1) of the same shape.
        """
        if self.binarization == "dynamic":
            ink = (raw.astype(np.float32) - self.low) / (self.high - self.low)
            return (uniform < ink).astype(np.uint8)
        if self.meaning == "spins":
            return (raw > 0).astype(np.uint8)
        if raw.dtype.kind == "f" and self.meaning == "intensities":
            return self._steps(raw)
        stored = int(self.high) - int(self.low) + 1
        if stored == self.levels and self.low == 0:
            return raw.astype(self.dtype, copy=False)
        shifted = raw.astype(np.int64) - int(self.low)
        return (shifted * self.levels // stored).astype(self.dtype)

    def numbers(self):
        """The integers that are drawn for the levels, `(levels,)` int64, both ends of the range kept;
        `quantise` is the way back."""
        value, stored = np.arange(self.levels), int(self.high) - int(self.low) + 1
        drawn = np.rint(value * ((stored - 1) / (self.levels - 1))).astype(np.int64)
        first, beyond = (-(-number * stored // self.levels) for number in (value, value + 1))
        return int(self.low) + np.clip(drawn, first, beyond - 1)

    def _steps(self, raw):
        """Equal steps of floats, the upper end included: what was k / (levels - 1) comes back as k,
        also where rounding to the dtype of `raw` has moved it beyond the end of its step."""
        width = self.high - self.low
        share = (raw.astype(np.float64) - self.low) / width
        steps = np.minimum(share * self.levels, self.levels - 1)
        written = share * (self.levels - 1)
        rounding = self._rounding(raw.dtype) * (self.levels - 1)
        near = abs(written - np.rint(written)) <= min(rounding, 0.25)
        return np.where(near, np.rint(written), steps).astype(self.dtype)

    def _rounding(self, dtype):
        """What floats of a dtype are rounded by at most, twice over, as a share of the range."""
        largest = max(abs(self.low), abs(self.high))
        return float(np.finfo(dtype).eps) * largest / (self.high - self.low)

    def words(self):
        """For the protocol; empty where the source's own description says it all."""
        if self.binarization:
            return f", {self.binarization} binarization"
        if self.meaning == "codes":
            return f", {self.levels} codes"
        if self.levels != self.high - self.low + 1:
            return f", quantised to {self.levels} levels"
        return ""

    def cannot_fail(self, dtype):
        """Whether numbers of this dtype all lie in the range."""
        if dtype.kind == "b":
            return self.low == 0
        return dtype.kind == "u" and self.low == 0 and np.iinfo(dtype).max <= self.high

    def _told(self):
        return {"binary": "Binary values", "integers": "Image values", "codes": "Codes"}.get(
            self.meaning, self.meaning.capitalize()
        )

    def _range(self):
        whole = self.low == int(self.low) and self.high == int(self.high)
        return f"{int(self.low)} .. {int(self.high)}" if whole else f"{self.low} .. {self.high}"
