"""The image files of a folder: which there are, which split and which class each belongs to."""

import itertools
import os
import re
import warnings
from pathlib import Path
from typing import NamedTuple

from keras_pixelrnn.data.arrays import ALIASES
from keras_pixelrnn.data.split import SPLITS
from keras_pixelrnn.formats import FORMATS, SUFFIXES, UNREAD

# In lower case: folders of desktops, of their waste and of network storage; files of desktops.
SYSTEM = {"__macosx", "@eadir", "system volume information", "lost+found", "__pycache__"}
SYSTEM |= {"$recycle.bin", "recycler", "#recycle", "@recycle", "network trash folder"}
SYSTEM |= {"#snapshot", "@recently-snapshot", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
PICTURES = {"images", "image", "imgs", "img", "pictures", "photos", "original", "originals"}
MARKS = {"masks", "mask", "labels", "label", "annotations", "segmentations", "segmentation", "gt"}


class Listing(NamedTuple):
    """Files of a folder.

    Attributes:
        files: paths, str, sorted within each split.
        splits: for each split of the folder's own its range in `files`; empty where it has none.
        classes: name of the class folder of each file, None where it has none; None without classes.
    """

    files: list
    splits: dict
    classes: list | None


def listing(root):
    """The `Listing` of a folder; `ValueError` where it is not clear what belongs to what.

    Folders named train, val (or valid, validation) and test are splits. Where every image of every
    split lies in a subfolder, and there are at least two, the subfolders are classes; validation and
    test may have none.
    Hidden and system files and folders are left out. Within a split a folder reached twice counts once,
    and so does an image that symbolic links beside it lead to; links to elsewhere count each.
    """
    root = Path(root)
    below, loose = _children(root)
    named = {}
    for folder in below:
        name = folder.name.lower()
        split = ALIASES.get(name, name)
        if split not in SPLITS:
            continue
        if split in named:
            raise ValueError(
                f"Two folders for one split. Keep one. Received: {named[split]} and {folder}"
            )
        named[split] = folder
    if not named:
        _refuse_nearly(root, below)
        found = _found(root)
        _refuse_two_classes(root, found)
        classes = _classes([(root, found.files)])
        _refuse_masks(root, classes)
        _warn_of_empty(root, classes)
        return Listing(found.files, {}, classes)
    others = [folder for folder in below if folder not in named.values() and _files(folder)]
    if "train" not in named or others or loose:
        raise ValueError(
            f"A folder with splits holds train, and with it validation and test, and no other "
            f"images: they would be left out, or mixed into a split. Received: {root} with "
            f"{', '.join(sorted(path.name for path in [*named.values(), *others, *loose[:3]]))}"
        )
    splits, files, parts = {}, [], []
    found = {split: _found(named[split]) for split in SPLITS if split in named}
    _warn_of_links(found)
    for split, one in found.items():
        _refuse_two_classes(named[split], one)
        splits[split] = range(len(files), len(files) + len(one.files))
        files += one.files
        parts.append((named[split], one.files))
    classes = _classes(parts)
    _refuse_masks(root, classes)
    _warn_of_empty(named["train"], classes)
    return Listing(files, splits, classes)


def _children(folder):
    """Subfolders and image files that lie directly in a folder, sorted."""
    entries = sorted(path for path in folder.iterdir() if counts(path.name))
    folders = [path for path in entries if path.is_dir()]
    return folders, [path for path in entries if _is_image(path.name) and path.is_file()]


class _Found(NamedTuple):
    """Image files below a folder.

    Attributes:
        files: paths of those that count, sorted.
        real: those of them that are no symbolic links: by resolved path their own.
        links: paths of the others.
        again: by path of each link that is left out the image it leads to.
    """

    files: list
    real: dict
    links: list
    again: dict


def _files(root):
    return _found(root).files


def _found(root):
    """The `_Found` of a folder, each folder and file once whatever links beside it lead there."""
    real, links, again, seen = {}, [], {}, set()
    unread = []
    for path, folders, names in os.walk(root, followlinks=True, onerror=_refuse):
        place = os.stat(path)
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders[:] = sorted(folder for folder in folders if counts(folder))
        _refuse_splits(path, folders)
        with os.scandir(path) as entries:
            linked = {entry.name for entry in entries if entry.is_symlink()}
        images = {name for name in names if counts(name) and _is_image(name)}
        links += [os.path.join(path, name) for name in images & linked]
        resolved = os.path.realpath(path)
        for name in images - linked:
            real[os.path.join(resolved, name)] = os.path.join(path, name)
        unread += [name for name in names if os.path.splitext(name)[1].lower() in UNREAD]
    if unread:
        warnings.warn(
            f"{len(unread)} files are left out, {unread[0]} for one: only {FORMATS} are read.",
            stacklevel=2,
        )
    if real:  # links alone, into a store elsewhere, need no look at it
        again = {link: real.get(os.path.realpath(link)) for link in links}
        again = {link: image for link, image in again.items() if image}
        links = [link for link in links if link not in again]
    return _Found(sorted([*real.values(), *links]), real, links, again)


def _refuse_two_classes(root, found):
    """`ValueError` for an image that a link puts into a second class."""
    if not found.again or _classes([(root, [*found.files, *found.again])]) is None:
        return
    for link, image in found.again.items():
        if _class(root, link) != _class(root, image):
            raise ValueError(
                "An image has one class: its own folder's, and not also that of a link to it. Remove "
                "one of them, or keep the files that links lead to outside this folder. "
                f"Received: {link}, a link to {image}"
            )


def _warn_of_links(found):
    """Say which images of a split are those of another, by links to them or to a folder of them."""
    for split, other in itertools.permutations(found, 2):
        real = found[other].real
        shared = [link for link in found[split].links if real and os.path.realpath(link) in real]
        if SPLITS.index(other) < SPLITS.index(split):  # the same files, told once
            own = found[split].real
            shared += [own[place] for place in sorted(own.keys() & real.keys())]
        if shared:
            warnings.warn(
                f"{len(shared)} of {len(found[split].files)} images of {split} are, by links, images of "
                f"{other}, {shared[0]} for one: no split says how a model does on images of another.",
                stacklevel=2,
            )


def _refuse(error):
    """A folder that cannot be looked into must not go missing."""
    raise ValueError(f"Cannot read a folder of images. Received: {error}") from error


def _refuse_splits(path, folders):
    """`ValueError` for splits that lie deeper than where they are looked for: they would be pooled."""
    names = [folder.lower() for folder in folders]
    splits = {ALIASES.get(name, name) for name in names} & set(SPLITS)
    if len(splits) > 1:
        raise ValueError(
            "Folders of splits lie right in the folder that is loaded, classes within them "
            f"(train/cat, test/cat). Load the folder that holds them, or move them. Received: {path} "
            f"with {', '.join(sorted(folders))}"
        )


def _refuse_nearly(root, folders):
    """`ValueError` for folders such as train_images and test_images, which would become classes."""
    found = {}
    for folder in folders:
        for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", folder.name):  # of trainA or TrainSet, too
            word = re.sub("^[xy]|(set|data|images?|imgs?)$", "", word.lower())
            if ALIASES.get(word, word) in SPLITS and _files(folder):
                found[ALIASES.get(word, word)] = folder.name
    if "train" in found and len(found) > 1:
        raise ValueError(
            "Folders of splits are called train, val and test; others would be classes, and pooled. "
            f"Rename them. Received: {root} with {', '.join(sorted(found.values()))}"
        )


def _refuse_masks(root, classes):
    """`ValueError` for folders of pictures and of what is marked in them, which would become classes."""
    names = {name for name in classes or () if name is not None}
    marks = {name for name in names if _words(name) & MARKS}
    if marks and names != marks and all(_words(name) & PICTURES for name in names - marks):
        raise ValueError(
            "These folders look like pictures and what is marked in them, not like two classes. "
            "Load the folder of one of them. "
            f"Received: {root} with {', '.join(sorted({*classes} - {None}))}"
        )


def _words(name):
    """Words of a name such as imagesTr or label_images."""
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}


def _warn_of_empty(root, classes):
    """Say which folders beside those of classes hold no images: they become none."""
    others = [folder for folder in _children(root)[0] if folder.name not in (classes or ())]
    if empty := [folder.name for folder in others if classes and not _files(folder)]:
        warnings.warn(
            f"No class is made of {', '.join(empty[:5])}: there are no images in it. The classes of "
            f"{root} are {', '.join(sorted({*classes} - {None})[:10])}.",
            stacklevel=2,
        )


def counts(name):
    """Whether a file or folder of that name is neither hidden nor of a system."""
    return not name.startswith(".") and name.lower() not in SYSTEM


def _is_image(name):
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _classes(parts):
    """Class of every file of `[(folder, its files)]`, None in a split without subfolders; or None."""
    classes = []
    for folder, files in parts:
        found = [_class(folder, file) for file in files]
        if None in found and (any(found) or not classes):
            return None  # images beside the subfolders: those are no classes
        classes += found
    return classes if len(set(classes) - {None}) > 1 else None


def _class(folder, file):
    """Name of the subfolder that a file of a folder lies in; None of one right in the folder."""
    inner = os.path.relpath(file, folder).split(os.sep)
    return inner[0] if len(inner) > 1 else None
