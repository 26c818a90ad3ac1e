"""One process, one set of tiny models: TensorFlow starts slowly."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Tests compile much and run little.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import keras
import numpy as np
import pytest

import keras_pixelrnn
from keras_pixelrnn.models.functions import Functions
from tests import conformance


@pytest.fixture(scope="session")
def model_of():
    """`model_of(case)`: the model of a conformance case, random weights, made once."""
    made = {}

    def get(case):
        if case.name not in made:
            made[case.name] = conformance.randomised(case.make())
        return made[case.name]

    return get


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


@pytest.fixture(autouse=True)
def _graphs(request, monkeypatch):
    """Under the mark `graphs` models run without XLA: of many small ones, each is ready sooner."""
    mark = request.node.get_closest_marker("graphs")
    if mark and mark.args != (False,):
        call = Functions.__call__
        monkeypatch.setattr(
            Functions, "__call__", lambda self, name, xla=True, **o: call(self, name, False, **o)
        )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Weights that nobody drew on purpose are the same in every run."""
    keras.utils.set_random_seed(0)


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config, items):
    # One worker for all tests of a case, or else of a file: it makes, compiles and exports once.
    for item in items:
        params = item.callspec.params.values() if hasattr(item, "callspec") else ()
        group = item.path.stem
        for case in params:
            if isinstance(case, conformance.ModelCase):
                group = case.name
                if case not in conformance.SPANNING and "every_model" not in item.keywords:
                    item.add_marker(pytest.mark.slow)
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
    if not config.getoption("--run-slow"):
        skip = pytest.mark.skip(reason="slow; run by `make test-all`")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)
