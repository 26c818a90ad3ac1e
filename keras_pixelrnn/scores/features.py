"""What a network computes of every pixel on its way to the parameters."""

from keras import ops

from keras_pixelrnn.layers.causal import CompositeLayer


def names(network):
    """Paths of the layers whose output can be asked for, in the order in which they run.

    Args:
        network: causal layer.

    Returns:
        list of str, such as "blocks/block_0/lstm".
    """
    return list(_tree(network, ()))


def _tree(layer, path):
    if path and layer.weights:
        yield "/".join(path)
    for child in layer.children if isinstance(layer, CompositeLayer) else ():
        yield from _tree(child, (*path, child.name))


def resolved(layer, paths):
    """The one of `paths` that `layer` names: in full, or by its end where that is unique.

    Raises:
        ValueError: none of them, or several.
    """
    if isinstance(layer, str) and layer:
        if layer in paths:
            return layer
        found = [path for path in paths if path.endswith(f"/{layer}")]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(
                f"`layer` names several layers of this model: {', '.join(found)}. Write the whole "
                f"path. Received: layer={layer!r}"
            )
    raise ValueError(
        f"`layer` must name a layer of this model: {', '.join(paths)}; the end of a path is enough "
        f"where it is unique. Received: layer={layer!r}"
    )


def of_layer(network, x, context, path):
    """Output of the layer of that path.

    Args:
        network: causal layer.
        x: `(batch, height, width, features)`, what the network reads.
        context: what it is told, or None.
        path: one of `names(network)`.

    Returns:
        `(batch, height, width, features)` float32.
    """
    found = {}

    def run(layer, x, here):
        if isinstance(layer, CompositeLayer):
            y = layer.run(x, lambda child, x: run(child, x, (*here, child.name)))
        else:
            y = layer(x, context)
        found["/".join(here)] = y
        return y

    run(network, x, ())
    return ops.cast(found[path], "float32")
