"""The model that settings ask for."""

from dataclasses import fields

from keras_pixelrnn import distributions, models
from keras_pixelrnn.data.pipeline import ImageData
from keras_pixelrnn.models.base import PixelModel
from keras_pixelrnn.training.recipes import read_recipe
from keras_pixelrnn.training.settings import DISTRIBUTIONS, MODELS, Settings

SIZES = ("units", "num_blocks", "head_units", "kernel_size", "dropout", "skip")


def _refuse_unused(settings, head):
    """`ValueError` naming a setting of the model that was said, or is not as usual, and yet would do
    nothing."""
    theirs = {}
    if settings.model != "multi_scale":
        row = " For a Row LSTM say model='row'." * (settings.recurrence == "row")
        theirs |= dict.fromkeys(("recurrence", "factor"), f"is of model='multi_scale'.{row}")
    if settings.model == "gated":
        theirs["skip"] = "is of the other models, not of model='gated'."
    if head not in ("logistic", "normal"):
        theirs["num_mixtures"] = "is of distribution='logistic' or 'normal'."
    if settings.preset:
        fixed = f"is that of preset={settings.preset!r}, which names a model with its sizes."
        theirs |= dict.fromkeys((*SIZES, "model", "recurrence", "factor"), fixed)
    expected = {field.name: field.default for field in fields(Settings)}
    recipe = read_recipe(settings.recipe, settings.gpu) if settings.recipe else {}
    for name, why in theirs.items():
        value = getattr(settings, name)
        usual = (expected[name], recipe.get(name, expected[name]))
        if name in settings.said or value not in usual:
            raise ValueError(f"`{name}` {why} Leave it out. Received: {name}={value!r}")


def make_distribution(name, levels, num_mixtures, ordered=True):
    """The distribution of a name of `DISTRIBUTIONS`; of values without order each is embedded."""
    if not ordered:
        if name != "categorical":
            raise ValueError(
                "Codes have no order among them: only --distribution categorical fits, which embeds "
                f"each. Leave it out. Received: distribution={name!r}"
            )
        return distributions.Categorical(levels, embedded=True)
    if name == "bernoulli":
        return distributions.Bernoulli()
    if name == "categorical":
        return distributions.Categorical(levels)
    mixtures = {
        "logistic": distributions.DiscretizedLogisticMixture,
        "normal": distributions.DiscretizedNormalMixture,
    }
    return mixtures[name](levels, num_mixtures)


def make_model(settings: Settings, data: ImageData) -> PixelModel:
    """The `PixelModel` that `settings` ask for, fitting the images of `data`.

    Raises:
        ValueError: settings that fit no model, or not this data.
    """
    head = settings.distribution or _usual_head(data)
    for what, name, expected in [
        ("model", settings.model, MODELS),
        ("distribution", head, DISTRIBUTIONS),
    ]:
        if name not in expected:
            raise ValueError(
                f"Unknown {what}. Expected one of: {', '.join(expected)}. Received: {name!r}"
            )
    _refuse_unused(settings, head)
    given = {"image_shape": data.image_shape, "dtype": settings.dtype}
    if settings.conditional:
        if not data.num_classes:
            raise ValueError(
                f"--conditional needs data with labels; {settings.dataset} has none. Leave it out, "
                f"or choose a labelled data set. {data.source.unlabelled}".rstrip()
            )
        bare = [name for name in data.sizes if not data.has_labels(name)]
        if bare:
            raise ValueError(
                "--conditional needs labels in all splits: validation and test are scored given them. "
                f"Received: {settings.dataset} without labels in {' and '.join(bare)}"
            )
        given["num_classes"] = data.num_classes
    distribution = make_distribution(head, data.levels, settings.num_mixtures, data.ordered)
    if settings.preset:
        if settings.distribution or not data.ordered:
            given["distribution"] = distribution
        model = models.from_preset(settings.preset, load_weights=False, **given)
    else:
        model = _from_sizes(settings, distribution=distribution, **given)
    if model.distribution.levels != data.levels:
        raise ValueError(
            f"{model.distribution!r} holds {model.distribution.levels} levels, the data has "
            f"{data.levels}. Choose another --distribution or --preset, or --levels."
        )
    return model


def _usual_head(data):
    """The distribution of values where the settings name none."""
    if data.ordered and data.levels == 2:
        return "bernoulli"
    # A logit for each level of each sub-pixel: beyond 8 bits a batch of images would have gigabytes.
    return "logistic" if data.ordered and data.levels > 256 else "categorical"


def begin_with(initial_weights: str, model: PixelModel) -> models.Transfer:
    """Give `model` all weights of another that fit, and say what did not.

    Raises:
        ValueError: none of that name, or nothing of it fits.
    """
    return models.transfer(models.from_preset(initial_weights), model)


def _from_sizes(settings, **given):
    sizes = {name: getattr(settings, name) for name in SIZES}
    if settings.model == "pixelcnn":
        return models.PixelCNN(**given, **sizes)
    if settings.model == "gated":
        del sizes["skip"]
        return models.GatedPixelCNN(**given, **sizes)
    if settings.model == "multi_scale":
        sizes |= {"factor": settings.factor, "recurrence": settings.recurrence}
        return models.MultiScalePixelRNN(**given, **sizes)
    return models.PixelRNN(recurrence=settings.model, **given, **sizes)
