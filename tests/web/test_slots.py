from markupsafe import Markup

from bluelamp.web import slots


def test_panels_stand_in_their_order_and_one_may_stand_aside(site):
    page = site.get("/_components").text
    assert page.index("first") < page.index("Third: MB-22-0417 / 18")


def test_a_panel_that_forgets_to_escape_cannot_inject(site):
    assert "&lt;b&gt;first&lt;/b&gt;" in site.get("/_components").text


def test_a_slot_that_nobody_fills_is_empty():
    assert slots.render("nobody's", None) == Markup("")


def test_a_panel_registered_twice_is_shown_once():
    def panel(request):
        return Markup("once")

    slots.register_panel("twice", panel)
    slots.register_panel("twice", panel)
    assert slots.render("twice", None) == "once"
