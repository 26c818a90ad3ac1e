"""Dtype policies."""

from keras_pixelrnn.checks.numbers import shown

# The recurrence, the head and the distribution compute in float32 whatever the policy; variables too.
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def dtype_policy(dtype):
    """`dtype` as one of the policies that everything here works with; the global one for None."""
    import keras

    try:
        policy = keras.dtype_policies.get(dtype)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(_expected(dtype)) from error
    name = getattr(policy, "name", None)  # Keras hands back what it cannot make a policy of
    if name not in POLICIES:
        raise ValueError(_expected(dtype if name is None else name))
    if keras.config.floatx() != "float32":
        raise ValueError(
            "This package computes in float32. Leave `keras.config.floatx()` at that, and choose a "
            f"mixed policy by `dtype`. Received: floatx={keras.config.floatx()!r}"
        )
    return policy


def _expected(dtype):
    return (
        f"`dtype` must be one of: {', '.join(POLICIES)}. Variables, the recurrence and the "
        f"distribution are float32 under any of them. Received: dtype={shown(dtype)}"
    )
