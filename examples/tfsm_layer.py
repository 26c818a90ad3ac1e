"""Use an export as a Keras layer: `python tfsm_layer.py ../saved_models/digits/1`."""

import argparse

import keras
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", help="version of an export, such as ../saved_models/digits/1")
folder = parser.parse_args().folder
sample = keras.layers.TFSMLayer(folder, call_endpoint="sample")
images = sample(tf.constant([1, 2, 3], tf.int64))["image"]
score = keras.layers.TFSMLayer(folder, call_endpoint="log_prob")
print(images.shape, score(images)["log_prob"].numpy())
