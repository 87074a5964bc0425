"""Recordings and what people say about them."""

from bluelamp.footage.models.marks import Category, EvidenceFlag, Note, Reference
from bluelamp.footage.models.recording import Derivative, Incident, Recording
from bluelamp.footage.models.viewing import ServedRange, Viewing

__all__ = [
    "Category",
    "Derivative",
    "EvidenceFlag",
    "Incident",
    "Note",
    "Recording",
    "Reference",
    "ServedRange",
    "Viewing",
]
