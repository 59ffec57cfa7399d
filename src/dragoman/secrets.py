"""Secrets at rest and in passing: encryption, key digests, signed tokens, masks.

Everything hangs on one 32-byte *secret key*. It is `DRAGOMAN_SECRET_KEY` (32 bytes in base64, or
a passphrase of at least 16 characters, stretched by scrypt), else the file `secret.key` of the
data directory, made on the first start. From it come, by HMAC-SHA256 over a label, one key for
each purpose and a fingerprint that may be shown.

    sealed text    version (1 byte, 0x01) | key fingerprint (4) | nonce (12) | AES-256-GCM text, tag
    signed token   base64url( expiry, Unix seconds (8 bytes) | random (12) | HMAC-SHA256 (32) )

The passphrase's salt is fixed: every replica must arrive at the same key with nothing shared but
the passphrase. Its length is what protects it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dragoman.errors import ConfigError, StoreError
from dragoman.paths import PRIVATE_FILE, DataDirectory

MINIMUM_PASSPHRASE = 16
KEY_PREFIX = "sk-dragoman-"
HIDDEN = "…"

_KEY_BYTES = 32
_VERSION = b"\x01"
_FINGERPRINT_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _FINGERPRINT_BYTES + _NONCE_BYTES
_EXPIRY_BYTES = 8
_CLAIM_BYTES = _EXPIRY_BYTES + _NONCE_BYTES
_MAC_BYTES = 32
_SALT = b"dragoman secret key, version 1"


class SecretBox:
    """Encrypts, digests and signs with one secret key.

    `origin` says in error messages where the key comes from; `clock` gives Unix seconds.
    """

    __slots__ = ("_cipher", "_clock", "_digest_key", "_fingerprint", "_token_key", "origin")

    def __init__(
        self, secret_key: bytes, origin: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        def derive(label: bytes) -> bytes:
            return hmac.digest(secret_key, label, "sha256")

        self.origin = origin
        self._clock = clock
        self._cipher = AESGCM(derive(b"encrypt"))
        self._digest_key = derive(b"digest")
        self._token_key = derive(b"token")
        self._fingerprint = derive(b"fingerprint")[:_FINGERPRINT_BYTES]

    @classmethod
    def open(cls, directory: DataDirectory, configured: str | None = None) -> SecretBox:
        """The box for `configured` (the value of `DRAGOMAN_SECRET_KEY`), else for the key file.

        The key file is created when it is missing. Raises `ConfigError` for a key that is too
        short or a file that holds none.
        """
        if configured:
            return cls(_read_configured(configured), "DRAGOMAN_SECRET_KEY")
        return cls(_read_or_create(directory.secret_key), str(directory.secret_key))

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell secret keys apart and reveal nothing else."""
        return self._fingerprint.hex()

    def encrypt(self, text: str) -> bytes:
        """`text`, sealed; two calls never give the same bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        header = _VERSION + self._fingerprint + nonce
        return header + self._cipher.encrypt(nonce, text.encode(), header)

    def decrypt(self, sealed: bytes) -> str:
        """The text of `encrypt`. Raises `StoreError` for another key's or damaged bytes."""
        header = sealed[:_HEADER_BYTES]
        if len(header) < _HEADER_BYTES or not header.startswith(_VERSION):
            raise StoreError(_DAMAGED)
        fingerprint = header[len(_VERSION) : -_NONCE_BYTES]
        if fingerprint != self._fingerprint:
            raise self.wrong_key(fingerprint.hex())
        try:
            text = self._cipher.decrypt(header[-_NONCE_BYTES:], sealed[_HEADER_BYTES:], header)
        except InvalidTag:
            raise StoreError(_DAMAGED) from None
        return text.decode()

    def wrong_key(self, expected: str) -> StoreError:
        """The error for data that belongs to the secret key with the fingerprint `expected`."""
        return StoreError(
            f"The stored secrets belong to the secret key {expected}, but {self.origin} holds the"
            f" key {self.fingerprint}. Put the former key back (DRAGOMAN_SECRET_KEY, or the"
            " secret.key file of a backup); without it the database's secrets are lost, and the"
            " gateway can only start with an empty database."
        )

    def digest(self, gateway_key: str) -> bytes:
        """What is stored and looked up instead of a gateway key.

        Keyed, so that a stolen database alone does not allow guessing at a weak pinned key.
        """
        # Credentials come from headers and may hold anything, lone surrogates included.
        return hmac.digest(self._digest_key, gateway_key.encode("utf-8", "surrogatepass"), "sha256")

    def mint(self, purpose: str, ttl_s: float) -> str:
        """A token that `verify` takes for the same purpose during the next `ttl_s` seconds."""
        expiry = int(self._clock() + ttl_s).to_bytes(_EXPIRY_BYTES, "big")
        claim = expiry + os.urandom(_NONCE_BYTES)
        return _encode(claim + self._sign(purpose, claim))

    def verify(self, token: str, purpose: str) -> bool:
        """Whether `token` was minted for `purpose` with this key and has not expired."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return False
        # Base64 has several spellings of the same bytes. Only one may pass, or a token that was
        # struck off after its single use would come back in another spelling.
        if _encode(data) != token or len(data) != _CLAIM_BYTES + _MAC_BYTES:
            return False
        claim, signature = data[:_CLAIM_BYTES], data[_CLAIM_BYTES:]
        if not hmac.compare_digest(signature, self._sign(purpose, claim)):
            return False
        return self._clock() < int.from_bytes(claim[:_EXPIRY_BYTES], "big")

    def _sign(self, purpose: str, claim: bytes) -> bytes:
        return hmac.digest(self._token_key, claim + purpose.encode(), "sha256")


_DAMAGED = (
    "A stored secret is damaged and cannot be decrypted. Restore the database from a backup, or"
    " enter the secret again."
)


def mask(secret: str) -> str:
    """A form of `secret` that may be shown: enough to recognise it, too little to use it.

    The public prefix of gateway keys does not count as secret. Of what remains at most the first
    and the last four characters are shown, and nothing at all when it is shorter than 24.

    >>> mask("sk-dragoman-" + "a" * 43)
    'sk-dragoman-aa…aaaa'
    """
    if secret.startswith(KEY_PREFIX):
        prefix, body, head = KEY_PREFIX, secret[len(KEY_PREFIX) :], 2
    else:
        prefix, body, head = "", secret, 4
    if len(body) < 24:
        return prefix + HIDDEN
    return f"{prefix}{body[:head]}{HIDDEN}{body[-4:]}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read_configured(value: str) -> bytes:
    key = _decode_key(value)
    if key is not None:
        return key
    if len(value) < MINIMUM_PASSPHRASE:
        raise ConfigError(
            f"DRAGOMAN_SECRET_KEY has {len(value)} characters; it needs at least"
            f" {MINIMUM_PASSPHRASE}, or 32 bytes in base64 (`openssl rand -base64 32`)."
        )
    return hashlib.scrypt(value.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=_KEY_BYTES)


def _read_or_create(file: Path) -> bytes:
    try:
        if not file.exists():
            _create_key_file(file)
        text = file.read_text("ascii", "replace")
    except OSError as error:
        raise ConfigError(
            f"The secret key file {file} cannot be read or made: {error.strerror}. Correct its"
            " owner and mode, or set DRAGOMAN_SECRET_KEY."
        ) from error
    key = _decode_key(text.strip())
    if key is None:
        raise ConfigError(
            f"{file} does not hold a secret key (32 bytes in base64). Restore it from a backup;"
            " if no secrets are stored yet, delete it and a new one is made."
        )
    return key


def _create_key_file(file: Path) -> None:
    # Written under a name of its own and then linked: of two processes that start at once one
    # wins, and neither ever sees a file that is there but not yet written.
    draft = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _decode_key(text: str) -> bytes | None:
    """32 bytes from standard or URL-safe base64, with or without padding; else None."""
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None
