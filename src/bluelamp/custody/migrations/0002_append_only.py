from django.db import migrations

TABLES = (
    "custody_event",
    "custody_leaf",
    "custody_tile",
    "custody_checkpoint",
    "custody_cosignature",
    "custody_timestamp",
    "custody_log_key",
    "custody_origin",
)

FUNCTIONS = """
CREATE FUNCTION custody_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the custody ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- What an event says may change in one way only: custody_erase, below, takes values out for the event that it names.
CREATE FUNCTION custody_detail_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.event_id = OLD.event_id
        AND current_setting('bluelamp.erasing', true) = OLD.event_id::text
        AND current_user = (SELECT tableowner FROM pg_tables
                            WHERE tablename = TG_TABLE_NAME AND schemaname = TG_TABLE_SCHEMA)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: the custody ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION custody_erase(
    erased bigint, remains bytea, listed_actor text, listed_subject text, listed_also text[], erasing bigint
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    -- The event of the erasure is new, not yet in the tree: there is no erasing on an old order.
    IF NOT EXISTS (SELECT FROM custody_event e JOIN custody_pending p ON p.event_id = e.id
                   WHERE e.id = erasing AND e.tag = 'custody.detail_erased')
        OR NOT EXISTS (SELECT FROM custody_detail WHERE event_id = erasing AND subject = 'event:' || erased::text)
    THEN
        RAISE EXCEPTION 'erasing from event % is refused: event % is not its erasure', erased, erasing
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('bluelamp.erasing', erased::text, true);
    UPDATE custody_detail SET stored = remains, actor = listed_actor, subject = listed_subject, also = listed_also
        WHERE event_id = erased;
    PERFORM set_config('bluelamp.erasing', '', true);
END $$;
REVOKE EXECUTE ON FUNCTION custody_erase FROM PUBLIC;

-- One event: itself, what it says, and its place in the queue to the tree. A function's statements are planned once a
-- session; sent as they are, they would be planned for each event, which costs more than to carry them out.
CREATE FUNCTION custody_record(
    new_entry bytea, new_tag text, new_at timestamptz,
    new_actor text, new_subject text, new_also text[], new_stored bytea
) RETURNS bigint LANGUAGE plpgsql SET search_path = public AS $$
DECLARE number bigint;
BEGIN
    INSERT INTO custody_event (entry, tag, at) VALUES (new_entry, new_tag, new_at) RETURNING id INTO number;
    INSERT INTO custody_detail (event_id, actor, subject, also, stored)
        VALUES (number, new_actor, new_subject, new_also, new_stored);
    INSERT INTO custody_pending (event_id) VALUES (number);
    RETURN number;
END $$;
CREATE TRIGGER custody_detail_append_only BEFORE UPDATE OR DELETE ON custody_detail
    FOR EACH ROW EXECUTE FUNCTION custody_detail_guard();
CREATE TRIGGER custody_detail_no_truncate BEFORE TRUNCATE ON custody_detail
    FOR EACH STATEMENT EXECUTE FUNCTION custody_append_only();
"""
SQL = FUNCTIONS + "".join(
    # A row trigger does not see TRUNCATE, hence two.
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION custody_append_only();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION custody_append_only();
"""
    for table in TABLES
)
REVERSE = (
    "".join(
        f"DROP TRIGGER {table}_append_only ON {table}; DROP TRIGGER {table}_no_truncate ON {table};"
        for table in (*TABLES, "custody_detail")
    )
    + "DROP FUNCTION custody_record; DROP FUNCTION custody_erase; DROP FUNCTION custody_detail_guard(); DROP FUNCTION custody_append_only();"
)


class Migration(migrations.Migration):
    dependencies = [("custody", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
