"""Files that hold no numbers, or were edited by hand, are named where they are read."""

import json

import numpy as np
import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.data import stored
from keras_pixelrnn.serving import export
from keras_pixelrnn.training import results
from tests.commands import fails
from tests.conformance import MODELS, QUICK

MULTI_SCALE = next(case for case in MODELS if case.name == "multi_scale-bernoulli-1")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(value, tmp_path, capsys):
    model = kp.models.PixelCNN((3, 5, 1), kp.distributions.Bernoulli(), units=4, num_blocks=1)
    weights = model.get_weights()
    weights[-1][:] = value
    model.set_weights(weights)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"The weights of .*model\.keras are no numbers"):
        kp.models.from_preset(tmp_path / "model.keras")
    assert kp.models.from_preset(tmp_path / "model.keras", load_weights=False) is not None
    for write in (model.save_to_preset, lambda path: export.save_for_serving(model, path)):
        with pytest.raises(ValueError, match="are no numbers: its training went wrong"):
            write(tmp_path / "out")
    assert "are no numbers" in fails(capsys, "sample", tmp_path / "model.keras")[1]
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize("case", [QUICK, MULTI_SCALE], ids=lambda case: case.name)
def test_a_model_in_memory_whose_weights_are_no_numbers_draws_nothing(case):
    """It would draw images of zeros, as if that were what it had learned."""
    model = case.make()
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    images = np.zeros((2, *model.image_shape), np.uint8)
    known = np.zeros(images.shape, bool)
    draws = [
        lambda: model.sample(2, seed=0),
        lambda: model.sample(2, seed=0, top_k=1),
        lambda: next(model.sample_batches(2, seed=0)),
        lambda: model.complete(images, known, seed=0),
        lambda: model.complete(images, known, seed=0, method="smc", n_particles=2),
    ]
    for draw in draws if case is QUICK else draws[:1]:
        with pytest.raises(ValueError, match="The weights of this model are no numbers"):
            draw()


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return kp.data.pack("digits", tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.mark.parametrize(
    "edit",
    [
        *({name: 3.5} for name in ("meaning", "range", "levels", "protocol", "class_names")),
        *({name: None} for name in ("meaning", "range", "protocol")),
        {"range": [0]},
        {"range": ["a", "b"]},
        {"meaning": "bogus"},
        "[]",
        "{}",
        "null",
    ],
    ids=str,
)
def test_a_packed_file_that_was_edited(edit, packed, tmp_path):
    with np.load(packed) as file:
        arrays = dict(file)
    about = {**json.loads(str(arrays[stored.ABOUT])), **edit} if isinstance(edit, dict) else edit
    arrays[stored.ABOUT] = np.array(about if isinstance(about, str) else json.dumps(about))
    np.savez(tmp_path / "edited.npz", **arrays)
    with pytest.raises(ValueError, match=r"edited\.npz.*pack it anew.*Received"):
        kp.data.load(tmp_path / "edited.npz")


def test_a_packed_range_that_its_numbers_cannot_have_is_refused(tmp_path):
    data = kp.data.load(np.zeros((9, 3, 5, 1), np.uint8), value_range=(0, 1))
    path = kp.data.pack(data, tmp_path / "packed.npz")
    assert kp.data.load(path).values == data.values
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays[stored.ABOUT])) | {"range": [0, 65535]}
    np.savez(path, **{**arrays, stored.ABOUT: np.array(json.dumps(about))})
    with pytest.raises(ValueError, match=r"uint8 lie in 0 \.\. 255.*\(0, 65535\)"):
        kp.data.load(path)


def test_a_source_is_not_packed_over_itself(tmp_path, capsys):
    path = tmp_path / "mine.npz"
    np.savez(path, images=np.zeros((30, 3, 5, 1), np.uint8), notes=np.arange(3))
    before = path.read_bytes()
    (tmp_path / "link.npz").symlink_to(path)
    with pytest.raises(ValueError, match="The source would be replaced"):
        kp.data.pack(tmp_path / "link.npz", path)
    assert "would write over" in fails(capsys, "data", "pack", path, tmp_path / "link.npz")[1]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "plan",
    [
        {"finished": True, "epochs": 2, "version": 1, "files": 3},
        {"finished": True, "epochs": 2, "files": {"3/x": "a"}},
        {"finished": True, "version": 1},
    ],
)
def test_a_plan_of_results_that_was_edited(plan, tmp_path):
    (tmp_path / results.PLAN).write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=r"results\.json is damaged. Delete it"):
        results.finished_epochs(tmp_path)


@pytest.mark.parametrize("numbers", [[-1], [180], [0.5], [True], [], 3, [[0]], "a", None])
def test_numbers_of_images_that_there_are_not(numbers):
    data = kp.data.load("digits")
    with pytest.raises(ValueError, match="`numbers` must be"):
        data.images("validation", numbers)
    with pytest.raises(ValueError, match="`split` must be one of"):
        data.images("held out", [0])
    assert data.images("validation", [179, 0]).shape == (2, 8, 8, 1)
