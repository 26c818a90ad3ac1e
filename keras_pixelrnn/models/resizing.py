"""The same weights for images of another height and width."""

from typing import Any

from keras_pixelrnn import checks
from keras_pixelrnn._types import Shape


class Resizing:
    """`resized` of all models: no weight depends on the size of an image."""

    def resized(self, size: Shape) -> Any:
        """A model of images of another height and width, with a copy of this one's weights.

        Every layer does at each pixel what it has learned, whatever the size: layers see zeros outside
        the image, or their learned initial state, wherever its border is. Of a model of stationary
        texture the images are more of the same; of one of digits, in a larger image, they are not.

        Args:
            size: `(height, width)`.

        Returns:
            A model of the same class, not compiled. A context that is a map has the new size, too.

        Raises:
            ValueError: no such size, or one that a multi-scale model cannot divide; a model that does
                not know how it was made.

        Example:

        >>> model = PixelCNN((8, 8, 1), Bernoulli(), units=4, num_blocks=1)
        >>> large = model.resized((12, 20))
        >>> large.log_prob(large.sample(2, seed=0)).shape
        (2,)
        """
        if not hasattr(self, "_config"):
            raise ValueError(
                f"A {type(self).__name__} made of a network does not know how to make another; make it "
                f"with the other `image_shape`. Received: size={checks.shown(size)}"
            )
        height, width = checks.size(size)
        changed = {"image_shape": (height, width, self.image_shape[2])}
        shape = self.context.config_shape
        if shape is not None and len(shape) == 3:
            changed["context_shape"] = (height, width, shape[-1])
        model = type(self).from_config({**self.get_config(), **changed})
        model.set_weights(self.get_weights())
        return model

    def at_size(self, size: Shape | None) -> Any:
        """This model where `size` is None or its own, else `resized(size)`, made and compiled once; it
        has the weights that this one has now."""
        if size is None or (size := checks.size(size)) == self.image_shape[:2]:
            return self
        made, weights = self._functions.of_sizes, self.get_weights()
        known = [weight.shape for weight in made[size].weights] if size in made else None
        if known == [weight.shape for weight in weights]:
            made[size].set_weights(weights)
        else:  # a new size, or a network that got adapters (LoRA)
            made[size] = self.resized(size)
        return made[size]
