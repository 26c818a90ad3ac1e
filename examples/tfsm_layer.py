"""Use an export as a Keras layer: `python tfsm_layer.py ../saved_models/digits/1`."""

import sys

import keras
import tensorflow as tf

sample = keras.layers.TFSMLayer(sys.argv[1], call_endpoint="sample")
images = sample(tf.constant([1, 2, 3], tf.int64))["image"]
score = keras.layers.TFSMLayer(sys.argv[1], call_endpoint="log_prob")
print(images.shape, score(images)["log_prob"].numpy())
