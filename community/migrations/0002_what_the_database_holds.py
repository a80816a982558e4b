"""The database holds: what is live is what is published; revisions stay; states move by arrows."""

from django.db import migrations

LIVE = """
CREATE FUNCTION community_live_is_published(wanted uuid, whole_thread boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT post.id INTO wrong
    FROM community_post asked
    JOIN community_post post
        ON post.id = asked.id OR (whole_thread AND post.thread_id = asked.thread_id)
    JOIN community_post opener ON opener.thread_id = post.thread_id AND opener.opens
    LEFT JOIN community_livetext live ON live.post_id = post.id
    WHERE asked.id = wanted
        AND live.revision_id IS DISTINCT FROM
            CASE WHEN post.state = 'published' AND opener.state = 'published'
                 THEN post.published_id END
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'post % is not seen as it is published', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT thread.id INTO wrong
    FROM community_post asked
    JOIN community_thread thread ON thread.id = asked.thread_id
    JOIN community_post opener ON opener.thread_id = thread.id AND opener.opens
    LEFT JOIN community_livethread live ON live.thread_id = thread.id
    WHERE asked.id = wanted AND (opener.state = 'published') <> (live.thread_id IS NOT NULL);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'thread % is not seen as its opener is', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT live.thread_id INTO wrong
    FROM community_post asked
    JOIN community_livethread live ON live.thread_id = asked.thread_id
    CROSS JOIN LATERAL (
        SELECT published_at, author_id FROM community_livetext text
        WHERE text.thread_id = live.thread_id ORDER BY published_at DESC, post_id DESC LIMIT 1
    ) newest
    WHERE asked.id = wanted AND (live.active_at, live.active_by_id)
        IS DISTINCT FROM (newest.published_at, newest.author_id);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'thread % has its place by another text than its newest', wrong
            USING ERRCODE = 'check_violation';
    END IF;
END
$$;

CREATE FUNCTION community_post_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM community_live_is_published(NEW.id, NEW.opens);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER post_is_seen_as_published
    AFTER INSERT OR UPDATE OF state, published_id, thread_id ON community_post
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION community_post_checked();

CREATE FUNCTION community_live_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM community_live_is_published(coalesce(NEW.post_id, OLD.post_id), false);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER live_is_published
    AFTER INSERT OR DELETE OR UPDATE OF revision_id ON community_livetext
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION community_live_checked();

CREATE FUNCTION community_live_thread_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM community_live_is_published(post.id, false) FROM community_post post
        WHERE post.thread_id = coalesce(NEW.thread_id, OLD.thread_id) AND post.opens;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER live_thread_is_published
    AFTER INSERT OR DELETE OR UPDATE OF active_at, active_by_id ON community_livethread
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION community_live_thread_checked();

CREATE FUNCTION community_post_moves_along_an_arrow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[
        'pending>published', 'pending>changes_requested', 'pending>rejected',
        'published>hidden', 'published>changes_requested', 'published>removed',
        'hidden>published', 'hidden>changes_requested', 'hidden>removed',
        'blocked>published', 'blocked>pending',
        'changes_requested>published', 'changes_requested>pending',
        'rejected>published', 'removed>published',
        'pending>withdrawn', 'published>withdrawn', 'hidden>withdrawn', 'blocked>withdrawn',
        'changes_requested>withdrawn', 'rejected>withdrawn']))
        AND NEW.state <> 'erased' THEN
        RAISE EXCEPTION 'no arrow leads from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER post_moves BEFORE UPDATE OF state ON community_post
    FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION community_post_moves_along_an_arrow();
"""

UNLIVE = """
DROP TRIGGER post_moves ON community_post;
DROP FUNCTION community_post_moves_along_an_arrow();
DROP TRIGGER live_thread_is_published ON community_livethread;
DROP FUNCTION community_live_thread_checked();
DROP TRIGGER live_is_published ON community_livetext;
DROP FUNCTION community_live_checked();
DROP TRIGGER post_is_seen_as_published ON community_post;
DROP FUNCTION community_post_checked();
DROP FUNCTION community_live_is_published(uuid, boolean);
"""

# What was said stays as it was said; erasure may only blank the words. `BLANK` names those columns
# and what they may become; all others keep what they have.
KEEP = """
CREATE FUNCTION TABLE_keeps_its_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - BLANK = to_jsonb(OLD) - BLANK
        AND (SELECT bool_and(to_jsonb(NEW) -> name IN ('""', '[]', to_jsonb(OLD) -> name))
             FROM unnest(BLANK) AS name) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'TABLE is only ever added to, and its words blanked'
        USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER TABLE_is_kept BEFORE UPDATE OR DELETE ON TABLE
    FOR EACH ROW EXECUTE FUNCTION TABLE_keeps_its_words();
CREATE TRIGGER TABLE_is_not_emptied BEFORE TRUNCATE ON TABLE
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
"""
LET_GO = """
DROP TRIGGER TABLE_is_not_emptied ON TABLE;
DROP TRIGGER TABLE_is_kept ON TABLE;
DROP FUNCTION TABLE_keeps_its_words();
"""
WORDS = {
    "community_revision": "ARRAY['title', 'body', 'tags', 'hits']",
    "community_caseevent": "ARRAY['text']",
}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_audit_is_append_only"),
        ("community", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(LIVE, UNLIVE),
        *(
            migrations.RunSQL(
                KEEP.replace("TABLE", table).replace("BLANK", columns),
                LET_GO.replace("TABLE", table),
            )
            for table, columns in WORDS.items()
        ),
    ]
