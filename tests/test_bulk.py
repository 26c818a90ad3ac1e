"""Bulk work on Apache Beam, where it is installed: `make test-beam`."""

import importlib.util

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import noise
from keras_pixelrnn.serving import bulk

HERE = importlib.util.find_spec("apache_beam") is not None


@pytest.mark.skipif(HERE, reason="Beam is here")
def test_without_beam_it_says_what_is_missing():
    with pytest.raises(ImportError, match=r"keras_pixelrnn\[beam\]"):
        bulk.sample("nowhere", 4, "out")


@pytest.fixture(scope="module")
def model():
    return kp.models.PixelCNN((4, 5, 1), kp.distributions.Categorical(3), units=4, num_blocks=1)


@pytest.fixture(scope="module")
def export(model, tmp_path_factory):
    return kp.export.save_for_serving(model, tmp_path_factory.mktemp("export"))


def workers(count):
    return [
        "--runner=DirectRunner",
        f"--direct_num_workers={count}",
        "--direct_running_mode=multi_threading",
    ]


def table(folder, name):
    from pyarrow import parquet

    files = sorted(folder.glob(f"{name}-*.parquet"))
    return parquet.ParquetDataset(files).read().sort_by("index").to_pydict()


@pytest.mark.skipif(not HERE, reason="needs Apache Beam: make test-beam")
def test_any_number_of_workers_gives_the_same_bits(model, export, tmp_path, rng):
    images = rng.integers(0, 3, (23, 4, 5, 1)).astype(np.uint8)
    data = kp.data.from_array(
        {"train": images[:2], "validation": images[:2], "test": images}, values="integers", levels=3
    )
    packed = kp.data.pack(data, tmp_path / "packed.npz")
    for count in (1, 4):
        options = {"batch_size": 4, "options": workers(count)}
        bulk.sample(export, 21, tmp_path / f"drawn{count}", seed=3, **options)
        bulk.score(export, packed, tmp_path / f"scored{count}", **options)
    drawn, scored = table(tmp_path, "drawn1"), table(tmp_path, "scored1")
    assert table(tmp_path, "drawn4") == drawn
    assert table(tmp_path, "scored4") == scored
    assert drawn["index"] == list(range(21))
    assert drawn["seed"] == noise.image_seeds(3, 21).tolist()
    found = np.stack([np.frombuffer(image, np.uint8).reshape(4, 5, 1) for image in drawn["image"]])
    np.testing.assert_array_equal(found, model.sample(21, seed=3))
    np.testing.assert_allclose(drawn["log_prob"], model.log_prob(found), atol=1e-4)
    assert scored["index"] == list(range(23))
    np.testing.assert_allclose(scored["log_prob"], model.log_prob(images), atol=1e-4)


@pytest.mark.skipif(not HERE, reason="needs Apache Beam: make test-beam")
def test_a_run_that_fails_leaves_no_results(export, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("a worker dies")

    monkeypatch.setattr(bulk.SignatureHandler, "run_inference", fail)
    with pytest.raises(Exception, match="a worker dies"):
        bulk.sample(export, 5, tmp_path / "drawn", batch_size=2, options=workers(1))
    assert not list(tmp_path.glob("drawn-*.parquet"))
