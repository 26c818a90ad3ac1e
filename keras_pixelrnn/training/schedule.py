"""How a model is optimised."""

import keras

from keras_pixelrnn import backend, losses, metrics


class Adam(keras.optimizers.Adam):
    """Adam that clips the gradient of the whole batch; under `tf.distribute` Keras' own clips what each
    device has of it."""

    def _clip_gradients(self, grads):
        if backend.name() == "jax":  # has the whole batch's
            return super()._clip_gradients(grads)
        total, count = backend.over_devices(grads)
        return [gradient / count for gradient in super()._clip_gradients(total)]


def compile_model(settings, model, steps):
    """Adam with warm-up, cosine decay over `steps`, clipping and averaged weights, under XLA."""
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=settings.learning_rate * 0.01,
        warmup_target=settings.learning_rate,
        warmup_steps=max(1, round(steps * settings.warmup)),
        decay_steps=steps,
        alpha=0.01,
    )
    ema = {"use_ema": True, "ema_momentum": settings.ema} if settings.ema else {}
    kind = Adam if settings.distribute else keras.optimizers.Adam
    model.compile(
        kind(schedule, global_clipnorm=settings.clipnorm, **ema),
        loss=losses.NegativeLogLikelihood(model.distribution),
        metrics=[metrics.BitsPerDimension(model.distribution)],
        # XLA does not take the variables that `tf.distribute` mirrors.
        jit_compile=not (settings.distribute and backend.name() == "tensorflow"),
        steps_per_execution=settings.steps_per_execution,
    )
