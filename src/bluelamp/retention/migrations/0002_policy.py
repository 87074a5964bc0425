import json

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PERIODS = {
    "default_days": 31,
    "quarantine_days": 3,
    "review_grace_days": 7,
    "margin_minutes": 15,
    "longest_extension_days": 2557,
    "cooling_days": 7,
    "hold_review_days": 90,
    "mopi_age": 100,
    "mopi_serious_years": 10,
    "mopi_other_years": 6,
    "mopi_review_years": 10,
    "mopi_review_again_years": 5,
}

# No way to shorten anything by a simple edit: a version of the policy is added whole, is never changed, and shortens only
# with a second person's approval, which the ledger has; the policy in force and the categories' periods shorten only to
# what such a version says. For everybody, the tables' owner included.
SQL = """
CREATE FUNCTION retention_is_shorter(before jsonb, after jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM unnest(ARRAY['default_days', 'quarantine_days', 'review_grace_days', 'cooling_days', 'mopi_age',
                                 'mopi_serious_years', 'mopi_other_years']) AS name
        WHERE (after->>name)::int < (before->>name)::int
    ) OR (after->>'margin_minutes')::int > (before->>'margin_minutes')::int OR EXISTS (
        SELECT FROM footage_category c
        WHERE coalesce((after->'keep'->>c.code)::int, 2147483647) < coalesce((before->'keep'->>c.code)::int, 2147483647)
           OR coalesce((after->'special'->>c.code)::int, (after->>'default_days')::int)
            < coalesce((before->'special'->>c.code)::int, (before->>'default_days')::int)
    )
$$;

CREATE FUNCTION retention_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    former retention_policy_version;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'a version of the retention policy is never changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO former FROM retention_policy_version ORDER BY number DESC LIMIT 1;
    IF former.number IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.number <> former.number + 1 OR NEW.effective_at < former.effective_at OR NEW.proposed_by = '' THEN
        RAISE EXCEPTION 'versions of the retention policy follow each other' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The event is new, not yet in the tree, and says who decided.
    IF NOT EXISTS (SELECT FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
                   JOIN custody_pending p ON p.event_id = e.id
                   WHERE e.id = NEW.event AND e.tag = 'policy.version_made'
                     AND d.actor = coalesce(nullif(NEW.approved_by, ''), NEW.proposed_by)) THEN
        RAISE EXCEPTION 'a version of the retention policy needs its event in the ledger'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF retention_is_shorter(former.terms, NEW.terms) AND (
        NOT NEW.shortens OR NEW.approved_by IN ('', NEW.proposed_by) OR NEW.not_before IS NULL
        OR NEW.not_before < greatest(NEW.effective_at, NEW.approved_at)
                            + make_interval(days => (former.terms->>'cooling_days')::int)
    ) THEN
        RAISE EXCEPTION 'retention is not shortened without a second person and a cooling period'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_version_guard BEFORE INSERT OR UPDATE OR DELETE ON retention_policy_version
    FOR EACH ROW EXECUTE FUNCTION retention_version_guard();
CREATE TRIGGER retention_version_no_truncate BEFORE TRUNCATE ON retention_policy_version
    FOR EACH STATEMENT EXECUTE FUNCTION retention_version_guard();

CREATE FUNCTION retention_in_force_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'since when a version is in force is never changed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER retention_in_force_guard BEFORE UPDATE OR DELETE ON retention_version_in_force
    FOR EACH ROW EXECUTE FUNCTION retention_in_force_guard();
CREATE TRIGGER retention_in_force_no_truncate BEFORE TRUNCATE ON retention_version_in_force
    FOR EACH STATEMENT EXECUTE FUNCTION retention_in_force_guard();

CREATE FUNCTION retention_policy_never_shorter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    approved jsonb;
    periods text[] := ARRAY['default_days', 'quarantine_days', 'review_grace_days', 'margin_minutes', 'cooling_days',
                            'mopi_age', 'mopi_serious_years', 'mopi_other_years'];
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') OR NEW.version < OLD.version THEN
        RAISE EXCEPTION 'retention is not shortened by editing the policy' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.default_days < OLD.default_days OR NEW.quarantine_days < OLD.quarantine_days
        OR NEW.review_grace_days < OLD.review_grace_days OR NEW.margin_minutes > OLD.margin_minutes
        OR NEW.cooling_days < OLD.cooling_days OR NEW.mopi_age < OLD.mopi_age
        OR NEW.mopi_serious_years < OLD.mopi_serious_years OR NEW.mopi_other_years < OLD.mopi_other_years THEN
        SELECT terms INTO approved FROM retention_policy_version
            WHERE number = NEW.version AND NEW.version = OLD.version + 1 AND shortens AND approved_by <> '';
        IF approved IS NULL OR EXISTS (
            SELECT FROM unnest(periods) AS name WHERE (approved->>name) IS DISTINCT FROM (to_jsonb(NEW)->>name)
        ) THEN
            RAISE EXCEPTION 'retention is not shortened by editing the policy' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_policy_never_shorter BEFORE UPDATE OR DELETE ON retention_policy
    FOR EACH ROW EXECUTE FUNCTION retention_policy_never_shorter();
CREATE TRIGGER retention_policy_no_truncate BEFORE TRUNCATE ON retention_policy
    FOR EACH STATEMENT EXECUTE FUNCTION retention_policy_never_shorter();

CREATE FUNCTION retention_category_never_shorter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms jsonb;
BEGIN
    IF NEW.code <> OLD.code OR coalesce(NEW.keep_days, 2147483647) < coalesce(OLD.keep_days, 2147483647)
        OR coalesce(NEW.special_days, (SELECT default_days FROM retention_policy))
         < coalesce(OLD.special_days, (SELECT default_days FROM retention_policy))
    THEN
        SELECT v.terms INTO terms FROM retention_policy p JOIN retention_policy_version v ON v.number = p.version;
        IF NEW.code <> OLD.code OR NOT terms->'keep' ? NEW.code
            OR (terms->'keep'->>NEW.code)::int IS DISTINCT FROM NEW.keep_days
            OR (terms->'special'->>NEW.code)::int IS DISTINCT FROM NEW.special_days THEN
            RAISE EXCEPTION 'retention is not shortened by editing a category' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retention_category_never_shorter BEFORE UPDATE ON footage_category
    FOR EACH ROW EXECUTE FUNCTION retention_category_never_shorter();
"""
REVERSE = """
DROP TRIGGER retention_category_never_shorter ON footage_category;
DROP FUNCTION retention_category_never_shorter();
DROP TRIGGER retention_policy_no_truncate ON retention_policy;
DROP TRIGGER retention_policy_never_shorter ON retention_policy;
DROP FUNCTION retention_policy_never_shorter();
DELETE FROM retention_policy;
DROP TRIGGER retention_in_force_no_truncate ON retention_version_in_force;
DROP TRIGGER retention_in_force_guard ON retention_version_in_force;
DROP FUNCTION retention_in_force_guard();
DELETE FROM retention_version_in_force;
DROP TRIGGER retention_version_no_truncate ON retention_policy_version;
DROP TRIGGER retention_version_guard ON retention_policy_version;
DROP FUNCTION retention_version_guard();
DROP FUNCTION retention_is_shorter(jsonb, jsonb);
DELETE FROM retention_policy_version;
"""
_VERSION = """
INSERT INTO retention_policy_version
    (number, terms, effective_at, reason, proposed_by, proposed_at, approved_by, approved_at, approval_reason,
     shortens, not_before, event)
VALUES (1, %s, now(), 'The periods with which an installation begins.', 'system:retention', now(), '', now(), '',
        false, NULL, 0)
"""


def begin(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The policy and its first version, which is what the categories say."""
    columns, values = ", ".join(PERIODS), list(PERIODS.values())
    places = ", ".join(["%s"] * len(values))
    keep = dict(apps.get_model("footage", "Category").objects.values_list("code", "keep_days"))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO retention_policy (id, version, {columns}) VALUES (1, 1, {places})", values)  # noqa: S608  names above
        cursor.execute(_VERSION, [json.dumps({**PERIODS, "keep": keep, "special": {}})])


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial"), ("custody", "0002_append_only")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop), migrations.RunSQL(SQL, REVERSE)]
