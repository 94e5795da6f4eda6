"""Features of a film: the channels of a layer within a member, averaged over parts of the film."""

from typing import TYPE_CHECKING

from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras


def with_features(network: "keras.Model", layer: str, cells: int) -> "keras.Model":
    """Build the same network with a second output: features, (n, cells x cells x channels).

    It shares the weights, and one pass computes both. The features are float32 whatever the
    network computes in. Raises Misconfigured if the layer is missing, or if its output is no
    square map of at least so many cells.
    """
    from keras import Model, layers

    if layer not in {each.name for each in network.layers}:
        raise Misconfigured(f"{network.name} has no layer {layer}.")
    output = network.get_layer(layer).output
    side = output.shape[1]
    if len(output.shape) != 4 or output.shape[2] != side or side < cells:
        raise Misconfigured(f"Layer {layer} of {network.name} has no {cells} x {cells} cells.")
    stride = side // cells
    size = side - stride * (cells - 1)
    pooled = layers.AveragePooling2D(size, stride, dtype="float32", name="cells")(output)
    features = layers.Flatten(dtype="float32", name="features")(pooled)
    return Model(network.inputs, [network.outputs[0], features], name=network.name)
