"""Symbolic links in a folder of images: an image counts once, and links into a store count each."""

import itertools
import shutil

import pytest

import keras_pixelrnn as kp
from keras_pixelrnn.data.listing import listing
from tests.image_files import fill, numbers


def load(folder):
    return kp.data.load(folder, image_size=4, channels=1)


def everything(data):
    return sorted(itertools.chain(*(numbers(data, split) for split in data.sizes)))


@pytest.fixture
def reached(tmp_path, request):
    """A folder of 12 images, as it is and by a link to it."""
    fill(tmp_path / "real", 12)
    (tmp_path / "way").symlink_to("real")
    return tmp_path / "way"


@pytest.mark.parametrize("through", ["real", "way"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_to_an_image_beside_it_adds_nothing(reached, through, absolute):
    folder = reached.parent / through
    before = listing(folder)
    (folder / "a.png").symlink_to(reached.parent / "real" / "003.png" if absolute else "003.png")
    (folder / "z.png").symlink_to("a.png")  # a link to a link
    assert listing(folder) == before
    assert everything(load(folder)) == list(range(12))
    (folder / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(ValueError, match=r"gone\.png"):
        load(folder)


def test_copies_and_hard_links_are_images_of_their_own(tmp_path):
    fill(tmp_path, 12)
    (tmp_path / "hard.png").hardlink_to(tmp_path / "003.png")
    shutil.copy(tmp_path / "004.png", tmp_path / "copy.png")
    assert everything(load(tmp_path)) == sorted([*range(12), 3, 4])


@pytest.mark.parametrize("splits", [True, False])
def test_links_into_a_store_count_each(tmp_path, splits):
    """As managers of data sets lay them out; the same picture may be in two classes, or splits."""
    fill(tmp_path / "store", 12)
    parts = (
        {"train": range(8), "val": range(5, 10), "test": range(9, 12)}
        if splits
        else {"": range(12)}
    )
    for split, part in parts.items():
        for name in ("ant", "bee"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
        for n in part:
            for name in ("ant", "bee") if n % 2 else ("ant",):
                link = tmp_path / "data" / split / name / f"{n}.png"
                link.symlink_to(tmp_path / "store" / f"{n:03}.png")
    data = load(tmp_path / "data")
    assert data.class_names == ("ant", "bee")
    expected = [n for part in parts.values() for n in part for _ in range(1 + n % 2)]
    assert everything(data) == sorted(expected)


@pytest.mark.parametrize("split", ["", "train"])
def test_a_link_into_a_second_class_is_refused(tmp_path, split):
    """The class would be gone, or smaller, without a word."""
    folder = tmp_path / split
    fill(folder / "ant", 6)
    fill(folder / "bee", 6, 6)
    (folder / "ant" / "again.png").symlink_to("000.png")  # the same class
    assert sum(load(tmp_path).sizes.values()) == 12
    (folder / "bee" / "ant.png").symlink_to("../ant/002.png")
    with pytest.raises(ValueError, match=r"one class.*Received: .*ant\.png, a link to .*002\.png"):
        load(tmp_path)
    fill(folder, 1, 20)  # beside the folders: they are no classes
    assert sum(load(tmp_path).sizes.values()) == 13


def test_a_link_to_an_image_of_another_split_is_named(tmp_path):
    fill(tmp_path / "train", 8)
    fill(tmp_path / "val", 2, 20)
    (tmp_path / "test").mkdir()
    for n in (3, 4):
        (tmp_path / "test" / f"{n}.png").symlink_to(f"../train/{n:03}.png")
    with pytest.warns(
        UserWarning, match=r"2 of 2 images of test are, by links, images of train, .*png"
    ):
        data = load(tmp_path)
    assert numbers(data, "test") == [3, 4]


@pytest.mark.parametrize(
    ("link", "to", "count"),
    [("test", "train", 8), ("train", "test", 8), ("test/cat", "train/cat", 4)],
)
def test_a_folder_that_is_linked_into_two_splits_is_named(tmp_path, link, to, count):
    for number, name in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        if not name.startswith(link):
            fill(tmp_path / name, 4, 8 * number)
    (tmp_path / link).symlink_to(tmp_path / to)
    with pytest.warns(UserWarning, match=rf"{count} of 8 images of test are, by links, .*train"):
        load(tmp_path)
