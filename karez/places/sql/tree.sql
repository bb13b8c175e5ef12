-- The tree of places: as of a day, and today's, kept in places_tree. Codes valid on a day, for joining.

-- Every statement about an area that was not withdrawn, by its true dates. Join it on
-- code, level and a day: starts_on <= day AND (ends_before IS NULL OR ends_before > day).
CREATE OR REPLACE VIEW places_code AS
SELECT area_id, level, code, name_zh, name_en, parent_id, starts_on, ends_before
FROM places_areaspell
WHERE voided_at IS NULL;

-- The area a code of a level meant on a day; NULL where none. For bulk work join places_code instead.
CREATE OR REPLACE FUNCTION places_resolve(wanted_code text, wanted_level text, day date) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT s.area_id FROM places_areaspell s
    WHERE s.code = wanted_code AND s.level = wanted_level AND s.voided_at IS NULL
      AND s.starts_on <= day AND (s.ends_before IS NULL OR s.ends_before > day) LIMIT 1);

-- The whole tree as of a day, each area with its ancestors. `as_counted` false: by true dates, as known now; true: as
-- the books of that day say (counts_from, counts_before, void_counts_on), which a closed year needs and which later
-- learning does not change. An area whose parent is not in the tree that day is not in it either.
CREATE OR REPLACE FUNCTION places_tree_on(day date, as_counted boolean DEFAULT false)
RETURNS TABLE (
    area_id bigint, level text, code text, name_zh text, name_en text, parent_id bigint,
    region_id bigint, prefecture_id bigint, county_id bigint, township_id bigint, village_id bigint,
    path text
)
LANGUAGE sql STABLE BEGIN ATOMIC
    WITH RECURSIVE said AS MATERIALIZED (
        SELECT s.area_id, s.level, s.code, s.name_zh, s.name_en, s.parent_id
        FROM places_areaspell s
        WHERE CASE WHEN as_counted
            THEN s.counts_from <= day AND (s.counts_before IS NULL OR s.counts_before > day)
                 AND (s.void_counts_on IS NULL OR s.void_counts_on > day)
            ELSE s.starts_on <= day AND (s.ends_before IS NULL OR s.ends_before > day) AND s.voided_at IS NULL
            END
    ), tree AS (
        SELECT said.*, said.area_id AS region_id, NULL::bigint AS prefecture_id, NULL::bigint AS county_id,
               NULL::bigint AS township_id, NULL::bigint AS village_id, said.area_id::text AS path
        FROM said WHERE said.parent_id IS NULL
        UNION ALL
        SELECT c.*, p.region_id,
               CASE WHEN c.level = 'prefecture' THEN c.area_id ELSE p.prefecture_id END,
               CASE WHEN c.level = 'county' THEN c.area_id ELSE p.county_id END,
               CASE WHEN c.level = 'township' THEN c.area_id ELSE p.township_id END,
               CASE WHEN c.level = 'village' THEN c.area_id ELSE p.village_id END,
               p.path || '.' || c.area_id
        FROM tree p JOIN said c ON c.parent_id = p.area_id
    )
    SELECT t.area_id, t.level, t.code, t.name_zh, t.name_en, t.parent_id,
           t.region_id, t.prefecture_id, t.county_id, t.township_id, t.village_id, t.path
    FROM tree t;
END;

-- 1 for a region ... 5 for a village.
CREATE OR REPLACE FUNCTION places_depth(level text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_position(ARRAY['region', 'prefecture', 'county', 'township', 'village'], level);

-- Statements that hang in the air: on some of their days the parent does not exist, or is not of a higher level. Asked
-- of all of them at once: row by row it would be the square of them where the planner does not know yet how many there
-- are.
CREATE OR REPLACE VIEW places_orphan AS
SELECT s.id AS spell_id, s.area_id, s.code, s.level, s.parent_id, s.starts_on, s.ends_before
FROM places_areaspell s
LEFT JOIN (
    SELECT c.id, range_agg(daterange(p.starts_on, p.ends_before)) AS days
    FROM places_areaspell c JOIN places_areaspell p ON p.area_id = c.parent_id
    WHERE p.voided_at IS NULL AND places_depth(p.level) < places_depth(c.level)
    GROUP BY c.id
) parent ON parent.id = s.id
WHERE s.voided_at IS NULL AND s.parent_id IS NOT NULL
  AND daterange(s.starts_on, s.ends_before) <> 'empty'
  AND NOT COALESCE(parent.days @> daterange(s.starts_on, s.ends_before), false);

-- Today's tree for every area ever recorded. An area without a spell today hangs under its only successor, or else
-- under the parent it last had, and is marked as not current.
CREATE OR REPLACE VIEW places_tree_now AS
WITH RECURSIVE latest AS MATERIALIZED (
    SELECT DISTINCT ON (s.area_id) s.area_id, s.level, s.code, s.name_zh, s.name_en, s.parent_id,
           s.ends_before IS NULL OR s.ends_before > current_date AS is_current
    FROM places_areaspell s
    WHERE s.voided_at IS NULL AND s.starts_on <= current_date
    ORDER BY s.area_id, s.starts_on DESC, s.id DESC
), heir AS (
    SELECT predecessor_id, min(successor_id) AS successor_id
    FROM places_succession
    WHERE voided_at IS NULL AND happened_on <= current_date AND kind <> 'cut_out'
    GROUP BY predecessor_id HAVING count(DISTINCT successor_id) = 1
), node AS (
    SELECT l.area_id, l.level, l.code, l.name_zh, l.name_en, l.is_current,
           CASE WHEN l.is_current THEN l.parent_id ELSE COALESCE(h.successor_id, l.parent_id) END AS parent_id
    FROM latest l LEFT JOIN heir h ON h.predecessor_id = l.area_id
), tree AS (
    SELECT node.*, node.area_id::text::ltree AS path FROM node WHERE node.parent_id IS NULL
    UNION ALL
    SELECT c.*, p.path || c.area_id::text FROM tree p JOIN node c ON c.parent_id = p.area_id
)
SELECT area_id, path, level, code, name_zh, name_en, is_current, parent_id FROM tree;

-- Rebuilds today's tree; the services call it after every change, and once a day for changes dated ahead.
-- Refuses (KZ081) where a statement about an area has no parent on some of its days. Returns the number of areas.
CREATE OR REPLACE FUNCTION places_refresh_tree() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lost record;
    areas bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('places_refresh_tree'));
    PERFORM periods_plan_for((SELECT count(*) FROM places_areaspell));
    EXECUTE 'SELECT * FROM places_orphan ORDER BY starts_on, code LIMIT 1' INTO lost;
    IF lost.code IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ081',
            MESSAGE = karez_say('an area lies in no area of a higher level on some of its days'),
            DETAIL = karez_say('{1} {2} from {3} until {4}', karez_say(lost.level::text), lost.code::text,
                lost.starts_on::text, coalesce(lost.ends_before::text, karez_say('now')));
    END IF;
    EXECUTE $q$
        WITH renewed AS MATERIALIZED (
            SELECT * FROM places_tree_now
        ), gone AS (
            DELETE FROM places_tree t WHERE NOT EXISTS (SELECT FROM renewed n WHERE n.area_id = t.area_id)
        )
        INSERT INTO places_tree AS t (area_id, path, level, code, name_zh, name_en, is_current, parent_id)
        SELECT n.area_id, n.path, n.level, n.code, n.name_zh, n.name_en, n.is_current, n.parent_id FROM renewed n
        ON CONFLICT (area_id) DO UPDATE
            SET path = excluded.path, level = excluded.level, code = excluded.code, name_zh = excluded.name_zh,
                name_en = excluded.name_en, is_current = excluded.is_current, parent_id = excluded.parent_id
            WHERE (t.path, t.level, t.code, t.name_zh, t.name_en, t.is_current, t.parent_id)
                  IS DISTINCT FROM
                  (excluded.path, excluded.level, excluded.code, excluded.name_zh, excluded.name_en,
                   excluded.is_current, excluded.parent_id)$q$;
    INSERT INTO places_treeday (id, day) VALUES (1, current_date) ON CONFLICT (id) DO UPDATE SET day = excluded.day;
    SELECT count(*) INTO areas FROM places_tree;
    RETURN areas;
END
$$;

-- Whether a change dated ahead has come due since the tree was built.
CREATE OR REPLACE VIEW places_tree_due AS
SELECT EXISTS (
    SELECT FROM places_treeday d JOIN places_areaspell s
      ON (s.starts_on > d.day AND s.starts_on <= current_date) OR (s.ends_before > d.day
          AND s.ends_before <= current_date)
) AS due;

-- Whether somebody of these roles stands, today, over an area or one above it.
CREATE FUNCTION places_stands_over(area bigint, who bigint, roles text[], but bigint[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM places_tree seen JOIN places_tree granted ON seen.path <@ granted.path
      WHERE seen.area_id = area AND granted.area_id IN (SELECT access_standing_areas(who, roles, but)))
$$;

-- The two behind a role look after its area, both when it is given: a proposal does not outlive its proposer's right.
CREATE FUNCTION places_refuse_grant_from_elsewhere() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong record;
    new_ones bigint[];
BEGIN
    IF access_by_operator() THEN RETURN NULL; END IF;
    SELECT array_agg(id) INTO new_ones FROM added;
    SELECT u.username, a.role INTO wrong FROM added a JOIN access_user u ON u.id = a.user_id
      JOIN access_grantproposal p ON p.id = a.proposal_id JOIN access_grantanswer c ON c.proposal_id = p.id
     WHERE access_needs_second(a.role) AND NOT (
           places_stands_over(a.area_id, p.proposed_by_id, ARRAY['administrator'], new_ones)
           AND places_stands_over(a.area_id, c.answered_by_id, ARRAY['administrator', 'approver', 'regional_officer'],
               new_ones)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ096',
            MESSAGE = karez_say('{1} would become {2} over an area that one of the two behind it does not look after.',
                wrong.username::text, access_role_words(wrong.role)),
            DETAIL = karez_say('A role over an area is proposed and confirmed by people whose own roles reach over that area today.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_over_area AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION places_refuse_grant_from_elsewhere();

-- A role lies over an area of one of its levels, whoever gives or proposes it: a village's role over a region would
-- reach every village.
CREATE FUNCTION places_refuse_role_at_level() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    SELECT u.username, a.role, t.level, t.code INTO wrong FROM added a JOIN access_user u ON u.id = a.user_id
      JOIN places_tree t ON t.area_id = a.area_id AND t.level <> ALL (access_levels(a.role)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ097',
            MESSAGE = karez_say('{1} would be {2} over the {3} {4}.', wrong.username::text,
                access_role_words(wrong.role), karez_say(wrong.level::text), wrong.code::text),
            DETAIL = karez_say('A role lies over places of its own levels; nobody stands over a region with a village''s role.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_at_level AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION places_refuse_role_at_level();
CREATE TRIGGER access_grantproposal_at_level AFTER INSERT ON access_grantproposal
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION places_refuse_role_at_level();

REVOKE ALL ON FUNCTION places_refresh_tree() FROM PUBLIC;
REVOKE ALL ON FUNCTION places_tree_on(date, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION places_resolve(text, text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION places_stands_over(bigint, bigint, text[], bigint[]) TO karez_app;
GRANT EXECUTE ON FUNCTION places_refresh_tree() TO karez_app;
GRANT EXECUTE ON FUNCTION places_tree_on(date, boolean) TO karez_app;
GRANT EXECUTE ON FUNCTION places_resolve(text, text, date) TO karez_app;
GRANT EXECUTE ON FUNCTION places_depth(text) TO karez_app;  -- used by views, which run as who reads them
