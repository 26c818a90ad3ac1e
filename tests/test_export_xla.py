"""The second set of signatures of an export, for servers that run XLA."""

import numpy as np
import pytest
import tensorflow as tf

import keras_pixelrnn as kp
from keras_pixelrnn.serving import check, export, signatures, warmup
from tests.conformance import randomised

SHAPE = (3, 4, 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Of two signatures and two batch sizes, which are compiled each."""
    model = randomised(kp.models.PixelCNN(SHAPE, kp.distributions.Categorical(3), 4, 1))

    def two(*args, **options):
        made = all_of(*args, **options)
        return {
            name: made[name] for name in made if name.split("_xla")[0] in ("sample", "log_prob")
        }

    all_of = signatures.signatures
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "signatures", two)
        patch.setattr(export, "BATCH_SIZES", (1, 4))
        return kp.export.save_for_serving(model, tmp_path_factory.mktemp("xla"), xla=True)


def test_both_sets_draw_and_score_the_same(path):
    loaded = tf.saved_model.load(path).signatures
    assert set(loaded) == {"sample", "log_prob", "sample_xla", "log_prob_xla", "serving_default"}
    seed = tf.constant([3, 4, -5], tf.int64)
    plain, compiled = loaded["sample"](seed=seed), loaded["sample_xla"](seed=seed)
    for name in ("image", "png_bytes"):
        np.testing.assert_array_equal(compiled[name], plain[name])
    np.testing.assert_allclose(compiled["log_prob"], plain["log_prob"], rtol=1e-5)
    assert compiled["log_prob"][2] == -np.inf  # a bad row is marked here, too
    scored = loaded["log_prob_xla"](image=plain["image"])["log_prob"]
    np.testing.assert_allclose(scored[:2], plain["log_prob"][:2], rtol=1e-5)


def test_which_server_runs_it(path):
    """One with XLA on, in the C session; a stock one would refuse it, and `check` says so first."""
    assert check.check(path, xla=True) == []
    (problem,) = check.check(path)  # once, however many functions XLA compiles
    assert "must be compiled by XLA" in problem
    assert "check with --xla" in problem
    # What it would do, without that warning: the session as a stock server has it.
    graph = check.read(path)
    jobs = [(name, inputs, ["log_prob"]) for name, inputs in warmup.read(path) if len(inputs) == 1]
    found, report, failure = check.c_api(path, graph.signature_def, jobs)
    assert failure is None
    failed = {jobs[number][0] for number, _ in report["errors"]}
    assert failed == {"sample_xla", "log_prob_xla"}
    assert {jobs[number][0] for number in found} == {"sample", "log_prob", "serving_default"}


def test_each_batch_size_is_warmed_up(path):
    sizes = {}
    for name, inputs in warmup.read(path):
        sizes.setdefault(name, []).append(len(next(iter(inputs.values()))))
    assert sizes["sample_xla"] == sizes["log_prob_xla"] == [1, 4]
    text = (path / "batching_params.pbtxt").read_text()
    assert "allowed_batch_sizes: 64" in text


def test_it_is_not_the_default():
    model = kp.models.PixelCNN(SHAPE, kp.distributions.Bernoulli(), 4, 1)
    assert not any(name.endswith(signatures.XLA) for name in signatures.signatures(model))
    with pytest.raises(ValueError, match="`xla` must be True or False"):
        kp.export.save_for_serving(model, "nowhere", xla="yes")
