"""Models by name: weights, architectures, overrides, folders, the hub, and the way back."""

import json
import shutil
import sys
import time
import types

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import presets
from keras_pixelrnn.models import PixelCNN, PixelModel, PixelRNN, from_preset
from keras_pixelrnn.models.variables import values_by_path


@pytest.fixture(scope="module")
def digits():
    return from_preset("digits")


@pytest.fixture(scope="module")
def images():
    return np.asarray(next(iter(kp.data.load("digits").evaluation("test", 360))))


def same_weights(one, other):
    ours, theirs = values_by_path(one), values_by_path(other)
    return ours.keys() == theirs.keys() and all(
        np.array_equal(ours[key].numpy(), theirs[key].numpy()) for key in ours
    )


def test_weights_by_name_reproduce_the_card(digits, images):
    facts = presets.facts("digits")
    found = kp.evaluation.evaluate(digits, images)
    assert found.images == facts["test"]["images"]
    assert found.nats == pytest.approx(facts["test"]["nats"], abs=0.01)


@pytest.mark.parametrize(
    "name",
    [pytest.param(x, marks=[pytest.mark.slow] * (x != "digits")) for x in presets.names()],
)
def test_what_comes_along(name):
    """Keras itself reads the folder; facts are complete; no optimizer, float32; loads in time."""
    start = time.perf_counter()
    model = from_preset(name)
    seconds = time.perf_counter() - start
    facts = presets.facts(name)
    assert seconds < 10  # 2 s on a machine with nothing else to do
    assert facts["name"] == name
    assert facts["parameters"] == model.count_params()
    assert tuple(facts["image_shape"]) == model.image_shape
    assert facts["model"] == type(model).__name__
    assert facts["distribution"] == repr(model.distribution)
    assert {"nats", "bits_per_dim", "standard_error", "images"} <= set(facts["test"])
    assert facts["protocol"]
    assert facts["dataset"]["licence"]
    assert facts["package_version"]
    settings = kp.training.Settings(**facts["training"]["settings"])
    assert settings.conditional == model.context.given
    folder = presets.folder(name)
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "metadata.json",
        "model.weights.h5",
        "preset.json",
    }
    # Optimizer and averaged weights would make it three times as large.
    assert (folder / "model.weights.h5").stat().st_size < 5 * model.count_params() + 200_000
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    assert same_weights(keras.saving.load_model(folder), model)


@pytest.mark.parametrize("name", kp.models.ARCHITECTURES)
def test_architectures(name):
    """Each can be made, at a fraction of its size, with its own image shape and distribution."""
    sizes = {"units": 4, "num_blocks": 1, "head_units": 4}
    model = from_preset(name, load_weights=False, **sizes)
    assert model.get_config()["units"] == 4
    with pytest.raises(ValueError, match=r"without weights.*load_weights=False"):
        from_preset(name)


def test_an_architecture_is_what_it_says():
    model = PixelRNN.from_preset("diagonal_bilstm_7x16_mnist", load_weights=False)
    assert model.get_config()["units"] == 16
    assert model.get_config()["num_blocks"] == 7
    assert model.count_params() == 65_793


def test_unknown_names_list_all():
    with pytest.raises(ValueError, match="Received: 'nothing'") as error:
        from_preset("nothing")
    for name in (*presets.names(), *kp.models.ARCHITECTURES):
        assert name in str(error.value)
    with pytest.raises(ValueError, match=r"Unknown preset.*digits"):
        presets.facts("nothing")


def test_the_class_must_be_that_of_the_preset():
    assert isinstance(PixelRNN.from_preset("digits"), PixelRNN)
    with pytest.raises(ValueError, match=r"'digits' is a PixelRNN, not a PixelCNN"):
        PixelCNN.from_preset("digits")
    with pytest.raises(ValueError, match=r"is a PixelRNN, not a PixelCNN"):
        PixelCNN.from_preset("row_lstm_7x16_mnist", load_weights=False)


def test_without_weights_anything_can_be_overridden(digits):
    model = from_preset(
        "digits",
        load_weights=False,
        image_shape=(5, 6, 3),
        distribution=kp.distributions.Categorical(4),
        units=6,
        num_classes=3,
        name="mine",
    )
    assert model.sample(2, seed=0, context=1).shape == (2, 5, 6, 3)
    assert model.name == "mine"
    assert not same_weights(from_preset("digits", load_weights=False), digits)


def test_overrides_that_fit_keep_the_weights(digits, images):
    model = from_preset("digits", dropout=0.0, name="calm", image_shape=(8, 8, 1))
    assert same_weights(model, digits)
    assert model.get_config()["dropout"] == 0.0
    np.testing.assert_allclose(model.log_prob(images[:4]), digits.log_prob(images[:4]), rtol=1e-6)
    wide = from_preset("digits", image_shape=(4, 10, 1), distribution=digits.distribution)
    assert wide.sample(1, seed=0).shape == (1, 4, 10, 1)
    mixed = from_preset("digits", dtype="mixed_bfloat16")
    assert mixed.dtype_policy.name == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("overrides", "wrong"),
    [
        ({"units": 16}, ["units=16"]),
        ({"num_classes": 10, "dropout": 0.1}, ["num_classes=10"]),
        ({"image_shape": (8, 8, 3)}, ["image_shape=(8, 8, 3)"]),
        ({"num_blocks": 3, "skip": True}, ["num_blocks=3", "skip=True"]),
        ({"recurrence": "row"}, ["recurrence='row'"]),
        ({"kernel_size": 5}, ["kernel_size=5"]),
        ({"learned_initial_state": True}, ["learned_initial_state=True"]),
        # As many parameters, of another meaning:
        ({"distribution": kp.distributions.Categorical(16)}, ["distribution=Categorical"]),
    ],
)
def test_overrides_that_do_not_fit_are_named(overrides, wrong):
    with pytest.raises(ValueError, match="do not fit with") as error:
        from_preset("digits", **overrides)
    for words in wrong:
        assert words in str(error.value)
    assert "dropout" not in str(error.value)


def test_a_distribution_of_the_same_size_and_another_meaning(tmp_path):
    head = kp.distributions.DiscretizedLogisticMixture(8, num_mixtures=2)
    PixelCNN((4, 4, 1), head, units=4, num_blocks=1).save_to_preset(tmp_path)
    other = kp.distributions.DiscretizedNormalMixture(8, num_mixtures=2)
    with pytest.raises(ValueError, match="distribution="):
        from_preset(tmp_path, distribution=other)


def test_unknown_arguments():
    for load_weights in (True, False):
        with pytest.raises(TypeError, match="no_such"):
            from_preset("digits", load_weights, no_such=1)
    with pytest.raises(TypeError, match="no_such"):
        PixelCNN((4, 4, 1), kp.distributions.Bernoulli(), no_such=1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A compiled and fitted model, and the folder it was saved to."""
    model = PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    model.compile("adam")
    model.fit(np.zeros((4, 4, 5, 1), np.uint8), verbose=0)
    folder = tmp_path_factory.mktemp("preset") / "mine"
    test = {"nats": 1.5, "bits_per_dim": 0.1, "standard_error": 0.01, "images": 7}
    model.save_to_preset(folder, {"test": test, "protocol": "zeros"})
    return model, folder


def test_save_to_preset(saved):
    model, folder = saved
    assert {file.name for file in folder.iterdir()} == {
        "README.md",
        "config.json",
        "metadata.json",
        "model.weights.h5",
        "preset.json",
    }
    for loaded in (from_preset(folder), from_preset(str(folder)), keras.saving.load_model(folder)):
        assert same_weights(loaded, model)
        assert getattr(loaded, "optimizer", None) is None
    assert "adam" not in (folder / "config.json").read_text().lower()
    facts = presets.facts(folder)
    assert (facts["name"], facts["protocol"], facts["test"]["images"]) == ("mine", "zeros", 7)
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras")
    assert "1.50 ± 0.01 nats" in card
    assert "zeros" in card


def test_a_card_says_no_more_than_is_known(tmp_path):
    model = PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    card = (model.save_to_preset(tmp_path) / "README.md").read_text()
    assert "not measured" in card
    assert "licence" not in card


def test_a_keras_file_and_a_training_folder(saved, tmp_path):
    model, _ = saved
    model.save(tmp_path / "model.keras")
    for source in (tmp_path, tmp_path / "model.keras", str(tmp_path / "model.keras")):
        assert same_weights(from_preset(source), model)


def test_folders_that_hold_no_model(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="holds no model"):
        from_preset(tmp_path)
    (tmp_path / "digits").mkdir()
    with pytest.raises(ValueError, match="write 'digits' alone"):
        from_preset(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert from_preset("digits").image_shape == (8, 8, 1)  # the name goes first
    with pytest.raises(ValueError, match="holds no model"):
        from_preset("./digits")


@pytest.mark.parametrize("damage", ["config.json", "model.weights.h5", "model.keras"])
def test_damaged_files_are_named(damage, saved, tmp_path):
    folder = shutil.copytree(saved[1], tmp_path / "copy")
    (folder / damage).write_bytes(b"not what it should be")
    with pytest.raises(ValueError, match="Cannot load a model from"):
        from_preset(folder)


def test_other_keras_models_are_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"no model of keras_pixelrnn.*Sequential"):
        from_preset(tmp_path)


def test_from_the_hub(saved, monkeypatch):
    """Through keras.saving, with a stand-in for the hub's download."""
    model, folder = saved
    asked = []

    def snapshot_download(repo_id, **kwargs):
        asked.append(repo_id)
        return str(folder)

    hub = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setattr("keras.src.saving.saving_lib.huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert same_weights(PixelModel.from_preset("hf://someone/mine"), model)
    small = from_preset("hf://someone/mine", load_weights=False, units=6)
    assert small.get_config()["units"] == 6
    assert asked == ["someone/mine", "someone/mine"]


@pytest.mark.parametrize("text", ["{", "[" * 100_000], ids=["cut", "deep"])
def test_facts_of_a_damaged_file(tmp_path, text):
    (tmp_path / "preset.json").write_text(text)
    with pytest.raises(ValueError, match="damaged"):
        presets.facts(tmp_path)
    assert json.loads((presets.folder("digits") / "preset.json").read_text())


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (["protocol"], "`facts` must be a dict"),
        ({"test": "good"}, r"`facts\['test'\]` must be a dict"),
        ({"dataset": "digits"}, r"`facts\['dataset'\]` must be a dict"),
        ({"test": {"nats": 1.0}}, "must hold the numbers nats, bits_per_dim, images"),
        ({"test": {"nats": "1", "bits_per_dim": 1, "images": 2}}, "must hold the numbers nats"),
        ({"paper": np.float32(1.0)}, "must be what JSON holds.*float32"),
        ({"paper": float("nan")}, "must be what JSON holds"),
        ({"training": {"settings": {"units": 4}}}, "A card needs 'model' of facts"),
    ],
)
def test_facts_that_no_card_can_say(saved, facts, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        saved[0].save_to_preset(tmp_path / "new", facts)
    assert not (tmp_path / "new").exists()


def test_a_likelihood_is_facts_of_a_test(saved, tmp_path):
    found = kp.evaluation.evaluate(saved[0], np.zeros((1, 4, 5, 1), np.uint8))._asdict()
    found["nats"] = np.float32(found["nats"])
    saved[0].save_to_preset(tmp_path, {"test": found})
    assert presets.facts(tmp_path)["test"]["standard_error"] is None
    assert f"test, 1 images | {found['nats']:.2f} nats" in (tmp_path / "README.md").read_text()
