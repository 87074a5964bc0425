from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person, Unit


class Request(models.Model):
    """Somebody's written request for footage. The form asks for what a force needs to find it, and no more."""

    class Kind(models.TextChoices):
        SUBJECT_ACCESS = "subject_access", "Footage of myself"
        FOI = "foi", "Freedom of information"

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", "E-mail not confirmed"
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Refused"
        LAPSED = "lapsed", "Lapsed: e-mail never confirmed"

    class Role(models.TextChoices):
        STOPPED = "stopped", "I was stopped or searched"
        ARRESTED = "arrested", "I was arrested"
        VICTIM = "victim", "I was a victim"
        WITNESS = "witness", "I was a witness"
        BYSTANDER = "bystander", "I was nearby"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=new_id)
    reference = models.TextField(unique=True)
    kind = models.TextField(choices=Kind.choices, default=Kind.SUBJECT_ACCESS)
    state = models.TextField(choices=State.choices, default=State.UNCONFIRMED)

    name = models.TextField()
    email = models.EmailField()
    phone = models.TextField(blank=True)
    on_behalf_of = models.TextField(blank=True)
    authority = models.TextField(blank=True)
    proof_photo = models.TextField(blank=True)
    proof_other = models.TextField(blank=True)

    # Freedom of information needs a description only (FOIA 2000 s.8): place and part may be empty, the rest null.
    borough = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    place = models.TextField()
    from_at = models.DateTimeField(null=True)
    until_at = models.DateTimeField(null=True)
    role = models.TextField(choices=Role.choices)
    officer_number = models.TextField(blank=True)
    incident_reference = models.TextField(blank=True)
    clothing = models.TextField(blank=True)
    vehicle = models.TextField(blank=True)
    details = models.TextField(blank=True)

    received_at = models.DateTimeField()
    confirm_token_sha256 = models.TextField(unique=True, null=True)
    lapses_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    identity_proved_at = models.DateTimeField(null=True)
    extended_at = models.DateTimeField(null=True)
    extension_reason = models.TextField(blank=True)
    escalated = models.BooleanField(default=False)
    escalation = models.TextField(blank=True)
    too_late = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    outcome = models.TextField(blank=True)
    peer_hmac = models.TextField(blank=True)

    class Meta:
        db_table = "rights_request"
        ordering = ["-received_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(until_at__gt=models.F("from_at")), name="rights_window_forward")
        ]
        indexes = [
            models.Index(fields=["state", "from_at", "until_at"], name="rights_request_window"),
            models.Index(fields=["email", "received_at"], name="rights_request_email"),
        ]

    @property
    def custody_id(self) -> str:
        """This request in the ledger, and the source of its holds."""
        return f"request:{self.pk}"

    @property
    def finds_footage(self) -> bool:
        """Whether it names a time, and a borough or an officer: by these footage is found and kept by itself."""
        return self.from_at is not None and (self.borough_id is not None or bool(self.officer_number))


class RequestPause(models.Model):
    """A time in which the statutory clock stood because clarification was awaited.

    `since` None: the question has not been sent yet, so the clock runs.
    """

    request = models.ForeignKey(Request, models.PROTECT, related_name="pauses")
    question = models.TextField()
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)

    class Meta:
        db_table = "rights_pause"
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=models.Q(until=None), name="rights_one_open_pause_a_request"
            )
        ]


class Message(models.Model):
    """A message to a requester. `sent_at` None: the mail server has not taken it yet."""

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", "Link to confirm the e-mail address"
        QUESTION = "question", "Question to the requester"
        EXTENSION = "extension", "Notice of two further months"
        PROOFS = "proofs", "How to prove identity"

    request = models.ForeignKey(Request, models.PROTECT, related_name="messages")
    kind = models.TextField(choices=Kind.choices)
    pause = models.ForeignKey(RequestPause, models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rights_message"
        indexes = [models.Index(fields=["request"], condition=models.Q(sent_at=None), name="rights_message_unsent")]

    @property
    def needed(self) -> bool:
        """Whether what it says still holds; a message that has become pointless is not sent any more."""
        if self.kind == Message.Kind.CONFIRMATION:
            return self.request.state == Request.State.UNCONFIRMED
        if self.kind == Message.Kind.PROOFS and self.request.identity_proved_at is not None:
            return False
        answered = self.pause is not None and self.pause.until is not None
        return self.request.state == Request.State.OPEN and not answered


class RequestMatch(models.Model):
    """A recording that may show what a request asks for. While unconfirmed it is kept until `provisional_until`."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="matches")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="request_matches")
    matched_at = models.DateTimeField()
    provisional_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "rights_match"
        constraints = [models.UniqueConstraint(fields=["request", "recording"], name="rights_match_once")]
