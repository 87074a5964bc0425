import jinja2
import pytest

from bluelamp.web.environment import environment


@pytest.fixture
def render():
    def _render(source, **context):
        return environment(loader=jinja2.DictLoader({"page.html": source})).get_template("page.html").render(context)

    return _render


def test_a_misspelt_name_in_a_page_is_an_error(render):
    with pytest.raises(jinja2.UndefinedError):
        render("{{ recroding }}", recording=1)


def test_a_missing_key_in_a_page_is_an_error(render):
    with pytest.raises(jinja2.UndefinedError):
        render("{{ row.lenght }}", row={"length": 3})


def test_the_govuk_components_work_although_pages_are_strict(render):
    page = render(
        '{% from "govuk_frontend_jinja/components/input/macro.html" import govukInput %}'
        '{{ govukInput({"name": "urn", "label": {"text": "URN"}, "errorMessage": {"text": "Enter the URN"}}) }}'
    )
    assert "Enter the URN" in page
    assert 'class="govuk-input govuk-input--error"' in page


def test_what_a_person_typed_is_escaped(render):
    page = render("{{ note }}", note="<script>alert(1)</script>")
    assert page == "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_a_component_escapes_what_it_is_given(render):
    page = render(
        '{% from "govuk_frontend_jinja/components/tag/macro.html" import govukTag %}{{ govukTag({"text": note}) }}',
        note="<b>x</b>",
    )
    assert "<b>" not in page
