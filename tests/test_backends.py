"""The same weights and seeds on TensorFlow and on JAX."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.conformance import MODELS, context_of, random_images

CODE = """
import sys, keras, numpy as np, keras_pixelrnn
assert keras.config.backend() == "jax"
folder, *names = sys.argv[1:]
for name in names:
    model = keras.models.load_model(f"{folder}/{name}.keras")
    stored = np.load(f"{folder}/{name}.npz")
    given = {"context": stored["context"]} if "context" in stored else {}
    np.savez(
        f"{folder}/{name}-jax.npz",
        log_prob=model.log_prob(stored["images"], **given),
        drawn=model.sample(3, seed=5, **given),
        completed=model.complete(stored["images"], stored["known"], seed=6, **given),
    )
"""


@pytest.fixture(scope="module")
def both(model_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    for case in MODELS:
        model = model_of(case)
        images = random_images(model, 3)
        known = np.random.default_rng(1).random(images.shape) < 0.5
        model.save(folder / f"{case.name}.keras")
        np.savez(folder / f"{case.name}.npz", images=images, known=known, **context_of(model, 3))
    out = subprocess.run(
        [sys.executable, "-c", CODE, str(folder), *(case.name for case in MODELS)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stderr
    return folder


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_same_nats_and_same_images(case, both, model_of):
    model = model_of(case)
    given = np.load(both / f"{case.name}.npz")
    found = np.load(both / f"{case.name}-jax.npz")
    context = context_of(model, 3)
    ours = model.log_prob(given["images"], **context)
    np.testing.assert_allclose(found["log_prob"], ours, atol=1e-4, rtol=1e-6)
    np.testing.assert_array_equal(found["drawn"], model.sample(3, seed=5, **context))
    np.testing.assert_array_equal(
        found["completed"], model.complete(given["images"], given["known"], seed=6, **context)
    )
