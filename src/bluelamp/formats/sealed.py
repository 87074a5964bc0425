"""Sealed objects: Tink's streaming AEAD `AES256_GCM_HKDF_1MB`, written incrementally and read at random.

    object   = header || segment 0 || segment 1 || ... || last segment
    header   = 28 (hex; its own length, 40) || salt (32 bytes) || nonce prefix (7 bytes)
    key      = HKDF-SHA256(ikm = data key, salt = salt, info = associated data), 32 bytes
    segment  = AES-256-GCM(key, nonce, plaintext, no associated data), its 16-byte tag at the end
    nonce    = nonce prefix || segment number (4 bytes, big-endian) || 01 if last, else 00

Every segment but the last fills 1 MiB of the object; the first one's MiB includes the header. An empty
plaintext is one last segment of nothing but its tag.
Source: developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming; see docs/protocols/sealed-object.md.
"""

import secrets
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluelamp.formats.errors import FormatError

SEGMENT = 1024 * 1024
KEY_SIZE = 32
TAG_SIZE = 16
SALT_SIZE = 32
PREFIX_SIZE = 7
HEADER_SIZE = 1 + SALT_SIZE + PREFIX_SIZE
MAX_SEGMENTS = 2**32

FULL = SEGMENT - TAG_SIZE
"""Plaintext bytes of a full segment."""
FIRST_FULL = FULL - HEADER_SIZE
"""Plaintext bytes of a full first segment, which shares its MiB with the header."""

BytesLike = bytes | bytearray | memoryview


class SealBroken(FormatError):
    """A sealed object is not what was written under this key and name: `what` is wrong, and `where`."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} ({where})")
        self.what = what
        self.where = where


def capacity(segment: int) -> int:
    """Plaintext bytes that fit into segment number `segment` (0 for the first)."""
    return FULL if segment else FIRST_FULL


def plaintext_start(segment: int) -> int:
    """Offset in the plaintext at which a segment begins."""
    return segment * FULL - HEADER_SIZE if segment else 0


def segment_of(offset: int) -> int:
    """The segment that holds the plaintext byte at `offset`."""
    return (offset + HEADER_SIZE) // FULL


def sealed_size(plaintext: int) -> int:
    """Bytes of the object that seals `plaintext` bytes."""
    segments = segment_of(plaintext - 1) + 1 if plaintext else 1
    return HEADER_SIZE + plaintext + segments * TAG_SIZE


def segment_count(sealed: int) -> int:
    """Number of segments in an object of `sealed` bytes. Raises SealBroken for a size that no object has."""
    count = max(1, -(-sealed // SEGMENT))
    last = sealed - (count - 1) * SEGMENT
    least = HEADER_SIZE + TAG_SIZE if count == 1 else TAG_SIZE + 1
    if last < least or count > MAX_SEGMENTS:
        raise SealBroken(f"No sealed object has {sealed} bytes: it was cut off or added to", "size")
    return count


def plaintext_size(sealed: int) -> int:
    """Plaintext bytes in an object of `sealed` bytes. Raises SealBroken for a size that no object has.

    A size is not authenticated until the last segment has been opened as the last.
    """
    return sealed - HEADER_SIZE - segment_count(sealed) * TAG_SIZE


def segment_place(segment: int, sealed: int) -> tuple[int, int]:
    """(offset, length) of a segment's ciphertext in an object of `sealed` bytes (the header left out)."""
    begin = segment * SEGMENT if segment else HEADER_SIZE
    return begin, min((segment + 1) * SEGMENT, sealed) - begin


def segments_for_range(start: int, length: int, sealed: int) -> range:
    """The segments that hold plaintext bytes `start` to `start + length`, cut off at the plaintext's end."""
    end = min(start + length, plaintext_size(sealed))
    if start < 0 or end <= start:
        return range(0)
    return range(segment_of(start), segment_of(end - 1) + 1)


class SealingWriter:
    """Seals a plaintext that arrives in pieces of any size.

    Write `header` first, then each segment as it becomes ready, then what `finish` returns. A full segment is
    held back until more bytes, or the end, decide whether it is the last: no nonce is ever used for two
    plaintexts. For that same reason a state (`header`, `segment`, `tail`) may be resumed only if nothing was
    sealed after it was taken; after a crash that leaves doubt, seal again with a new writer.
    """

    def __init__(
        self,
        data_key: bytes,
        associated_data: bytes = b"",
        *,
        salt: bytes | None = None,
        prefix: bytes | None = None,
    ) -> None:
        """Random `salt` (32 bytes) and `prefix` (7 bytes) unless given, which only tests should do."""
        salt = secrets.token_bytes(SALT_SIZE) if salt is None else salt
        prefix = secrets.token_bytes(PREFIX_SIZE) if prefix is None else prefix
        self._begin(data_key, associated_data, bytes((HEADER_SIZE,)) + salt + prefix)

    @classmethod
    def resume(
        cls, data_key: bytes, header: bytes, segment: int, tail: BytesLike, associated_data: bytes = b""
    ) -> "SealingWriter":
        """A writer that goes on at `segment`, with the held-back plaintext `tail` of that segment.

        Raises ValueError when the tail does not fit into the segment, SealBroken for a malformed header.
        """
        if len(tail) > capacity(segment):
            raise ValueError(f"The tail of segment {segment} is longer than the segment.")
        writer = cls.__new__(cls)
        writer._begin(data_key, associated_data, bytes(header))
        writer.segment = segment
        writer._held[: len(tail)] = tail
        writer._filled = len(tail)
        writer.size = plaintext_start(segment) + len(tail)
        return writer

    def _begin(self, data_key: bytes, associated_data: bytes, header: bytes) -> None:
        self._cipher = _segment_cipher(data_key, header, associated_data)
        self._prefix = header[-PREFIX_SIZE:]
        self.header = header
        self.segment = 0  # number of the segment that is being filled
        self.size = 0  # plaintext bytes taken in, those before a resumption included
        self.total: int | None = None  # where set: all plaintext bytes that there will be; nothing less is finished
        self._held = bytearray(FULL)
        self._filled = 0
        self._closed = False

    @property
    def tail(self) -> bytes:
        """A copy of the plaintext held back for the segment that is being filled. Secret."""
        return bytes(memoryview(self._held)[: self._filled])

    @property
    def tail_length(self) -> int:
        """Length of `tail` in bytes."""
        return self._filled

    @property
    def room(self) -> int:
        """Bytes until the segment that is being filled is full; a whole segment where it is full already."""
        return capacity(self.segment) - self._filled or FULL

    def update(self, data: BytesLike) -> list[bytearray]:
        """Take in plaintext; the ciphertext segments that became ready, in order (often none)."""
        ready: list[bytearray] = []
        for plain in self._full_segments(data):
            sealed = bytearray(len(plain) + TAG_SIZE)
            self._seal(plain, sealed, last=False)
            ready.append(sealed)
        return ready

    def update_into(
        self, data: BytesLike, write: Callable[[memoryview], object], buffer: bytearray | Callable[[], memoryview]
    ) -> None:
        """Like `update`, but each segment is sealed into `buffer` (1 MiB at least) and handed to `write`.

        The view is good only during the call; a callable gives memory for each segment anew. If `write` raises, the
        writer is closed: what it sealed counts as used, so its place cannot be sealed again under the same header.
        """
        try:
            for plain in self._full_segments(data):
                room = buffer() if callable(buffer) else memoryview(buffer)
                sealed = room[: len(plain) + TAG_SIZE]
                self._seal(plain, sealed, last=False)
                write(sealed)
        except BaseException:
            self._closed = True
            raise

    def finish(self) -> bytes:
        """The last segment. The writer is closed afterwards. Raises ValueError before `total` is reached."""
        self._require_open()
        if self.total is not None and self.size != self.total:
            raise ValueError(f"The plaintext has {self.size} bytes, not {self.total}.")
        sealed = bytearray(self._filled + TAG_SIZE)
        self._seal(memoryview(self._held)[: self._filled], sealed, last=True)
        self._closed = True
        return bytes(sealed)

    def _full_segments(self, data: BytesLike) -> Iterator[memoryview]:
        """Yield each full plaintext segment that is certainly not the last; keep the rest in `_held`."""
        self._require_open()
        view = memoryview(data).cast("B")
        self.size += len(view)
        held = memoryview(self._held)
        while len(view):
            room = capacity(self.segment)
            if self._filled == room:
                yield held[:room]
                self._filled = 0
            elif not self._filled and (len(view) > room or (len(view) == room and self._more_follows())):
                # The common case of large pieces: sealed from the caller's memory, without a copy.
                yield view[:room]
                view = view[room:]
            else:
                taken = min(room - self._filled, len(view))
                held[self._filled : self._filled + taken] = view[:taken]
                self._filled += taken
                view = view[taken:]

    def _more_follows(self) -> bool:
        """Whether the segment that is being filled is certainly not the last, however few bytes follow it now."""
        return self.total is not None and self.total > plaintext_start(self.segment + 1)

    def _seal(self, plain: memoryview, out: bytearray | memoryview, *, last: bool) -> None:
        if self.segment >= MAX_SEGMENTS:
            raise ValueError("The plaintext is too long for one sealed object.")
        self._cipher.encrypt_into(_nonce(self._prefix, self.segment, last), plain, None, out)
        self.segment += 1

    def _require_open(self) -> None:
        if self._closed:
            raise ValueError("This writer is closed: its object is finished or failed.")


class SegmentOpener:
    """Opens the segments of one object in any order; derives the object's key once."""

    def __init__(self, data_key: bytes, header: bytes, associated_data: bytes = b"") -> None:
        """Raises SealBroken for a malformed header."""
        self._cipher = _segment_cipher(data_key, header, associated_data)
        self._prefix = header[-PREFIX_SIZE:]

    def open(self, segment: int, last: bool, ciphertext: BytesLike) -> bytes:
        """The plaintext of a segment (without the header, also for the first).

        Raises SealBroken when the bytes, the key, the associated data, the number or `last` are not those
        it was sealed with.
        """
        try:
            return self._cipher.decrypt(_nonce(self._prefix, segment, last), ciphertext, None)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(
                "The bytes do not open with this key and name: they were changed, moved, cut off or added to",
                f"segment {segment}{', the last' if last else ''}",
            ) from error


def open_segment(
    data_key: bytes, header: bytes, n: int, last: bool, ciphertext: BytesLike, associated_data: bytes = b""
) -> bytes:
    """The plaintext of one segment; SegmentOpener is cheaper for more than one. Raises SealBroken."""
    return SegmentOpener(data_key, header, associated_data).open(n, last, ciphertext)


def _segment_cipher(data_key: bytes, header: bytes, associated_data: bytes) -> AESGCM:
    if len(data_key) != KEY_SIZE:
        raise ValueError(f"A data key has {KEY_SIZE} bytes, not {len(data_key)}.")
    if len(header) != HEADER_SIZE or header[0] != HEADER_SIZE:
        raise SealBroken("The header is not that of a sealed object", "header")
    salt = header[1 : 1 + SALT_SIZE]
    derived = HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=associated_data).derive(data_key)
    return AESGCM(derived)


def _nonce(prefix: bytes, segment: int, last: bool) -> bytes:
    return prefix + segment.to_bytes(4, "big") + (b"\x01" if last else b"\x00")
