"""What holds for the templates of every room."""

import re

import pytest
from django.template import engines
from jinja2 import nodes

ENVIRONMENT = engines["jinja2"].env
TEMPLATES = sorted(name for name in ENVIRONMENT.list_templates() if not name.startswith("govuk_frontend_jinja/"))


def _source(name):
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles_and_imports_only_macros_that_exist(name):
    ENVIRONMENT.get_template(name)
    for imported in ENVIRONMENT.parse(_source(name)).find_all(nodes.FromImport):
        if not isinstance(imported.template, nodes.Const):
            continue
        offered = ENVIRONMENT.get_template(imported.template.value).module
        for wanted in imported.names:
            macro = wanted if isinstance(wanted, str) else wanted[0]
            assert hasattr(offered, macro), f"{imported.template.value} has no macro {macro}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_needs_nothing_that_the_content_security_policy_forbids(name):
    source = re.sub(r"\{#.*?#\}", "", _source(name), flags=re.DOTALL)
    for tag in re.findall(r"<[a-zA-Z][^<>]*>", source):
        assert not re.search(r"\s(style|on[a-z]+|hx-on[\w:-]*)\s*=", tag), tag
        if re.match(r"<style\b|<script\b(?![^>]*\bsrc=)(?![^>]*application/json)", tag):
            # A file that leaves with a package is served by nobody: it carries a policy of its own, without scripts.
            own = "Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"" in source
            assert "csp_nonce()" in tag or (own and tag == "<style>"), tag
        assert "javascript:" not in tag, tag


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (1, 6, "17 %"),
        (4, 14, "29 %"),
        (1, 8, "13 %"),
        (0, 8, "0 %"),
        (1, 1000, "1 %"),
        (999, 1000, "99 %"),
        (8, 8, "100 %"),
        (9, 8, "113 %"),
    ],
)
def test_a_share_is_rounded_and_neither_whole_nor_nothing_before_it_is(part, whole, shown):
    percent = ENVIRONMENT.get_template("components/chart.html").module.percent
    assert percent(part, whole) == shown
