"""Google's own implementation of the sealed format, under a key that the test chooses."""

import io

from tink import proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, tink_pb2

streaming_aead.register()
_TEMPLATE = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB


def _primitive(data_key: bytes) -> streaming_aead.StreamingAead:
    """The published template AES256_GCM_HKDF_1MB with `data_key` as its key material."""
    template = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKeyFormat.FromString(_TEMPLATE.value)
    assert template.key_size == len(data_key)
    key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, key_value=data_key, params=template.params)
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=_TEMPLATE.output_prefix_type)
    entry.key_data.type_url = _TEMPLATE.type_url
    entry.key_data.value = key.SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


class _Kept(io.BytesIO):
    """A destination whose content survives Tink's closing it."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def seal(data_key: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    destination = _Kept()
    with _primitive(data_key).new_encrypting_stream(destination, associated_data) as stream:
        stream.write(plaintext)
    return destination.content


def open_sealed(data_key: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    with _primitive(data_key).new_decrypting_stream(io.BytesIO(sealed), associated_data) as stream:
        return stream.read()
