"""Redaction: hiding third parties before footage leaves the force.

The room is here so that nothing has to move when it opens: a redacted copy will be a derivative of its parent, sealed
under the parent's key (`footage.models.Derivative`). Nothing can be redacted with Bluelamp yet.
"""
