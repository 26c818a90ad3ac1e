"""What Keras offers for any model, and these models refuse."""

from keras_pixelrnn.layers.lstm import CausalLSTM


class Refusals:
    """Mix-in before `keras.Model`: an error at once instead of a model or file that is wrong."""

    def quantize(self, mode=None, **kwargs):
        """Not possible: a `ValueError`, always. Drawing reads the layers' weights as they are."""
        raise ValueError(
            "These models cannot be quantized; their drawing would not be that of the likelihood any "
            "more. For less memory choose dtype='mixed_bfloat16'. "
            f"Received: mode={mode!r}"
        )

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """As `keras.Model.save`, in the `.keras` format.

        `keras.saving.save_model` does not come by here, and writes a legacy file.

        Raises:
            ValueError: the legacy format of `.h5` and `.hdf5`, which leaves out the random state of
                dropout.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "The legacy format leaves out the random state of dropout, and what two networks of one "
                "model call alike. Name a file that ends in .keras, or keep the weights alone by "
                f"`save_weights`. Received: filepath={str(filepath)!r}"
            )
        return super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """As `keras.Model.export`: the forward pass alone, from images to parameters.

        For drawing, completion and likelihood as signatures use `keras_pixelrnn.serving.export`.

        Raises:
            ValueError: `format="litert"` of a model with LSTM layers; those without work.
        """
        if format == "litert" and any(isinstance(x, CausalLSTM) for x in self._flatten_layers()):
            raise ValueError(
                "A model with LSTM layers cannot be exported for LiteRT: its converter writes a file "
                "whose loop crashes the interpreter. Export a SavedModel, by format='tf_saved_model' "
                "or keras_pixelrnn.serving.export.save_for_serving, or use a PixelCNN or a "
                f"GatedPixelCNN. Received: format={format!r}"
            )
        return super().export(filepath, format=format, **kwargs)
