from django.db import migrations

SQL = """
CREATE FUNCTION kernel_clock_forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.seconds < OLD.seconds THEN
        RAISE EXCEPTION 'the demonstration''s clock only moves forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kernel_clock_forward_only BEFORE UPDATE OR DELETE ON kernel_clock_offset
    FOR EACH ROW EXECUTE FUNCTION kernel_clock_forward_only();
"""
REVERSE = """
DROP TRIGGER kernel_clock_forward_only ON kernel_clock_offset;
DROP FUNCTION kernel_clock_forward_only();
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
