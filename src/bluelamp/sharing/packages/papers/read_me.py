"""read-me-first.html: what the package is and how to check it, on one page that needs nothing else."""

from __future__ import annotations

from django.template.loader import render_to_string

from bluelamp.sharing.packages.papers.facts import Papers, london
from bluelamp.sharing.packages.papers.report import withheld_words


def page(papers: Papers) -> str:
    """The page."""
    context = {"papers": papers, "withheld": withheld_words(papers), "made_at": london(papers.made_at)}
    return render_to_string("sharing/packages/read_me.html", context)
