"""What a discrepancy means for the footage, and what to do next, in words for whoever works through them."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp.ingest import discrepancies as kinds


@dataclass(frozen=True)
class Advice:
    """`means` for the footage; `steps` in the order in which to take them.

    `key_step` is the step, counted from 1, that gives up the camera's key; 0 where none does.
    """

    means: str
    steps: tuple[str, ...]
    key_step: int = 0


_KEEP = "Keep the camera out of use, so that nothing on it is overwritten, and tell professional standards."

_ADVICE = {
    kinds.GAP: Advice(
        "The camera numbers everything that it records and signs the numbers in a chain, so these recordings were "
        "made. No dock was ever offered them, and nothing of them is here. Everything else of the camera is not "
        "affected.",
        (
            "Dock the camera again. If they are still on it, they upload, and this resolves itself.",
            "If not, ask whoever had the camera then, and whether it was docked with another force or system, or read "
            "out by its supplier.",
            f"If nobody can say where they are: {_KEEP[0].lower()}{_KEEP[1:]}",
            "Close this with what you found out. It stays in the ledger.",
        ),
    ),
    kinds.NEVER_ARRIVED: Advice(
        "The camera had these recordings and offered them. It may erase its copy only against a receipt, and none was "
        "given, so it should have them still. What arrived of them in part is kept for seven days, and an upload goes "
        "on from there.",
        (
            "Dock the camera again, and leave it in the dock until its uploads are through.",
            "If it is in a dock already, look at the page of docks: whether it is uploading, and what holds it up.",
            "If the dock could not find or read them on the camera, keep the camera out of use and have it examined: "
            "what is left of them may be on it.",
            f"If the camera no longer has them although no receipt was given: {_KEEP[0].lower()}{_KEEP[1:]}",
            "Close this only when it is certain that they will not come, with the reason.",
        ),
    ),
    kinds.REFUSED: Advice(
        "The server did not take these recordings, for the reason given. The camera keeps its copy. Nothing that is "
        "here was replaced or changed.",
        (
            "Keep the camera out of use: the only copy is on it.",
            "If the reason speaks of a signature, of the number or of another recording, have the camera examined "
            "before it is used again: it contradicts what it signed before.",
            "If it speaks of the size, the operator can raise the limit; then dock the camera again.",
            "Close this when the footage has been secured in another way or is certain to be lost, with the reason.",
        ),
    ),
    kinds.REJECTED: Advice(
        "What came through the network is not what the camera signed. It was destroyed and nobody saw anything of it. "
        "The camera keeps its copy.",
        (
            "Dock the camera again: the recording is asked for anew, and a fault on the way does not repeat itself.",
            "If it is rejected again, use another dock. If that does not help, the file on the camera is damaged: keep "
            "the camera out of use and have it examined.",
            "Close this when the footage has been secured in another way or is certain to be lost, with the reason.",
        ),
    ),
    kinds.CHAIN: Advice(
        "What the camera signs now contradicts what it signed before: it was reset or repaired, its memory is damaged, "
        "or something was changed on it. Recordings that are here are each verified by their own hash and signature "
        "and are not affected; what the chain no longer proves is that none is missing between them.",
        (
            "Find out whether the camera was reset or repaired about then, and by whom.",
            f"If not: {_KEEP[0].lower()}{_KEEP[1:]}",
            "Tell whoever uses these recordings as evidence. Then close this with what you found out.",
        ),
    ),
    kinds.CAMERA_REFUSED: Advice(
        "Nothing was taken from the camera: either it was repaired and has a new key, or another device uses its "
        "serial. Its recordings stay on it. Those that are here were verified with the former key and are "
        "not affected.",
        (
            "Keep the camera, and find out whether it was repaired. The supplier’s papers show the fingerprint of its "
            "new key: compare it with the one that the camera presented.",
            "If it was repaired and they are the same: the body-worn video manager gives up the old key. Then dock the "
            "camera again, and this resolves itself.",
            f"If it was not: {_KEEP[0].lower()}{_KEEP[1:]}",
        ),
        key_step=2,
    ),
    kinds.CLOCK_UNSET: Advice(
        "Recordings that the camera made while its clock was not set count as having ended when it was docked; their "
        "retention is reckoned from then. The time burnt into the picture is wrong. The recordings are marked.",
        (
            "See that the dock or the supplier’s tool sets the clock. This resolves itself at the next docking at "
            "which the clock is right.",
            "If it is lost again and again, the camera’s own battery is worn: have it repaired.",
        ),
    ),
    kinds.CLOCK_DRIFTING: Advice(
        "Times of recordings are corrected by the difference measured at the docking; the device’s own times are kept "
        "beside them. The time burnt into the picture is off by that much. The recordings are marked.",
        (
            "See that the dock or the supplier’s tool sets the clock. This resolves itself at the next docking at "
            "which the clock is right.",
            "If the difference comes back within days, have the camera repaired.",
        ),
    ),
}


_CLOSE = "Close this when the footage has been secured in another way or is certain to be lost, with the reason."

_CANNOT_BE_SENT = {
    "gone": Advice(
        "The camera signed that it made these recordings. When they were to be sent, their files were no longer on it. "
        "A camera may erase its copy only against a receipt, and none was given. What arrived of them in part before "
        "is kept for seven days; nothing else of them is here.",
        (
            "Keep the camera out of use and have it examined: what is left of the files may be recovered from it.",
            "Ask whoever had the camera, and whether it was docked with another force or system, or read out by its "
            "supplier.",
            "If nobody can say where they are, tell professional standards.",
            _CLOSE,
        ),
    ),
    "altered": Advice(
        "The files of these recordings on the camera were not as long as the camera signed, so they were not what it "
        "recorded: something cut or changed them. They were not taken, and no receipt was given.",
        (
            "Keep the camera out of use and have it examined: what was recorded may be recovered from it, and what "
            "changed it may show.",
            "Ask whoever had the camera, and whether it was repaired or read out by its supplier.",
            "If nobody can say what changed them, tell professional standards.",
            _CLOSE,
        ),
    ),
    "unreadable": Advice(
        "The files of these recordings were on the camera, and the dock could not read them: the camera’s memory may "
        "be damaged. No receipt was given, so nothing had leave to erase them.",
        (
            "Keep the camera out of use and have it examined: each attempt to read damaged memory may damage it more.",
            "If the examination finds nothing wrong with the camera, dock it again, in another dock. If they upload, "
            "this resolves itself.",
            _CLOSE,
        ),
    ),
}
"""Instead of the advice on what never arrived, where the dock cannot send it, by a key of UNAVAILABLE."""


def on(kind: str, unavailable: str = "") -> Advice:
    """The advice for a kind of discrepancy; `unavailable`: why the dock cannot send what it is about, if it cannot."""
    return _CANNOT_BE_SENT.get(unavailable) or _ADVICE[kind]
