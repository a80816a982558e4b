"""The database holds the history: versions only added, in order; doses along their arrows."""

from django.db import migrations

KEPT = (
    "scheduleversion",
    "doserecord",
    "injection",
    "worknote",
    "sideeffectentry",
    "bloodresult",
    "template",
)
"""Tables that are only ever added to."""

FORWARD = """
CREATE FUNCTION version_is_the_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    latest integer;
BEGIN
    SELECT max(number) INTO latest FROM reminders_scheduleversion
        WHERE schedule_id = NEW.schedule_id;
    IF NEW.number <> coalesce(latest, 0) + 1 THEN
        RAISE EXCEPTION 'version % does not follow version %', NEW.number, latest
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER versions_are_in_order BEFORE INSERT ON reminders_scheduleversion
    FOR EACH ROW EXECUTE FUNCTION version_is_the_next();

CREATE FUNCTION dose_moves_along_an_arrow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.date <> OLD.date OR NEW.schedule_id <> OLD.schedule_id THEN
        RAISE EXCEPTION 'a dose keeps its date and schedule' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[
        'planned>due', 'planned>taken', 'planned>skipped', 'planned>cancelled',
        'due>taken', 'due>skipped', 'due>missed', 'due>cancelled',
        'missed>taken', 'missed>skipped',
        'taken>skipped', 'taken>missed', 'taken>due', 'taken>planned',
        'skipped>taken', 'skipped>missed', 'skipped>due', 'skipped>planned'])) THEN
        RAISE EXCEPTION 'no arrow leads from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER dose_moves BEFORE UPDATE ON reminders_dose
    FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.date <> NEW.date
                       OR OLD.schedule_id <> NEW.schedule_id)
    EXECUTE FUNCTION dose_moves_along_an_arrow();
"""

BACKWARD = """
DROP TRIGGER dose_moves ON reminders_dose;
DROP FUNCTION dose_moves_along_an_arrow();
DROP TRIGGER versions_are_in_order ON reminders_scheduleversion;
DROP FUNCTION version_is_the_next();
"""

# By the table's name, which can't be a parameter in DDL.
KEEP = """
CREATE TRIGGER TABLE_is_append_only BEFORE UPDATE OR DELETE ON reminders_TABLE
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER TABLE_is_not_emptied BEFORE TRUNCATE ON reminders_TABLE
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
"""
LET_GO = """
DROP TRIGGER TABLE_is_not_emptied ON reminders_TABLE;
DROP TRIGGER TABLE_is_append_only ON reminders_TABLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_audit_is_append_only"),
        ("reminders", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        *(
            migrations.RunSQL(KEEP.replace("TABLE", table), LET_GO.replace("TABLE", table))
            for table in KEPT
        ),
    ]
