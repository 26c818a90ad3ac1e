"""What all models have in common: likelihood, drawing, and training on images."""

import keras
import numpy as np
from keras import ops

from keras_pixelrnn import backend, checks, noise, raster
from keras_pixelrnn.completion import complete as particles
from keras_pixelrnn.completion import smc
from keras_pixelrnn.distributions import check_distribution
from keras_pixelrnn.models import adapters, frozen
from keras_pixelrnn.models.context import Context
from keras_pixelrnn.models.functions import Functions
from keras_pixelrnn.models.pretrained import Pretrained
from keras_pixelrnn.models.refusals import Refusals
from keras_pixelrnn.models.scale import Scale
from keras_pixelrnn.models.scored import Scored
from keras_pixelrnn.models.trained import Trained

CONTROLS = {"temperature": 1.0, "top_k": None, "top_p": 1.0}  # of a draw, where none are given


class PixelModel(Trained, Pretrained, Scored, Refusals, keras.Model):
    """A distribution over images, factorised pixel by pixel in raster order.

    `model(images)` takes images of integers `(batch, height, width, channels)`, uint8 up
    to 256 levels and uint16 beyond, and returns the float32
    parameters `(batch, height, width, P)` of the distribution of every sub-pixel given all earlier
    ones. It is a Keras functional model: compile, fit, evaluate, save and load it like any other.
    `fit` and `evaluate` take data sets of images alone; without a `loss`, `compile` uses the negative
    log-likelihood in nats per image.

    A conditional model, p(image | context), is told what to expect by `num_classes` or by
    `context_shape`: `model((images, context))`; `fit` and `evaluate` take data sets of
    `(image, context)`, and the methods below an argument `context`.

    Args:
        image_shape: `(height, width, channels)`.
        distribution: a `PixelDistribution`.
        network: causal layer from scaled images, and the context map, to parameters.
        num_classes: number of classes, where the context is a label `(batch,)` of ints.
        context_shape: `(k,)` where the context is a vector, `(height, width, k)` where it is a map.
        dtype: policy that the network was made with.
        name, trainable: of `keras.Model`.

    Raises:
        ValueError: an argument that does not fit.
    """

    def __init__(
        self,
        image_shape,
        distribution,
        network,
        num_classes=None,
        context_shape=None,
        dtype=None,
        name=None,
        trainable=True,
    ):
        backend.name()
        image_shape = checks.image_shape(image_shape)
        distribution = check_distribution(distribution)
        dtype = checks.dtype_policy(dtype)
        own = {"name": checks.layer_name(name), "trainable": checks.switch("trainable", trainable)}
        context = Context(image_shape, num_classes, context_shape)
        image = keras.Input(image_shape, dtype=distribution.dtype, name="image")
        scaled = Scale(distribution, name="scale")(image)
        given = [context.input()] if context.given else []
        inputs = [image, *given] if given else image
        super().__init__(inputs=inputs, outputs=network(scaled, *map(context.layer, given)), **own)
        self.dtype_policy = dtype  # by which Keras knows whether to scale the loss
        self.image_shape = image_shape
        self.distribution = distribution
        self.network = network
        self.context = context
        self._functions = Functions(self)

    # ---- likelihood and drawing -------------------------------------------------------------

    def log_prob(self, images, *, context=None):
        """Log-probability of images.

        Args:
            images: `(batch, height, width, channels)` integers in `0 .. levels-1`.
            context: of a conditional model: one for all images, or one for each.

        Returns:
            `(batch,)` float32 array, nats per image.

        Raises:
            ValueError: wrong shape, no integers, or a value outside the distribution's levels; a
                context that is missing, not wanted or does not fit.
        """
        images = self.check_images(images)
        given = self.context.check(context, len(images))
        return ops.convert_to_numpy(self._functions("log_prob")(images, *given))

    def sample(self, n, *, seed, context=None, temperature=1.0, top_k=None, top_p=1.0):
        """Draw images, exactly and in about the time of one forward pass.

        Args:
            n: number of images.
            seed: int, or an array of `n` ints, one per image. An image depends on its own seed
                alone, whatever the batch it is drawn in.
            context: of a conditional model: one for all images, or one for each.
            temperature: log-probabilities are divided by it; below 1 for more likely values. This
                and the next two are each a number, or an array of one number per image.
            top_k: draw only from the k most likely values; 1 is the greedy image.
            top_p: draw only from the most likely values that make up this probability.

        Returns:
            `(n, height, width, channels)` array, uint8 up to 256 levels and uint16 beyond.

        Raises:
            ValueError: an argument of the wrong shape or outside its range.
        """
        n = checks.drawn(n, self.image_shape)
        uniform = noise.uniform(noise.image_seeds(seed, n), self.image_shape)
        given = self.context.check(context, n)
        controls = checks.controls(n, self.distribution.levels, temperature, top_k, top_p)
        if controls is None:
            return self._functions.draw("sample", uniform, *given)
        return self._functions.draw("sample_with", uniform, *controls, *given)

    def complete(self, images, known, *, seed, context=None, method="ancestral", **options):
        """Draw the unknown sub-pixels of images.

        By the method "ancestral" each is drawn given all earlier ones: exact p(unknown | known) where
        the known sub-pixels come first in raster order (an upper half, say). Known sub-pixels that
        come later are kept, but do not act back on what is drawn before them: the usual approximation.

        By the method "smc", sequential Monte Carlo, they act back: many completions are drawn side
        by side and weighted by the probability of every known sub-pixel, at many times the cost.

        Args:
            images: `(batch, height, width, channels)` integers; values not `known` do not matter.
            known: boolean, the same shape, or `(height, width)`, `(height, width, channels)` or
                `(batch, height, width)` for all that is left out.
            seed: int, or an array of one int per image.
            context: of a conditional model: one for all images, or one for each.
            method: "ancestral" or "smc".
            **options: of "ancestral": `temperature`, `top_k` and `top_p`, as of `sample`. Of "smc":
                `n_particles`, `ess_threshold`, `n` and `lookahead`; see
                `keras_pixelrnn.completion.complete.complete`.

        Returns:
            Array like `images`, uint8 or uint16; by "smc" a `keras_pixelrnn.completion.Completion`,
            of which `images` is one part.

        Raises:
            ValueError: wrong shapes, no booleans, a known value outside the levels, or an unknown
                method.
            TypeError: an option that the method does not have.
        """
        if method == "smc":
            return particles.complete(self, images, known, seed=seed, context=context, **options)
        if method != "ancestral":
            raise ValueError(f"`method` must be 'ancestral' or 'smc'. Received: method={method!r}")
        controls = {name: options.pop(name, default) for name, default in CONTROLS.items()}
        if options:
            raise TypeError(
                f"`complete` has no argument {min(options)!r} with method='ancestral'. Pass "
                "method='smc' for completion by particles."
            )
        images, known = self.check_completion(images, known)
        uniform = noise.uniform(noise.image_seeds(seed, len(images)), self.image_shape)
        given = self.context.check(context, len(images))
        controls = checks.controls(len(images), self.distribution.levels, **controls)
        if controls is None:
            return self._functions.draw("complete", images, known, uniform, *given)
        return self._functions.draw("complete_with", images, known, uniform, *controls, *given)

    # ---- the same as functions of tensors, for graphs and exports -----------------------------
    # `given` is the context of a conditional model, and nothing of any other.

    def params(self, images, *given):
        """Parameters `(batch, height, width, P)` as an array, compiled: for images already checked."""
        return ops.convert_to_numpy(self._functions("params")(images, *given))

    def params_graph(self, images, *given):
        """Parameters of the distribution of every sub-pixel."""
        inputs = [ops.convert_to_tensor(x) for x in (images, *given)]
        return self(inputs if given else inputs[0], training=False)

    def nats_graph(self, images, *given):
        """Log-probability `(batch, height, width, channels)` of every sub-pixel, nats."""
        return self.distribution.log_prob(self.params_graph(images, *given), images)

    def log_prob_graph(self, images, *given):
        """Log-probability `(batch,)` of images, nats."""
        return ops.sum(self.nats_graph(images, *given), axis=(1, 2, 3))

    def sample_graph(self, uniform, *given):
        """Images and their nats per sub-pixel from `uniform` numbers of the same shape."""
        return raster.sample(self.network, self.distribution, uniform, self.context.map(*given))

    def sample_with_graph(self, uniform, temperature, top_k, top_p, *given):
        """The same under sampling controls `(batch,)`; nats are still those of the model itself."""
        controls = (temperature, top_k, top_p)
        return raster.sample(
            self.network, self.distribution, uniform, self.context.map(*given), controls
        )

    def complete_graph(self, images, known, uniform, *given):
        """Completed images and the nats of each sub-pixel drawn."""
        return raster.complete(
            self.network, self.distribution, images, known, uniform, self.context.map(*given)
        )

    def complete_with_graph(self, images, known, uniform, temperature, top_k, top_p, *given):
        """The same under sampling controls `(batch,)`; nats are still those of the model itself."""
        controls = (temperature, top_k, top_p)
        return raster.complete(
            self.network,
            self.distribution,
            images,
            known,
            uniform,
            self.context.map(*given),
            controls,
        )

    def complete_smc_graph(self, images, known, numbers, threshold, *given, **options):
        """Completion by particles, as a dict: see `keras_pixelrnn.completion.smc.complete`."""
        context = self.context.map(*given)
        return smc.complete(
            self.network, self.distribution, images, known, numbers, threshold, context, **options
        )

    def run_by_parts(self, name, arrays, size, **options):
        """What the graph function of that name returns: see `Functions.by_parts`."""
        return self._functions.by_parts(name, arrays, size, **options)

    # ---- configuration --------------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments; subclasses list their own in `_config`."""
        return {
            **self._config,
            "name": self.name,
            "distribution": keras.saving.serialize_keras_object(self.distribution),
            **adapters.of(self),
            **frozen.flags(self),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        found = config.pop(adapters.KEY, ())
        flags = frozen.taken_from(config)
        return frozen.freeze(adapters.give(cls(**config), found), **flags)

    # ---- checks ----------------------------------------------------------------------------------

    def check_images(self, images):
        """`images` as an array of the distribution's dtype, or `ValueError` saying what is wrong."""
        return checks.images(images, self.image_shape, self.distribution)

    def check_completion(self, images, known):
        """`images` and `known` as arrays, the latter boolean, of one shape, or `ValueError`."""
        images = checks.as_array("images", images)
        if images.ndim != 4:
            self.check_images(images)  # says what is wrong with it
        known = checks.known(known, images.shape)
        # What is not known never reaches the model, so it may hold anything, sentinels too.
        return self.check_images(np.where(known, images, 0).astype(images.dtype)), known
