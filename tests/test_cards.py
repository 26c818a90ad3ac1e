"""What the card of a trained model says of its data: name, licence, labels."""

import json
import re
import types

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn import training
from keras_pixelrnn.presets.card import MOST_NAMES, card
from keras_pixelrnn.training import datasets, report, results
from tests.image_files import fill


@pytest.fixture
def pets(tmp_path):
    for first, name in [(0, "ant"), (6, "bee")]:
        fill(tmp_path / "pets" / name, 6, first)
    return tmp_path / "pets"


def card_of(data, source, tmp_path, monkeypatch, **settings):
    found = types.SimpleNamespace(nats=1.0, bits_per_dim=1.0, standard_error=0.1, images=2)
    monkeypatch.setattr(results.evaluation, "evaluate", lambda *_: found)
    settings = training.Settings(dataset=str(source), output=tmp_path / "out", **settings)
    options = {"num_classes": data.num_classes} if settings.conditional else {}
    head = kp.distributions.Categorical(data.levels)
    model = kp.models.PixelCNN(data.image_shape, head, units=1, num_blocks=1, **options)
    metrics = results.result_metrics(settings, model, data, 1.0)
    return card(report.facts_of("pets", model, metrics))


def test_labels_of_a_class_folder(pets, tmp_path, monkeypatch):
    data = kp.data.load(pets, image_size=4, channels=1)
    packed = kp.data.load(kp.data.pack(data, tmp_path / "packed.npz"))
    for each in (data, packed):
        text = card_of(each, pets, tmp_path, monkeypatch, conditional=True)
        assert "| labels | 0 ant, 1 bee |" in text
        assert "| data | pets; licence: not stated |" in text
    assert "| labels" not in card_of(data, pets, tmp_path, monkeypatch)


def test_a_packed_file_knows_its_data_set(tmp_path, monkeypatch):
    data = kp.data.load(kp.data.pack("digits", tmp_path / "packed.npz"))
    text = card_of(data, tmp_path / "packed.npz", tmp_path, monkeypatch, conditional=True)
    assert "| data | UCI Optical Recognition of Handwritten Digits; licence: CC BY 4.0 |" in text
    assert "| labels" not in text  # numbers are their own names


def test_the_error_of_one_image_is_not_known(tmp_path, monkeypatch):
    """Neither a nan in JSON, which has none, nor in words."""
    model = kp.models.PixelCNN((8, 8, 1), kp.distributions.Categorical(17), units=1, num_blocks=1)
    images = np.zeros((1, 8, 8, 1), np.uint8)
    assert "nan" not in str(kp.evaluation.evaluate(model, images))
    monkeypatch.setattr(kp.data.ImageData, "evaluation", lambda *_, **__: images)
    one = kp.data.load("digits")
    settings = training.Settings(output=tmp_path)
    metrics = results.result_metrics(settings, model, one, 1.0)
    json.dumps(metrics, allow_nan=False)
    facts = report.facts_of("pets", model, metrics)
    assert "nan" not in card(facts)
    assert re.search(r"test, 1 images \| \d\.\d{3} bits/dim \(", card(facts))


def test_licences_that_others_state():
    assert datasets.described({"name": "mine", "licence": "MIT"})["licence"] == "MIT"
    assert datasets.described({"name": "mine"})["licence"] == "not stated"
    assert datasets.described({"name": "mnist"})["licence"].startswith("CC BY-SA")


FACTS = {"name": "a", "model": "b", "image_shape": [1, 1, 1], "parameters": 1, "distribution": "d"}
FACTS["package_version"] = "0"


def test_many_labels_are_counted():
    assert "and 5 more" in card({**FACTS, "class_names": ["x"] * (MOST_NAMES + 5)})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"sampling": {"batch": 16}}, "A card needs 'seconds' of facts"),
        ({"training": {"seconds": "long"}}, "A card needs facts.*Received: "),
        ({"image_shape": 3}, "A card needs facts.*Received: "),
        ({"parameters": "many"}, "A card needs facts.*Received: "),
    ],
)
def test_what_a_card_cannot_say_is_named(facts, words):
    with pytest.raises(ValueError, match=words):
        card({**FACTS, **facts})
