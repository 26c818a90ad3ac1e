"""One process, one set of tiny models: TensorFlow starts slowly."""

import ctypes
import gc
import os
import signal
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Tests compile much and run little.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.util import tf_stack

import keras_pixelrnn
from keras_pixelrnn.models import functions
from keras_pixelrnn.models.by_rows import ByRows
from keras_pixelrnn.models.functions import Functions
from keras_pixelrnn.serving import check
from tests import conformance
from tests.served import Running

if threading.current_thread() is threading.main_thread():
    # Ignored where the tests run in the background of a shell; some of them wait for it to be heard.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def model_of():
    """`model_of(case)`: the model of a conformance case, random weights, made once."""

    def get(case):
        if case.name not in _made:
            _made[case.name] = conformance.randomised(case.make())
        return _made[case.name]

    return get


_made = {}


@pytest.fixture(scope="session")
def export_of(model_of, tmp_path_factory):
    """`export_of(case)`: version folder of that model's export, made once."""
    made = {}

    def get(case):
        if case.name not in made:
            folder = tmp_path_factory.mktemp("export")
            made[case.name] = keras_pixelrnn.export.save_for_serving(model_of(case), folder)
        return made[case.name]

    return get


@pytest.fixture(scope="session")
def coded():
    """A model, nine images as it draws them, and their file in blocks of four."""
    model = conformance.randomised(conformance.QUICK.make(), scale=0.3)
    images = model.sample(9, seed=1)
    return model, images, keras_pixelrnn.codec.compress(model, images, block_size=4)


@pytest.fixture(scope="session")
def running(export_of):
    """`running()`: `pixelrnn serve` of the quick model, started once, and again where it has ended."""
    found = []

    def get():
        if not found or found[-1].process.poll() is not None:
            found.append(Running(export_of(conformance.QUICK)))
        return found[-1]

    yield get
    for one in found:
        one.interrupt()


@pytest.fixture(autouse=True)
def _graphs(request, monkeypatch):
    """Models run without XLA, whose compilations are most of the time: those of tests marked `graphs`
    always, of the others but with `--run-slow`, and of those marked `xla` never."""
    marked = request.node.get_closest_marker
    if not marked("xla") and (marked("graphs") or not request.config.getoption("--run-slow")):
        _without_xla(monkeypatch)


@pytest.fixture(scope="module")
def graphs(request):
    """For what tests of a module share and compare with their own: it runs as they do."""
    with pytest.MonkeyPatch.context() as patched:
        if not request.config.getoption("--run-slow"):
            _without_xla(patched)
        yield


def _without_xla(patch):
    call, size = Functions.__call__, ByRows.row_state_size_for
    patch.setattr(
        Functions, "__call__", lambda self, name, xla=True, **o: call(self, name, False, **o)
    )
    patch.setattr(ByRows, "row_state_size_for", lambda self, xla: size(self, False))
    if keras.backend.backend() == "tensorflow":
        patch.setattr(functions.backend, "trace", _trace_for_any_number)


def _trace_for_any_number(function, *arrays):
    """One graph for blocks of every size, as in an export: tracing is most of the time."""
    function.get_concrete_function(
        *(tf.TensorSpec((None, *np.shape(array)[1:]), array.dtype) for array in arrays)
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Weights that nobody drew on purpose are the same in every run."""
    keras.utils.set_random_seed(0)


_here = tf_stack.extract_stack()
# Where each operation of a graph was made, for its errors: a twentieth of the time.
tf_stack.extract_stack = lambda stacklevel=1: _here


def pytest_collection_finish(session):
    """What is loaded by now stays, and what is made goes between groups of tests: the collector need not
    walk over it all while graphs are made."""
    gc.collect()
    gc.freeze()
    gc.disable()
    if keras.backend.backend() == "tensorflow" and not session.config.getoption("--run-slow"):
        # Rewriting a graph pays where it runs often: a quarter of the time of what runs a few times.
        _rewrite(False)
        run = check._run

        def as_a_server_does(*args):
            _rewrite(True)
            try:
                return run(*args)
            finally:
                _rewrite(False)

        check._run = as_a_server_does


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """A group of tests leaves no memory behind: optimizers of Keras leave their graphs in TensorFlow's
    register of gradients and generators their data in its first graph, models and graphs refer to one
    another, and the allocator keeps what they gave back."""
    if nextitem is None or _group(item) != _group(nextitem):
        if _group(item) in _made and _group(item) != conformance.QUICK.name:
            _made[_group(item)]._functions._compiled.clear()  # its tests are done
        register = ops.gradient_registry._registry
        for key in [key for key in register if key.startswith("CustomGradient")]:
            if "_graph_mode_decorator" in register[key]["type"].__qualname__:
                del register[key]
        getattr(ops.get_default_graph(), "_py_funcs_used_in_graph", []).clear()
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)


def _group(item):
    """Name of the tests that one worker runs together."""
    (name,) = item.get_closest_marker("xdist_group").args
    return name


def _rewrite(graphs):
    """Whether TensorFlow rewrites graphs before it runs them."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not graphs})


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


# Groups of tests that take longest: they start first, so that no worker waits for another at the end.
LONGEST = [
    "test_jax_training",
    "backends",
    "test_readme",
    "test_docstrings",
    "train",
    "test_smc",
    "test_cli",
    conformance.QUICK.name,
    *(case.name for case in conformance.SPANNING),
]


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config, items):
    # One worker for all tests of a case, or else of a file: it makes, compiles and exports once.
    for item in items:
        params = item.callspec.params.values() if hasattr(item, "callspec") else ()
        group = item.path.stem
        for case in params:
            if isinstance(case, conformance.ModelCase):
                group = case.name
                other = case in conformance.MODELS and case not in conformance.SPANNING
                if other and "every_model" not in item.keywords:
                    item.add_marker(pytest.mark.slow)
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))

    def place(item):
        group = _group(item)
        return LONGEST.index(group) if group in LONGEST else len(LONGEST)

    items.sort(key=place)
    if not config.getoption("--run-slow"):
        skip = pytest.mark.skip(reason="slow; run by `make test-all`")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)
