"""How a model is optimised."""

import keras

from keras_pixelrnn import losses, metrics


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
    model.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=settings.clipnorm, **ema),
        loss=losses.NegativeLogLikelihood(model.distribution),
        metrics=[metrics.BitsPerDimension(model.distribution)],
        jit_compile=True,
        steps_per_execution=settings.steps_per_execution,
    )
