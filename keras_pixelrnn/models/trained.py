"""Training on images, or on (image, context): the images are the targets themselves."""

import keras

from keras_pixelrnn import losses


class Trained:
    """The steps of `fit`, `evaluate` and `predict` of a `PixelModel`, mixed into it."""

    def train_step(self, *args):
        return super().train_step(*args[:-1], self._with_targets(args[-1]))

    def test_step(self, *args):
        return super().test_step(*args[:-1], self._with_targets(args[-1]))

    def predict_step(self, *args):
        return super().predict_step(*args[:-1], self._with_targets(args[-1]))

    def _with_targets(self, data):
        """`(image, context)` as `((image, context), image)`: images are the targets."""
        image, context, weight = keras.utils.unpack_x_y_sample_weight(data)
        if not self.context.given or isinstance(image, (tuple, list)):
            return data
        if context is None:
            raise ValueError(
                f"This model is conditional: {self.context}. Train and evaluate it on data sets of "
                "(image, context). Received: images alone"
            )
        return ((image, context), image) if weight is None else ((image, context), image, weight)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        image = x[0] if self.context.given else x
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(image.dtype)):
            raise ValueError(
                "Images must be integers in 0 .. levels-1; scaling happens inside the model. "
                f"Cast them to {self.distribution.dtype}. Received: images of dtype {image.dtype}"
            )
        y = image if y is None else y
        if len(y.shape) != 4:
            raise ValueError(
                "The targets must be images. This model is not conditional: train it on images "
                "alone, or make it with `num_classes` or `context_shape`. "
                f"Received: targets of shape {tuple(y.shape)}"
            )
        if self._compile_loss is None:
            loss = losses.NegativeLogLikelihood(self.distribution)
            return sum(self.losses, loss(y, y_pred, sample_weight=sample_weight))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        image = x[0] if self.context.given else x
        return super().compute_metrics(x, image if y is None else y, y_pred, sample_weight)
