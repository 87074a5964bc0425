from django.db import models


class ClockOffset(models.Model):
    """How far a demonstration's clock stands ahead of real time. One row; a trigger lets it move forward only."""

    seconds = models.BigIntegerField(default=0)

    class Meta:
        db_table = "kernel_clock_offset"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="kernel_clock_one_row"),
            models.CheckConstraint(condition=models.Q(seconds__gte=0), name="kernel_clock_not_back"),
        ]
