-- A tally of tables to which rows are only ever added: how many, and a sum over what is in them. Kept by trigger within
-- the writer's transaction, so that a gap a rolled-back number leaves is no fault, and a row that is missing or other
-- than written is one. Marks set later (an end, a void) are left out. Each process of the database has a row of its
-- own, so that writers never wait for each other.

CREATE FUNCTION periods_content(p_row jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT ('x' || left(md5((p_row - ARRAY['voided_at', 'voided_by_id', 'void_reason', 'void_counts_on',
    'ends_before', 'counts_before',
    'ended_at', 'ended_by_id', 'end_reason'])::text), 16))::bit(64)::bigint::numeric $$;

CREATE FUNCTION periods_tally() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' AS $$
BEGIN
    INSERT INTO periods_tally AS t (table_name, shard, rows, content)
    SELECT TG_TABLE_NAME, pg_backend_pid(), count(*), sum(periods_content(to_jsonb(a))) FROM added a HAVING count(*) > 0
    ON CONFLICT (table_name, shard) DO UPDATE SET rows = t.rows + excluded.rows, content = t.content + excluded.content;
    RETURN NULL;
END $$;

-- A row of such a table was changed lawfully, by a function of the owner's that says by how much its content differs.
CREATE FUNCTION periods_tally_changed(p_table text, p_difference numeric) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO periods_tally AS t (table_name, shard, rows, content)
        VALUES (p_table, pg_backend_pid(), 0, p_difference)
    ON CONFLICT (table_name, shard) DO UPDATE SET content = t.content + excluded.content
$$;

GRANT EXECUTE ON FUNCTION periods_content(jsonb) TO karez_app;
