"""Bulk work on Apache Beam, where it is installed: `make test-beam`."""

import importlib.util

import numpy as np
import pytest
from click.testing import CliRunner

import keras_pixelrnn as kp
from keras_pixelrnn import cli, noise
from keras_pixelrnn.serving import bulk

HERE = importlib.util.find_spec("apache_beam") is not None
needed = pytest.mark.skipif(not HERE, reason="needs Apache Beam: make test-beam")


@pytest.mark.skipif(HERE, reason="Beam is here")
def test_without_beam_it_says_what_is_missing():
    with pytest.raises(ImportError, match=r"keras_pixelrnn\[beam\]"):
        bulk.sample("nowhere", 4, "out")


SHAPE = (4, 5, 1)


def test_a_split_without_labels_is_not_scored_by_labels(monkeypatch, tmp_path):
    """Its scores would be -inf."""
    images = np.zeros((20, *SHAPE), np.uint8)
    np.savez(tmp_path / "a.npz", train=images, train_labels=np.arange(20) % 2, test=images)
    monkeypatch.setattr(bulk, "_taken", lambda *_: (True, SHAPE))
    monkeypatch.setattr(bulk, "_writer", lambda *_: None)
    with pytest.raises(ValueError, match="needs labels, and the test images have none"):
        bulk.score("1", tmp_path / "a.npz", tmp_path / "out")


@pytest.fixture(scope="module")
def model():
    head = kp.distributions.Categorical(3)
    return kp.models.PixelCNN(SHAPE, head, units=4, num_blocks=1, num_classes=2)


@pytest.fixture(scope="module")
def export(model, tmp_path_factory):
    return kp.export.save_for_serving(model, tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed file of labelled images, and its test images and labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, (23, *SHAPE)).astype(np.uint8)
    labels = np.arange(23) % 2
    parts = {"train": slice(2), "validation": slice(2), "test": slice(23)}
    data = kp.data.from_array(
        {name: images[part] for name, part in parts.items()},
        {name: labels[part] for name, part in parts.items()},
        values="integers",
        levels=3,
    )
    return kp.data.pack(data, tmp_path_factory.mktemp("data") / "packed.npz"), images, labels


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


def run(*arguments):
    result = CliRunner().invoke(cli.pixelrnn, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result


@needed
def test_any_number_of_workers_gives_the_same_bits(model, export, packed, tmp_path):
    """Labels of a conditional model among them, by the commands."""
    data, images, labels = packed
    for count in (1, 4):
        runner, *options = workers(count)
        beam = [f"--pipeline={option}" for option in options] + [runner, "--batch-size", 4]
        out = tmp_path / f"drawn{count}"
        run("sample", export, "-n", 21, "--seed", 3, "--label", 1, "--out", out, *beam)
        run("score", export.parent, data, "--out", tmp_path / f"scored{count}", *beam)
    drawn, scored = table(tmp_path, "drawn1"), table(tmp_path, "scored1")
    assert table(tmp_path, "drawn4") == drawn
    assert table(tmp_path, "scored4") == scored
    assert drawn["index"] == list(range(21))
    assert drawn["seed"] == noise.image_seeds(3, 21).tolist()
    assert set(drawn["label"]) == {1}
    found = np.stack([np.frombuffer(image, np.uint8).reshape(SHAPE) for image in drawn["image"]])
    np.testing.assert_array_equal(found, model.sample(21, seed=3, context=1))
    np.testing.assert_allclose(drawn["log_prob"], model.log_prob(found, context=1), atol=1e-4)
    assert scored["index"] == list(range(23))
    expected = model.log_prob(images, context=labels)
    np.testing.assert_allclose(scored["log_prob"], expected, atol=1e-4)


@needed
def test_records_hold_what_parquet_holds(export, tmp_path):
    import tensorflow as tf

    options = {"label": [0, 1, 0, 1, 0], "batch_size": 2, "options": workers(1)}
    bulk.sample(export, 5, tmp_path / "drawn", **options)
    bulk.sample(export, 5, tmp_path / "drawn", file_format="tfrecord", **options)
    expected, found = table(tmp_path, "drawn"), {}
    records = tf.data.TFRecordDataset(list(map(str, tmp_path.glob("drawn-*.tfrecord"))))
    examples = [tf.train.Example.FromString(record.numpy()) for record in records]
    examples.sort(key=lambda example: example.features.feature["index"].int64_list.value[0])
    assert len(examples) == 5
    for example in examples:
        for name, feature in example.features.feature.items():
            (value,) = getattr(feature, feature.WhichOneof("kind")).value
            found.setdefault(name, []).append(value)
    assert found == expected
    assert found["label"] == [0, 1, 0, 1, 0]


@needed
def test_what_does_not_fit_is_refused_before_anything_runs(export, packed, tmp_path):
    with pytest.raises(ValueError, match="is conditional: pass `label`"):
        bulk.sample(export, 4, tmp_path / "out")
    with pytest.raises(ValueError, match="`label` must be an int or 4 of them"):
        bulk.sample(export, 4, tmp_path / "out", label=[1, 0])
    with pytest.raises(ValueError, match="`file_format` must be one of: parquet, tfrecord"):
        bulk.sample(export, 4, tmp_path / "out", label=1, file_format="csv")
    with pytest.raises(ValueError, match="version folder of an export"):
        bulk.score(export.parent, packed[0], tmp_path / "out")
    with pytest.raises(ValueError, match="`split` must be one of"):
        bulk.score(export, packed[0], tmp_path / "out", split="all")
    with pytest.raises(ValueError, match=r"takes images \(4, 5, 1\)"):
        bulk.score(export, "digits", tmp_path / "out")
    for call, arguments in ((bulk.sample, {"n": 4, "label": 1}), (bulk.score, {"data": packed[0]})):
        with pytest.raises(ValueError, match="`batch_size` must be an int, from 1 to"):
            call(export, out=tmp_path / "out", batch_size=2**30, **arguments)
    assert not list(tmp_path.iterdir())


def test_options_of_beam_and_others_do_not_mix(tmp_path):
    for arguments, words in [
        (["sample", "digits", "--format", "parquet"], "--format does not go without --runner"),
        (
            ["sample", "digits", "--runner", "X", "--top-k", "2"],
            "--top-k does not go with --runner",
        ),
        (["sample", "digits", "--runner", "X"], "--runner needs an export"),
        (["score", "digits", ".", "--out", "o"], "--out does not go without --runner"),
        (["score", "digits", ".", "--runner", "X", "--maps", "m"], "--maps does not go with"),
    ]:
        result = CliRunner().invoke(cli.pixelrnn, arguments)
        assert result.exit_code == 2
        assert words in result.output


@needed
def test_a_run_that_fails_leaves_no_results(export, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("a worker dies")

    monkeypatch.setattr(bulk.SignatureHandler, "run_inference", fail)
    with pytest.raises(Exception, match="a worker dies"):
        bulk.sample(export, 5, tmp_path / "drawn", label=0, batch_size=2, options=workers(1))
    assert not list(tmp_path.glob("drawn-*.parquet"))
