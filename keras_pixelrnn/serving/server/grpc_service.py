"""`PredictionService` and `ModelService` over gRPC, on the stubs of `tensorflow-serving-api`."""

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_pixelrnn.serving.server.servable import INVALID_ARGUMENT, RequestError

CODES = {code.value[0]: code for code in grpc.StatusCode}


def _answered(method):
    """The method, with a `RequestError` as gRPC's status."""

    def run(self, request, context):
        try:
            return method(self, request)
        except RequestError as error:
            context.abort(CODES.get(error.code, grpc.StatusCode.UNKNOWN), str(error))

    return run


def _check_spec(servable, spec):
    version = spec.version.value if spec.HasField("version") else None
    servable.find(spec.name, version, spec.version_label)


def _fill_spec(servable, spec, signature=""):
    spec.name, spec.signature_name = servable.name, signature
    spec.version.value = servable.version


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` and `GetModelMetadata`."""

    def __init__(self, servable):
        self._servable = servable

    @_answered
    def Predict(self, request):
        _check_spec(self._servable, request.model_spec)
        signature = request.model_spec.signature_name or "serving_default"
        inputs = {name: _array(name, tensor) for name, tensor in request.inputs.items()}
        answer = self._servable.predict(signature, inputs, list(request.output_filter))
        response = predict_pb2.PredictResponse()
        _fill_spec(self._servable, response.model_spec, signature)
        for name, value in answer.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    @_answered
    def GetModelMetadata(self, request):
        _check_spec(self._servable, request.model_spec)
        if list(request.metadata_field) != ["signature_def"]:
            raise RequestError(
                INVALID_ARGUMENT,
                f"Metadata field is not supported: {list(request.metadata_field)}; "
                "ask for signature_def",
            )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_spec(self._servable, response.model_spec)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in self._servable.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(signatures)
        return response


def _array(name, tensor):
    shape = tensor.tensor_shape
    if shape.unknown_rank or any(dim.size < 0 for dim in shape.dim):
        raise RequestError(INVALID_ARGUMENT, f"input {name!r} is no tensor: its shape is not given")
    try:
        return np.asarray(tf.make_ndarray(tensor))
    except (TypeError, ValueError, LookupError, OverflowError, MemoryError) as error:
        # values beyond the dtype, a dtype of no array, one value that stands for a huge tensor
        raise RequestError(INVALID_ARGUMENT, f"input {name!r} is no tensor: {error}") from error


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers `GetModelStatus`."""

    def __init__(self, servable):
        self._servable = servable

    @_answered
    def GetModelStatus(self, request):
        _check_spec(self._servable, request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        status = response.model_version_status.add()
        status.version = self._servable.version
        status.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        return response
