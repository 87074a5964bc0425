"""How Django's form fields come out as GOV.UK components."""

import re

import jinja2
import pytest
from django import forms

from bluelamp.web.environment import environment

SOURCES = {"field.html": '{% from "components/forms.html" import field %}{{ field(form["x"]) }}'}


@pytest.fixture(scope="module")
def show():
    loader = jinja2.ChoiceLoader([jinja2.DictLoader(SOURCES), jinja2.PackageLoader("bluelamp.web", "jinja2")])
    template = environment(loader=loader).get_template("field.html")

    def _show(field, data=None, initial=None):
        form = type("OneField", (forms.Form,), {"x": field})(data, initial={"x": initial})
        return template.render(form=form)

    return _show


def test_label_hint_and_input_belong_together(show):
    page = show(forms.CharField(label="URN", help_text="On the case file"))
    assert '<label class="govuk-label" for="id_x">' in page
    assert re.search(r'<input\b[^>]*id="id_x"[^>]*aria-describedby="id_x-hint"', page)
    assert 'aria-required="true"' in page


def test_an_error_is_told_to_whoever_reaches_the_field(show):
    page = show(forms.CharField(error_messages={"required": "Enter the URN"}), data={"x": ""})
    assert "Enter the URN" in page
    assert re.search(r'<input\b[^>]*aria-describedby="id_x-error"', page)


def test_what_was_typed_is_kept_and_escaped(show):
    page = show(forms.CharField(), data={"x": '"><script>'})
    assert "<script>" not in page
    assert "&#34;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        (forms.CharField(widget=forms.TextInput(attrs={"type": "date"})), 'type="date"'),
        (forms.EmailField(), 'type="email"'),
        (forms.IntegerField(min_value=0), 'type="number"'),
        (forms.CharField(max_length=9), 'maxlength="9"'),
        (forms.CharField(widget=forms.TextInput(attrs={"inputmode": "numeric"})), 'inputmode="numeric"'),
        (forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "one-time-code"})), "one-time-code"),
        (forms.CharField(widget=forms.PasswordInput), 'type="password"'),
        (forms.FileField(), 'type="file"'),
        (forms.CharField(widget=forms.HiddenInput), 'type="hidden"'),
    ],
)
def test_every_kind_of_input_keeps_its_nature(show, kind, attribute):
    assert attribute in show(kind)


def test_a_password_is_never_sent_back(show):
    assert "hunter2" not in show(forms.CharField(widget=forms.PasswordInput), data={"x": "hunter2"})


def test_the_choice_made_before_is_still_chosen(show):
    choices = [("", "Choose"), ("1", "Lambeth"), ("2", "Croydon")]
    select = show(forms.ChoiceField(choices=choices), data={"x": "2"})
    assert re.findall(r'<option value="([^"]*)" selected', select) == ["2"]
    radios = show(forms.ChoiceField(choices=choices, widget=forms.RadioSelect), initial=1)
    assert re.findall(r'value="([^"]*)" checked', radios) == ["1"]
    assert radios.count('type="radio"') == 2
    boxes = show(forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple), data={"x": ["1"]})
    assert re.findall(r'value="([^"]*)" checked', boxes) == ["1"]
    assert " checked" in show(forms.BooleanField(), data={"x": "on"})
    assert " checked" not in show(forms.BooleanField(), data={})


def test_a_grouped_choice_names_its_group(show):
    page = show(forms.ChoiceField(choices=[("Lambeth", [("a", "Team A"), ("b", "Team B")])]), data={"x": "b"})
    assert re.search(r'<option value="b" selected[^>]*>\s*Lambeth: Team B', page)
