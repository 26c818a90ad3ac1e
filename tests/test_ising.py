"""The Ising example: exact values two ways, and in small the model that comes near them."""

import numpy as np
import pytest

from tests.served import example


@pytest.fixture(name="ising", scope="module")
def _ising():
    return example("ising")


def test_the_transfer_matrix_is_the_sum_over_all_configurations(ising):
    for temperature in ising.TEMPERATURES:
        found, expected = (way(3, temperature) for way in (ising.exact, ising.enumerated))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    # Onsager 1944: -ln 2 / 2 - 2 G / pi times the critical temperature, for the infinite lattice.
    catalan = 0.915965594177219
    critical = 2 / np.log(1 + np.sqrt(2))
    onsager = -critical * (np.log(2) / 2 + 2 * catalan / np.pi)
    assert ising.exact(8, critical)[0] == pytest.approx(onsager, rel=0.02)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--sizes", "1"),
        ("--sizes", "30"),
        ("--steps", "0"),
        ("--batch-size", "1"),
        ("--precision", "nan"),
        ("--precision", "0"),
        ("--precision", "much"),
    ],
)
def test_arguments_are_named(ising, capsys, monkeypatch, option, value):
    """A matrix of 2^30 rows fits nowhere, and a sample that is its own baseline teaches nothing."""
    monkeypatch.setattr(ising, "train", None)
    with pytest.raises(SystemExit):
        ising.main([option, value])
    said = capsys.readouterr().err
    assert f"argument {option}: must be" in said
    assert f"Received: {value}" in said


@pytest.mark.slow
def test_the_model_comes_near(ising, capsys):
    worst = ising.main(["--sizes", "3", "--steps", "100"])
    assert worst < 0.01
    assert "| 3x3 | 1.5 |" in capsys.readouterr().out
