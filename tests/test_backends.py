"""The same weights and seeds on TensorFlow and on JAX: one process of JAX for all models."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.conformance import MODELS, SPANNING, context_of, random_images

CODE = """
import pathlib, keras, numpy as np, keras_pixelrnn
assert keras.config.backend() == "jax"
for folder in pathlib.Path(".").iterdir():
    model = keras.models.load_model(folder / "model.keras")
    stored = np.load(folder / "given.npz")
    given = {"context": stored["context"]} if "context" in stored else {}
    smc = {"method": "smc", "n_particles": 5, "n": 2}
    if "particles" in stored:
        many = model.complete(stored["images"], stored["known"], seed=6, **smc, **given)
        np.savez(folder / "particles.npz", **many._asdict())
    np.savez(
        folder / "found.npz",
        log_prob=model.log_prob(stored["images"], **given),
        drawn=model.sample(3, seed=5, **given),
        completed=model.complete(stored["images"], stored["known"], seed=6, **given),
    )
"""
# Labels and mixtures, codes and a map; the others are slow.
USUAL = [case for case in SPANNING if case.name.startswith(("diagonal", "gated"))]
WITH_PARTICLES = USUAL[-1:]


@pytest.fixture(name="found", scope="module")
def _found(model_of, tmp_path_factory, request):
    """Of each model what was given to it and what it did on JAX."""
    root = tmp_path_factory.mktemp("jax")
    cases = MODELS if request.config.getoption("--run-slow") else USUAL
    given = {}
    for case in cases:
        folder, model = root / case.name, model_of(case)
        folder.mkdir()
        model.save(folder / "model.keras")
        images = random_images(model, 3)
        given[case] = {
            "images": images,
            "known": np.random.default_rng(1).random(images.shape) < 0.5,
            **context_of(model, 3),
            **({"particles": True} if case in WITH_PARTICLES else {}),
        }
        np.savez(folder / "given.npz", **given[case])
    jax = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run(
        [sys.executable, "-c", CODE], env=jax, cwd=root, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    return {case: (given[case], root / case.name) for case in cases}


@pytest.mark.xdist_group("backends")
@pytest.mark.parametrize(
    "case",
    [case if case in USUAL else pytest.param(case, marks=pytest.mark.slow) for case in MODELS],
    ids=str,
)
def test_same_nats_and_same_images(case, model_of, found):
    model = model_of(case)
    given, folder = found[case]
    theirs = np.load(folder / "found.npz")
    images, known = given["images"], given["known"]
    context = {"context": given["context"]} if "context" in given else {}
    ours = model.log_prob(images, **context)
    np.testing.assert_allclose(theirs["log_prob"], ours, atol=1e-4, rtol=4e-6)
    np.testing.assert_array_equal(theirs["drawn"], model.sample(3, seed=5, **context))
    completed = model.complete(images, known, seed=6, **context)
    np.testing.assert_array_equal(theirs["completed"], completed)
    if "particles" in given:
        options = {"method": "smc", "n_particles": 5, "n": 2}
        ours = model.complete(images, known, seed=6, **options, **context)
        theirs = np.load(folder / "particles.npz")
        for key, value in ours._asdict().items():
            np.testing.assert_allclose(theirs[key], value, atol=1e-3, rtol=1e-5)
