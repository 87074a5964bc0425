"""Reading what oversight shows: figures, alerts, the ledger."""

from bluelamp.oversight.queries.alerts import Alert, alerts
from bluelamp.oversight.queries.figures import Figures, Month, figures
from bluelamp.oversight.queries.promises import Promise
from bluelamp.oversight.queries.public import PublicFigures, public_figures

__all__ = ["Alert", "Figures", "Month", "Promise", "PublicFigures", "alerts", "figures", "public_figures"]
