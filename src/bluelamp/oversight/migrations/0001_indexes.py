from django.db import migrations

# Footage that is there, with all that the oversight page asks of it: its figures read this index and not the table,
# whose rows are wide. It is oversight's own, since no other room asks this.
CREATE = """
CREATE INDEX oversight_footage_there ON footage_recording (started_at)
INCLUDE (id, state, processing, locked_at, review_until) WHERE state <> 'deleted'
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("footage", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP INDEX oversight_footage_there")]
