"""The categories that a force begins with. Periods are defaults that the force's policy may change."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SIX_YEARS = 2192  # days
_TEN_YEARS = 3653
_CPIA = "CPIA 1996 code: kept until the decision on proceedings, and then as the case requires."
_MOPI_1 = "MoPI group 1: kept, with a review every 10 years."
_MOPI_2 = "MoPI group 2: kept for 10 clear years, then reviewed."
_MOPI_3 = "MoPI group 3: kept for 6 clear years."
_MOPI_4 = "MoPI group 4: 6 years and longer where the matter is open."
_YEAR = "Force policy: 12 months, the time in which a complaint is ordinarily made."

# code, name, days kept from recording (None: until somebody decides), basis, evidential
CATEGORIES = [
    ("none", "No policing purpose", 0, "Nothing beyond the force's default period.", False),
    ("training", "Training or test", 0, "Nothing beyond the force's default period.", False),
    ("stop_search", "Stop and search", 365, _YEAR, True),
    ("use_of_force", "Use of force", _SIX_YEARS, _MOPI_3, True),
    ("arrest", "Arrest", None, _CPIA, True),
    ("domestic_abuse", "Domestic abuse", _TEN_YEARS, _MOPI_2, True),
    ("violent_offence", "Violence against the person", _TEN_YEARS, _MOPI_2, True),
    ("sexual_offence", "Sexual offence", None, _MOPI_1, True),
    ("traffic", "Traffic offence", _SIX_YEARS, _MOPI_3, True),
    ("public_order", "Public order", _SIX_YEARS, _MOPI_3, True),
    ("missing_person", "Missing person", _SIX_YEARS, _MOPI_4, True),
    ("sudden_death", "Sudden death", None, _MOPI_1, True),
    ("complaint", "Complaint or misconduct", None, "Kept until the matter is closed.", True),
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    category = apps.get_model("footage", "Category")
    for order, (code, name, keep_days, basis, evidential) in enumerate(CATEGORIES):
        category.objects.create(
            code=code, name=name, keep_days=keep_days, basis=basis, evidential=evidential, order=order * 10
        )


class Migration(migrations.Migration):
    dependencies = [("footage", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
