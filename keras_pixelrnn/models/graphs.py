"""What functions for graphs are given: tensors of numbers whose shapes fit the model."""

from keras_pixelrnn import checks
from keras_pixelrnn.completion import smc

PER_IMAGE = ("temperature", "top_k", "top_p", "threshold", "row")


class Graphs:
    """Mix-in of all models."""

    def _tensors(self, count=None, rows=False, **values):
        """The tensors, checked, in their order, or `ValueError`.

        Args:
            count: how many `numbers` belong to an image.
            rows: maps are of some rows of the images.
            **values: by the names of the arguments.
        """
        height, width, channels = self.image_shape
        shapes = dict.fromkeys(PER_IMAGE, (None,)) | {"numbers": (None, count)}
        if "state" in values:
            shapes["state"] = (None, None)
        image = (None, None if rows else height, width, channels)
        return checks.shaped(dict.fromkeys(values, image) | shapes, **values)

    def _particles(self, images, known, numbers, threshold, n_particles):
        n_particles = checks.drawn(n_particles, self.image_shape, "n_particles")
        count = smc.count_of_numbers(self.image_shape, n_particles)
        return self._tensors(
            count, images=images, known=known, numbers=numbers, threshold=threshold
        )
