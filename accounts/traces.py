"""What Postgres keeps of rows that were blanked or deleted, until somebody tidies up.

- The former version of a row stays until a vacuum. Autovacuum comes once a fifth of a table has
  changed, which the words of one person never are.
- A GIN index never lets go of a word that it has held, and in a B-tree one may stay as a separator:
  only building it anew helps.
- The planner's statistics hold samples of what is in a column, until they are made again; those of
  a table that is empty now are never.

What is left then no query reads: bytes in the free space of pages until they are used again, in the
log, and in backups.
"""

from collections.abc import Collection

from django.db import connection


def vacuum(tables: Collection[str]) -> None:
    """Take away former versions of rows, in these tables and their indexes, and make the statistics
    again. In no transaction. Others read and write meanwhile."""
    names = ", ".join(map(connection.ops.quote_name, tables))
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE, INDEX_CLEANUP ON) {names}")
        cursor.execute(" UNION ALL ".join(map(_IF_EMPTY.format, tables)))
        empty = [name for (name,) in cursor.fetchall()]
        cursor.execute(_CLEAR_STATISTICS, [empty])
        # A role that doesn't own the database is warned, and autovacuum does it in the end.
        cursor.execute("VACUUM pg_catalog.pg_statistic")


def rebuild_indexes(table: str, column: str) -> None:
    """Build all indexes that have a column anew, beside the old ones, and let these go. In no
    transaction. Others read and write meanwhile."""
    with connection.cursor() as cursor:
        # What a run that was killed had begun.
        cursor.execute(_HALF_BUILT, [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
        cursor.execute(_INDEXES, [table, column])
        for (name,) in cursor.fetchall():
            cursor.execute(f"REINDEX INDEX CONCURRENTLY {name}")


_IF_EMPTY = "SELECT '{0}' WHERE NOT EXISTS (SELECT FROM \"{0}\")"
_CLEAR_STATISTICS = """
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
    FROM pg_stats WHERE tablename = ANY(%s)
"""
# As they have to be written: quoted where they must be.
_HALF_BUILT = r"""
    SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = %s::regclass AND NOT indisvalid AND relname ~ '_cc(new|old)\d*$'
"""
_INDEXES = """
    SELECT indexrelid::regclass::text
    FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
    WHERE indrelid = %s::regclass AND attname = %s ORDER BY 1
"""
