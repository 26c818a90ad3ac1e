"""Lossless coding of images by a model's own probabilities, that another machine can read.

A range coder (extra `codec`: that of `constriction`) turns probabilities into bytes, and back if it is
given the very same probabilities. What a network computes differs in its last digits between machines,
backends, batch sizes and thread counts. So:

1. A value is coded as binary decisions, one for each bit (`decisions`). Each has one number, its logit,
   which is rounded to a grid, and a cell of the grid has a probability in whole 2^-20: the same on every
   machine that finds the same cell.
2. Noise moves a logit across a border of the grid now and then. The one who codes moves the network's
   parameters by more than that noise, sees how far each logit goes with them, and lists the
   decisions that are this near to a border: a rounding hint, which says "the cell above the border
   next to you". The list is explicit, so the reader, whose logits are others, needs no rule of its own
   about what is near.
3. The grid is shifted, anew every thousand decisions or so, to where no hint is needed, or few are. A
   shift is one of 256, so it takes a byte, much less than the hints that it saves.
4. Images of a block run in step and share a stream; a block is read without the others. A CRC-32 of
   every block's images, and one of the whole file, let nothing wrong pass; what cannot be coded, or
   (`verify=True`) does not come back, is stored as it is.

The file says the model's fingerprint, name and sizes (`container`, `coder`).
"""

from keras_pixelrnn.codec.container import Damaged, Header
from keras_pixelrnn.codec.lossless import compress, decompress, header, read, write

__all__ = ["Damaged", "Header", "compress", "decompress", "header", "read", "write"]
