"""Does a conditional model draw what it is told, and does the right label make an image more likely?

    python -m benchmarks.conditional digits_conditional

A small convolutional classifier is trained on the training split. It reads the model's samples for each
label; and every test image is scored under every label.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_pixelrnn as kp


def split(data, name):
    """Images and labels of a whole split."""
    batches = data.evaluation(name, 256, labels=True).as_numpy_iterator()
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def classifier(data, epochs=40):
    """A classifier of scaled images, trained on the training split."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(data.image_shape),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(data.num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    images, labels = split(data, "train")
    model.fit(images / (data.levels - 1), labels, batch_size=32, epochs=epochs, verbose=0)
    return model


def measure(name, samples=100):
    """`{figure: value}` of a conditional model by name."""
    settings = kp.presets.facts(name)["training"]["settings"]
    data = kp.data.load(settings["dataset"], levels=settings["levels"])
    model = kp.models.from_preset(name)
    reader = classifier(data)

    def read(images):
        return reader.predict(images / (data.levels - 1), verbose=0).argmax(-1)

    images, labels = split(data, "test")
    told = np.arange(samples * data.num_classes) % data.num_classes
    drawn = model.sample(len(told), seed=1, context=told)
    nats = np.stack(
        [model.log_prob(images, context=label) for label in range(data.num_classes)], axis=-1
    )
    right = nats[np.arange(len(labels)), labels]
    wrong = nats[np.arange(data.num_classes) != labels[:, None]].reshape(len(labels), -1)
    return {
        "classifier on test images": float((read(images) == labels).mean()),
        "samples read as their label": float((read(drawn) == told).mean()),
        "least of any label": min(
            float((read(drawn[told == label]) == label).mean()) for label in range(data.num_classes)
        ),
        "right label beats a wrong one": float((right[:, None] > wrong).mean()),
        "right label beats all": float((right > wrong.max(-1)).mean()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    fit = [name for name in kp.presets.names() if kp.presets.facts(name).get("num_classes")]
    parser.add_argument("name", metavar="NAME", choices=fit, help=f"one of: {', '.join(fit)}")
    for name, value in measure(parser.parse_args().name).items():
        print(f"{name}: {100 * value:.1f}%")


if __name__ == "__main__":
    main()
