"""Reading what oversight shows: figures, alerts, the ledger."""

from bluelamp.oversight.queries.alerts import Alert, alerts
from bluelamp.oversight.queries.figures import Figures, figures

__all__ = ["Alert", "Figures", "alerts", "figures"]
