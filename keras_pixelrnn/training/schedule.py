"""How a model is optimised."""

import keras

from keras_pixelrnn import backend, losses, metrics


def _clip_together(optimizer):
    """Make an optimizer clip the gradient of the whole batch; under `tf.distribute` Keras' own clips
    what each device has of it. Its class stays Keras' own, so that whatever loads the model has it."""
    clip = optimizer._clip_gradients

    def clip_gradients(gradients):
        if backend.name() == "jax":  # has the whole batch's
            return clip(gradients)
        total, count = backend.over_devices(gradients)
        return [gradient / count for gradient in clip(total)]

    optimizer._clip_gradients = clip_gradients


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
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=settings.clipnorm, **ema)
    if settings.distribute:
        _clip_together(optimizer)
    model.compile(
        optimizer,
        loss=losses.NegativeLogLikelihood(model.distribution),
        metrics=[metrics.BitsPerDimension(model.distribution)],
        # XLA does not take the variables that `tf.distribute` mirrors.
        jit_compile=not (settings.distribute and backend.name() == "tensorflow"),
        steps_per_execution=settings.steps_per_execution,
    )
