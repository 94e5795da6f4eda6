"""The key that signs webhooks, from the secret of a site."""

import base64
import binascii
from typing import Final

#: Before base64 in secrets of Standard Webhooks.
PREFIX: Final = "whsec_"
#: Fewer bytes are too easily guessed.
LEAST_BYTES: Final = 16


def signing_key(secret: str) -> bytes:
    """Give the key of a secret: the bytes that follow `whsec_` in base64, else the text in UTF-8.

    Raises ValueError for what is no base64 and for a key that is too short. Its message does not
    show the secret.
    """
    if not secret.startswith(PREFIX):
        key = secret.encode()
    else:
        coded = secret.removeprefix(PREFIX).rstrip("=")
        try:
            key = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"what follows {PREFIX} is no base64") from error
    if len(key) < LEAST_BYTES:
        raise ValueError(f"the key is shorter than {LEAST_BYTES} bytes")
    return key
