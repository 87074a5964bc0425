from django.db import migrations

# One row, and no way to shorten anything by a simple edit: a shorter default or review grace, an earlier beginning of
# deletion, or no policy at all. Doing so lawfully needs a second person's approval, which is not an UPDATE.
SQL = """
INSERT INTO retention_policy
    (id, default_days, quarantine_days, review_grace_days, margin_minutes, longest_extension_days)
VALUES (1, 31, 3, 7, 15, 2557);
CREATE FUNCTION retention_policy_never_shorter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.default_days < OLD.default_days OR NEW.review_grace_days < OLD.review_grace_days
        OR NEW.margin_minutes > OLD.margin_minutes THEN
        RAISE EXCEPTION 'retention is not shortened by editing the policy'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_policy_never_shorter BEFORE UPDATE OR DELETE ON retention_policy
    FOR EACH ROW EXECUTE FUNCTION retention_policy_never_shorter();
"""
REVERSE = """
DROP TRIGGER retention_policy_never_shorter ON retention_policy;
DROP FUNCTION retention_policy_never_shorter();
DELETE FROM retention_policy;
"""


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
