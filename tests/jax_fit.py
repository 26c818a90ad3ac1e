"""Under JAX, without TensorFlow: a bad batch leaves the model as it was after the step before. Run by
`tests/test_jax_training.py`."""

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp

LEVELS = kp.distributions.Categorical(5)
IMAGES = np.random.default_rng(0).integers(0, 5, (8, 4, 5, 1)).astype(np.uint8)
LABELS = np.arange(8) % 3


def made(steps_per_execution=1):
    model = kp.models.PixelCNN(
        (4, 5, 1), LEVELS, units=4, num_blocks=1, head_units=6, num_classes=3
    )
    model.compile(
        "adam",
        metrics=[kp.metrics.NatsPerImage(LEVELS)],
        steps_per_execution=steps_per_execution,
    )
    return model


class Batches(keras.utils.PyDataset):
    """Batches of two, of which one holds a value that is none."""

    def __init__(self, bad):
        super().__init__()
        self.bad = bad

    def __len__(self):
        return 4

    def __getitem__(self, number):
        images = IMAGES[2 * number : 2 * number + 2].copy()
        images[0, 0, 0] = 9 if number == self.bad else 0
        return images, LABELS[2 * number : 2 * number + 2]


def generator(bad):
    """The same; Keras looks at two batches of a generator before the first step."""
    return (Batches(bad)[number] for number in range(4))


def variables(model):
    return [*model.weights, *model.optimizer.variables]


def values(model):
    return [np.asarray(v).copy() for v in variables(model)]


def a_bad_batch_costs_nothing(model, batches, bad, good):
    model.fit(IMAGES[:2] * 0, LABELS[:2], epochs=1, verbose=0)
    before = values(model)
    with pytest.raises(ValueError, match="Received: values from 0 to 9"):
        model.fit(batches(bad), shuffle=False, verbose=0)
    after = values(model)
    assert int(model.optimizer.iterations) == 1 + good, int(model.optimizer.iterations)
    changed = any((a != b).any() for a, b in zip(before, after, strict=True))
    assert changed == bool(good)
    for call in (model.evaluate, model.predict):
        with pytest.raises(ValueError, match="Received: values from 0 to 9"):
            call(batches(1), verbose=0)
        for a, b in zip(after, values(model), strict=True):
            np.testing.assert_array_equal(a, b)


def labels_and_weights_count(model):
    nats = -model.log_prob(IMAGES, context=LABELS)
    found = model.evaluate(IMAGES, np.eye(3)[LABELS], verbose=0)
    np.testing.assert_allclose(found, [nats.mean()] * 2, rtol=1e-5)
    weights = np.array([1.0, 0.0, 0.0])[LABELS]
    found = model.evaluate(IMAGES, LABELS, sample_weight=weights, verbose=0)
    np.testing.assert_allclose(found[0], (nats * weights).mean(), rtol=1e-5)


if __name__ == "__main__":
    model = made()
    model.optimizer.build(model.trainable_variables)
    start = values(model)
    for batches, bad, good in [(Batches, 0, 0), (generator, 3, 3)]:
        for variable, value in zip(variables(model), start, strict=True):
            variable.assign(value)
        a_bad_batch_costs_nothing(model, batches, bad, good)
    labels_and_weights_count(model)
    a_bad_batch_costs_nothing(made(steps_per_execution=2), Batches, 3, 2)
