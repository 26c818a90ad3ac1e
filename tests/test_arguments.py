"""Constructors: what cannot be meant is refused, and the error names the argument."""

import math

import keras
import numpy as np
import pytest

import keras_pixelrnn as kp
from benchmarks.faults.constructors import CONSTRUCTORS
from keras_pixelrnn import checks

# One of each kind that is no size, rate, switch or name; the benchmark draws thousands more.
BAD = [None, True, "a/b", [], {}, -1, 0.5, math.nan, 2**70, object(), np.zeros(2), (1, 2, 3, 4, 5)]
CASES = [
    pytest.param(each, argument, id=f"{each.make.__name__}-{argument}")
    for each in CONSTRUCTORS
    for argument in each.fits
]


@pytest.mark.parametrize(("each", "argument"), CASES)
def test_a_bad_value_is_refused_by_name(each, argument):
    refused = 0
    for value in BAD:
        if not each.fits[argument](value):
            with pytest.raises((ValueError, TypeError), match=argument):
                each.make(**{**each.good, argument: value})
            refused += 1
    assert refused > 5


@pytest.mark.parametrize("each", CONSTRUCTORS, ids=lambda each: each.make.__name__)
def test_an_unknown_argument_is_a_type_error(each):
    with pytest.raises(TypeError, match="dropuot"):
        each.make(**each.good, dropuot=0.5)
    config = {**each.make(**each.good).get_config(), "dropuot": 0.5}
    with pytest.raises(TypeError, match="dropuot"):
        each.make.from_config(config)


@pytest.mark.parametrize("each", CONSTRUCTORS, ids=lambda each: each.make.__name__)
def test_a_configuration_that_is_none_is_refused(each):
    for config in (None, [], 5, "x", {1: 2}, [("units", 3)]):
        with pytest.raises(ValueError, match="`config` must be a dict"):
            each.make.from_config(config)


def test_parts_of_a_configuration_that_are_none_are_refused():
    stack, block = kp.layers.CausalStack, kp.layers.ResidualBlock
    for value in (None, [], 5, "x", {"x": 1}, {"class_name": "Dense"}, [5]):
        for make, argument in ((stack, "layers"), (block, "inner")):
            with pytest.raises(ValueError, match=f"`{argument}` must"):
                make.from_config({argument: value})


def test_a_layer_twice_in_a_stack_is_refused():
    """Drawing failed, and so did files with it inside two blocks."""
    lstm = kp.layers.RowLSTM(2, name="recurrence")
    blocks = [kp.layers.ResidualBlock(lstm) for _ in range(2)]
    for twice in ([lstm, lstm], blocks, [lstm, blocks[0]]):
        with pytest.raises(ValueError, match=r"`layers` must have no layer twice.* 2 times"):
            kp.layers.CausalStack(twice)


def test_a_class_without_arguments_names_them_too():
    for make in (
        lambda: kp.distributions.Bernoulli(dropuot=1),
        lambda: kp.distributions.Bernoulli.from_config({"dropuot": 1}),
    ):
        with pytest.raises(TypeError, match="dropuot"):
            make()


SETTINGS = {
    **dict.fromkeys(("epochs", "batch_size", "steps_per_execution"), (0, -1, 1.5, True, "2")),
    **dict.fromkeys(("learning_rate", "clipnorm"), (0, -1.0, math.nan, math.inf, None, "1")),
    **dict.fromkeys(("warmup", "ema"), (-0.1, 1.5, math.nan, None, "1")),
    "seed": (-1, 0.5, 2**32, None),
    "checkpoint_minutes": (0, -1, math.nan, "1"),
    "background": (0, -0.1, 1.1, math.nan, "1"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_bad_setting_is_refused_before_anything_is_begun(name):
    for value in SETTINGS[name]:
        with pytest.raises(ValueError, match=f"`{name}` must"):
            kp.training.Settings(**{name: value})


def test_a_choice_that_is_no_text_is_refused_by_name():
    """`==` and `in` of an array have no truth value; a set has no order."""
    images = np.zeros((2, 4, 5, 1), np.uint8)
    model = kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), units=3, num_blocks=1)
    with pytest.raises(ValueError, match="`method` must"):
        model.complete(images, images > 0, seed=0, method=np.zeros(2))


ODD = [
    np.zeros((2, 2)),
    np.array([1, None]),
    [[1], [2]],
    [1, [2, 3]],
    {1, 2},
    {},
    b"x",
    object(),
    np.array(3),
    "x",
]


@pytest.mark.parametrize(
    "source", ["digits", np.zeros((4, 4, 5, 1), np.uint8)], ids=["name", "array"]
)
@pytest.mark.parametrize(
    "name",
    [
        "values",
        "value_range",
        "levels",
        "binarization",
        "channels",
        "class_names",
        "on_error",
        "cache",
    ],
)
def test_arguments_of_load_are_checked_whatever_the_source(name, source):
    """Also those that it would ignore; an array has no truth value, a set no order."""
    for value in [*ODD, np.ma.masked_array([0, 4], [0, 1]), np.zeros((2, 2, 2))]:
        with pytest.raises(ValueError, match=f"`{name}` must"):
            kp.data.load(source, **{name: value})


def test_ranges_and_names_may_be_arrays():
    scans = np.arange(100, dtype=np.uint16).reshape(20, 1, 5, 1) % 30
    data = kp.data.load(
        (scans, np.arange(20) % 2),
        value_range=np.array([0, 31]),
        class_names=np.array(["ant", "bee"]),
    )
    assert (data.levels, data.class_names) == (32, ("ant", "bee"))


def test_the_likely_name_is_suggested():
    with pytest.raises(TypeError, match="Did you mean `dropout`"):
        kp.models.PixelCNN((4, 5, 1), kp.distributions.Bernoulli(), dropuot=0.5)
    with pytest.raises(TypeError, match="has no argument `skip`"):  # other models have it
        kp.models.GatedPixelCNN((4, 5, 1), kp.distributions.Bernoulli(), skip=True)
    with pytest.raises(TypeError, match="`foo`"):
        kp.models.PixelModel.from_preset("digits", foo=1)


def test_every_argument_of_a_constructor_is_in_the_table():
    """A new argument has to be added to the table, and is then tested."""
    elsewhere = {"activation", "input_shape", "batch_shape", "batch_input_shape", "input_dim"}
    elsewhere |= checks.taken_by(keras.layers.Conv2D) | {"reduction"}  # Keras checks its own
    for each in CONSTRUCTORS:
        own = checks.taken_by(each.make)
        if hasattr(each.make, "arguments"):
            own = each.make.arguments()
        elif issubclass(each.make, kp.models.PixelModel):
            own = checks.taken_by(each.make, kp.models.PixelModel)
        assert own - elsewhere - set(each.fits) == set(), each.make


@pytest.mark.parametrize("kernel_size", [np.int64(5), np.array([5, 5])])
def test_sizes_from_numpy_are_sizes(kernel_size, tmp_path):
    sizes = {"units": np.int64(4), "num_blocks": np.int32(1), "kernel_size": kernel_size}
    model = kp.models.PixelCNN(
        (np.int64(4), 5, 1), kp.distributions.Bernoulli(), dropout=np.float32(0.5), **sizes
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()


def test_a_small_image_needs_room():
    with pytest.raises(ValueError, match="image_shape"):
        kp.models.MultiScalePixelRNN((1, 5, 1), kp.distributions.Bernoulli())


def tiny():
    return kp.models.PixelCNN((4, 5, 1), kp.distributions.Categorical(5), units=3, num_blocks=1)


FEW = np.zeros((2, 4, 5, 1), np.uint8)


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch"])
def test_no_images_are_refused(name):
    model = tiny()
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"one image or more.*\(0, 4, 5, 1\)"):
        getattr(model, name)(FEW[:0])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": "2"}, "epochs"),
        ({"validation_split": 2}, "validation_split"),
        ({"validation_split": 1}, "validation_split"),
    ],
)
def test_numbers_beside_the_images_of_fit(given, name):
    model = tiny()
    model.compile("sgd")
    with pytest.raises(ValueError, match=f"`{name}` must"):
        model.fit(FEW, verbose=0, **given)


@pytest.mark.parametrize(
    "name",
    ["sample", "log_prob", "complete", "smc", "entropy_map", "features", "restore", "score", "fit"],
)
def test_blocks_have_a_size_that_fits_a_machine(name):
    given = {
        "sample": (2, {"seed": 0}),
        "log_prob": (FEW, {}),
        "complete": (FEW, {"known": FEW > 0, "seed": 0}),
        "smc": (FEW, {"known": FEW > 0, "seed": 0, "method": "smc", "n_particles": 2}),
        "restore": (FEW, {"mask": FEW > 0, "seed": 0, "n_particles": 2}),
        "features": (FEW, {"layer": "head"}),
    }
    first, options = given.get(name, (FEW, {}))
    with pytest.raises(ValueError, match="`batch_size` must"):
        getattr(tiny(), {"smc": "complete"}.get(name, name))(first, batch_size=2**40, **options)


@pytest.mark.parametrize("value", ["no", 1, None, np.zeros(2), "True"])
def test_switches_are_true_or_false(value):
    """A text such as "no" is true to Python."""
    model = tiny()
    calls = {
        "load_weights": lambda: kp.models.from_preset("digits", load_weights=value),
        "xla": lambda: model.sample_batches(2, seed=0, xla=value),
        "verify": lambda: kp.codec.compress(model, FEW, verify=value),
    }
    calls |= {
        name: lambda name=name: kp.training.Settings(**{name: value})
        for name in ("gpu", "conditional", "skip", "distribute", "resume")
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=f"`{name}` must be True or False"):
            call()
    for call in (
        lambda: model.complete_batches(FEW, FEW > 0, seed=0, xla=value),
        lambda: next(model.complete_rows(FEW, FEW > 0, seed=0, xla=value)),
        lambda: kp.codec.decompress(model, b"", xla=value),
    ):
        with pytest.raises(ValueError, match="`xla` must be True or False"):
            call()


def test_params_and_graphs_check_their_images():
    model = tiny()
    for wrong in (FEW + 5, FEW.astype(int) + 2**32, FEW * np.nan, FEW[0], None):
        with pytest.raises(ValueError, match="`images`"):
            model.params(wrong)
    hidden = np.ma.masked_array(FEW, FEW == 0)
    for function in (model.params, model.params_graph, model.log_prob_graph):
        with pytest.raises(ValueError, match="Masked arrays"):
            function(hidden)
    with pytest.raises(ValueError, match="Masked arrays"):
        kp.evaluation.evaluate(model, hidden)
    for nothing in (FEW[:0], [], None):
        with pytest.raises(ValueError, match="`batches`"):
            kp.evaluation.evaluate(model, nothing)


def test_errors_name_the_argument_that_was_passed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = tiny()
    with pytest.raises(
        TypeError, match="`complete` has no argument 'temperature' with method='smc'"
    ):
        model.complete(FEW, FEW > 0, seed=0, method="smc", temperature=0.5)
    with pytest.raises(TypeError, match="`restore` has no argument 'foo'"):
        model.restore(FEW, mask=FEW > 0, seed=0, foo=1)
    with pytest.raises(ValueError, match="`mask` must be boolean"):
        model.restore(FEW, mask=np.zeros((4, 5)), seed=0)
    with pytest.raises(ValueError, match="`mask` must have the shape"):
        model.restore(FEW, mask=np.zeros((3, 5), bool), seed=0)
    for write in (model.save_to_preset, lambda path: kp.export.save_for_serving(model, path)):
        with pytest.raises(ValueError, match="must not be empty"):
            write("")
    assert not list(tmp_path.iterdir())
