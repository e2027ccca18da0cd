"""Sealing: authenticated encryption with algorithm and key id in every ciphertext, bound to its row; blind indexes.

A sealed text opens only with the (table, column, row) it was sealed for: swapping two ciphertexts in SQL is found out.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_AES, _SM4 = 1, 2
_NONCE = 12
# HMAC's block for SHA-256, and every byte with its inner and its outer padding.
_BLOCK = hashlib.sha256().block_size
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))

Binding = tuple[str, str, int | str]


class CipherError(ValueError):
    """The bytes were tampered with, belong to another row, or their key is not on the ring."""


@dataclass(frozen=True)
class Keyring:
    """The keys of the house: the first seals, all open; one more makes the blind indexes."""

    keys: dict[str, bytes]
    current: str
    blind_key: bytes
    algorithm: int = _AES
    _aes: dict[str, AESGCM] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_text(cls, field_keys: str, blind_key: str) -> "Keyring":
        """From "id:base64url,id2:…" (32 bytes each, the first one current) and one base64url key of 32 bytes."""
        keys: dict[str, bytes] = {}
        for part in field_keys.split(","):
            name, _, text = part.strip().partition(":")
            if not name.isascii() or not 1 <= len(name) <= 20 or name in keys:
                raise CipherError("FIELD_KEYS: each key needs an id of its own of 1 to 20 characters")
            keys[name] = _decode(text, f"FIELD_KEYS ({name})")
        return cls(keys, next(iter(keys)), _decode(blind_key, "BLIND_INDEX_KEY"))

    def seal(self, plain: str | bytes, *, bound_to: Binding) -> bytes:
        """Ciphertext: version, algorithm, key id, nonce, sealed bytes with tag."""
        raw = plain.encode() if isinstance(plain, str) else plain
        head = self._head
        nonce, data = os.urandom(_NONCE), head + _associated(bound_to)
        if self.algorithm == _AES:
            return head + nonce + self._gcm(self.current).encrypt(nonce, raw, data)
        encryptor = Cipher(algorithms.SM4(self.keys[self.current][:16]), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(data)
        return head + nonce + encryptor.update(raw) + encryptor.finalize() + encryptor.tag

    def seal_many(self, column: tuple[str, str]) -> Callable[[str, int | str], bytes]:
        """`seal` for those who seal many of one (table, column): the function takes text and row. What is the same for all is made
        once; the nonces are drawn a thousand at a time."""
        if self.algorithm != _AES:
            return lambda plain, row: self.seal(plain, bound_to=(*column, row))
        head, encrypt, draw = self._head, self._gcm(self.current).encrypt, _nonces().__next__
        begun = head + "\x00".join(column).encode() + b"\x00"

        def seal(plain: str, row: int | str) -> bytes:
            nonce = draw()
            return head + nonce + encrypt(nonce, plain.encode(), begun + str(row).encode())

        return seal

    @cached_property
    def _head(self) -> bytes:
        """Version, algorithm and key id: what every ciphertext of the current key begins with."""
        return bytes((1, self.algorithm, len(self.current))) + self.current.encode()

    def open(self, sealed: bytes | memoryview, *, bound_to: Binding) -> bytes:
        """The plain bytes; CipherError when anything is not as it was sealed."""
        raw = bytes(sealed)
        key_id = self.key_id_of(raw)
        end = 3 + len(key_id)
        head, nonce, body = raw[:end], raw[end : end + _NONCE], raw[end + _NONCE :]
        data = head + _associated(bound_to)
        try:
            if raw[1] == _AES:
                return self._gcm(key_id).decrypt(nonce, body, data)
            tag = body[-16:]
            decryptor = Cipher(algorithms.SM4(self.keys[key_id][:16]), modes.GCM(nonce, tag)).decryptor()
            decryptor.authenticate_additional_data(data)
            return decryptor.update(body[:-16]) + decryptor.finalize()
        except (InvalidTag, ValueError) as error:
            raise CipherError("the sealed bytes do not belong here or were changed") from error

    def open_text(self, sealed: bytes | memoryview, *, bound_to: Binding) -> str:
        """The plain text."""
        return self.open(sealed, bound_to=bound_to).decode()

    def open_many(self, column: tuple[str, str]) -> Callable[[bytes | memoryview, int | str], str]:
        """`open_text` for those who open many of one (table, column): the function takes sealed bytes and row. What is not sealed by
        the current key goes the common way."""
        head, begun = self._head, len(self._head) + _NONCE
        associated, decrypt = head + "\x00".join(column).encode() + b"\x00", self._gcm(self.current).decrypt

        def open_(sealed: bytes | memoryview, row: int | str) -> str:
            raw = bytes(sealed)
            if self.algorithm != _AES or not raw.startswith(head):
                return self.open_text(raw, bound_to=(*column, row))
            try:
                return decrypt(raw[len(head) : begun], raw[begun:], associated + str(row).encode()).decode()
            except (InvalidTag, ValueError) as error:
                raise CipherError("the sealed bytes do not belong here or were changed") from error

        return open_

    def key_id_of(self, sealed: bytes | memoryview) -> str:
        """Which key sealed this; CipherError when that key is not on the ring."""
        raw = bytes(sealed[:64])
        if len(raw) < 4 or raw[0] != 1 or raw[1] not in (_AES, _SM4):
            raise CipherError("these are no sealed bytes")
        key_id = raw[3 : 3 + raw[2]].decode("ascii", "replace")
        if key_id not in self.keys:
            raise CipherError(f"the key {key_id!r} is not on the ring")
        return key_id

    def blind(self, kind: str, normalised: str) -> bytes:
        """A keyed hash for equality search; the same number of another kind gives another hash."""
        return hmac.digest(self.blind_key, f"{kind}\x00{normalised}".encode(), "sha256")

    def blind_many(self, kind: str) -> Callable[[str], bytes]:
        """`blind` for those who hash many of one kind: the same HMAC (RFC 2104) with both of its keyed beginnings made once."""
        key = self.blind_key.ljust(_BLOCK, b"\x00")
        begun = hashlib.sha256(key.translate(_INNER) + f"{kind}\x00".encode()).copy
        around = hashlib.sha256(key.translate(_OUTER)).copy

        def blind(normalised: str) -> bytes:
            inner, outer = begun(), around()
            inner.update(normalised.encode())
            outer.update(inner.digest())
            return outer.digest()

        return blind

    def _gcm(self, key_id: str) -> AESGCM:
        if key_id not in self._aes:
            self._aes[key_id] = AESGCM(self.keys[key_id])
        return self._aes[key_id]


def _nonces() -> Iterator[bytes]:
    while True:
        drawn = os.urandom(_NONCE * 1000)
        yield from (drawn[i : i + _NONCE] for i in range(0, len(drawn), _NONCE))


def _associated(bound_to: Binding) -> bytes:
    return "\x00".join(map(str, bound_to)).encode()


def _decode(text: str, name: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise CipherError(f"{name} is not base64") from error
    if len(key) != 32:
        raise CipherError(f"{name} must be 32 bytes, it is {len(key)}")
    return key
