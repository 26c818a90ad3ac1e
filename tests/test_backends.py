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
model = keras.models.load_model("model.keras")
stored = np.load("given.npz")
given = {"context": stored["context"]} if "context" in stored else {}
if "particles" in stored:
    many = model.complete(
        stored["images"], stored["known"], seed=6, method="smc", n_particles=5, n=2, **given
    )
    np.savez("particles.npz", **many._asdict())
np.savez(
    "found.npz",
    log_prob=model.log_prob(stored["images"], **given),
    drawn=model.sample(3, seed=5, **given),
    completed=model.complete(stored["images"], stored["known"], seed=6, **given),
)
"""


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_same_nats_and_same_images(case, model_of, tmp_path):
    model = model_of(case)
    images, context = random_images(model, 3), context_of(model, 3)
    known = np.random.default_rng(1).random(images.shape) < 0.5
    model.save(tmp_path / "model.keras")
    smc = {"particles": True} if case in (MODELS[0], MODELS[-2]) else {}
    np.savez(tmp_path / "given.npz", images=images, known=known, **context, **smc)
    jax = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run(
        [sys.executable, "-c", CODE], env=jax, cwd=tmp_path, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    found = np.load(tmp_path / "found.npz")
    ours = model.log_prob(images, **context)
    np.testing.assert_allclose(found["log_prob"], ours, atol=1e-4, rtol=1e-6)
    np.testing.assert_array_equal(found["drawn"], model.sample(3, seed=5, **context))
    completed = model.complete(images, known, seed=6, **context)
    np.testing.assert_array_equal(found["completed"], completed)
    if smc:
        options = {"method": "smc", "n_particles": 5, "n": 2}
        ours = model.complete(images, known, seed=6, **options, **context)
        theirs = np.load(tmp_path / "particles.npz")
        for key, value in ours._asdict().items():
            np.testing.assert_allclose(theirs[key], value, atol=1e-3, rtol=1e-5)
