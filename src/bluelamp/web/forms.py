"""Forms whose mistakes name what they are about, as the GOV.UK error summary wants: it is read away from the field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

in_words = RegexValidator(r"(?:[^\W_][\W_]*){3}", "Say it in words: a stop or a letter tells nobody anything later.")
"""For a reason that somebody must be able to judge later: three letters or digits at least."""


class NamedErrors(forms.Form):
    """A form that says which field was left empty, by its label."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            what = "Choose an answer for" if isinstance(field, forms.ChoiceField) else "Fill in"
            field.error_messages["required"] = f"{what} “{field.label}”."
