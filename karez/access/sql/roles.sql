-- Roles that exclude each other, on any day, wherever they were granted. The pairs are those of `rules.INCOMPATIBLE`; a
-- test holds the two against each other.

CREATE FUNCTION access_incompatible(one text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN one <> other AND 'administrator' IN (one, other) OR (LEAST(one, other), GREATEST(one, other)) IN (
        ('approver', 'treasurer'), ('approver', 'finance_officer'), ('auditor', 'treasurer'), ('auditor',
            'finance_officer'),
        ('approver', 'auditor'));
GRANT EXECUTE ON FUNCTION access_incompatible(text, text) TO karez_app;

-- Judged by the days on which a grant counts. Ends and void marks only shorten those, so inserting is what is judged.
CREATE FUNCTION access_refuse_incompatible() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    -- Two grants to one person at the same moment follow each other.
    PERFORM FROM access_user u WHERE u.id IN (SELECT user_id FROM added) ORDER BY u.id FOR NO KEY UPDATE;
    SELECT u.username, a.role, h.role AS held, GREATEST(a.counts_from, h.counts_from) AS day INTO wrong
      FROM added a JOIN access_grant h ON h.user_id = a.user_id AND access_incompatible(a.role, h.role)
       AND daterange(h.counts_from, LEAST(h.counts_before, h.void_counts_on))
           && daterange(a.counts_from, LEAST(a.counts_before, a.void_counts_on))
      JOIN access_user u ON u.id = a.user_id ORDER BY a.id, h.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ090',
            MESSAGE = karez_say('{1} would be {2} and {3} at once, from {4}.', wrong.username::text,
                access_role_words(wrong.role), access_role_words(wrong.held), wrong.day::text),
            DETAIL = karez_say('Who prepares does not approve, who works does not watch.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_compatible AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_refuse_incompatible();

-- Roles one person may not come to alone: every one but those that neither write nor read identity, of which there is
-- none. It follows from permissions in `rules.CONFIRMED`; a test holds the two against each other.
CREATE FUNCTION access_needs_second(role text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN role <> ALL (ARRAY[]::text[]);
GRANT EXECUTE ON FUNCTION access_needs_second(text) TO karez_app;

-- The levels of places over which a role may lie, as in `rules.LEVELS`; an unknown role lies nowhere. Asked by the room
-- of places.
CREATE FUNCTION access_levels(role text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE role
        WHEN 'village_officer' THEN ARRAY['village']
        WHEN 'treasurer' THEN ARRAY['village', 'township', 'county']
        WHEN 'township_officer' THEN ARRAY['township']
        WHEN 'county_officer' THEN ARRAY['county']
        WHEN 'finance_officer' THEN ARRAY['county', 'prefecture', 'region']
        WHEN 'approver' THEN ARRAY['township', 'county', 'prefecture', 'region']
        WHEN 'auditor' THEN ARRAY['village', 'township', 'county', 'prefecture', 'region']
        WHEN 'regional_officer' THEN ARRAY['prefecture', 'region']
        WHEN 'statistician' THEN ARRAY['county', 'prefecture', 'region']
        WHEN 'administrator' THEN ARRAY['township', 'county', 'prefecture', 'region']
        ELSE ARRAY[]::text[] END;
GRANT EXECUTE ON FUNCTION access_levels(text) TO karez_app;

-- The first people are named. Never taken back.
CREATE FUNCTION access_end_founding() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO access_founding (id, ended_at) VALUES (1, now()) ON CONFLICT DO NOTHING
$$;
GRANT EXECUTE ON FUNCTION access_end_founding() TO karez_app;

-- Whether the local operator writes: before the first people are named, or by the owner's connection, which no page
-- has.
CREATE FUNCTION access_by_operator() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT session_user = 'karez_owner' OR NOT EXISTS (SELECT FROM access_founding)
$$;
GRANT EXECUTE ON FUNCTION access_by_operator() TO karez_app;

-- Whether somebody may act at all: a person on record who may sign in. Until the first people are named the operator
-- acts for all.
CREATE FUNCTION access_may_act(who bigint) RETURNS boolean
LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM access_user u WHERE u.id = who AND u.is_active) OR access_by_operator();
GRANT EXECUTE ON FUNCTION access_may_act(bigint) TO karez_app;

CREATE FUNCTION access_require_actor(who bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT access_may_act(who) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ099', MESSAGE = karez_say('Nobody who may sign in has the number {1}.',
            coalesce(who::text, '-')),
            DETAIL = karez_say('What is recorded and decided names a person on record who is active.');
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION access_require_actor(bigint) TO karez_app;

-- The areas over which somebody of these roles may stand behind a grant today: the grants given by the statement itself
-- stand behind nothing. Today is the session's, and ours keep the office's time.
CREATE FUNCTION access_standing_areas(who bigint, roles text[], but bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT g.area_id FROM access_grant g JOIN access_user u ON u.id = g.user_id AND u.is_active
     WHERE g.user_id = who AND g.role = ANY (roles) AND g.id <> ALL (but) AND g.counts_from <= current_date
       AND (g.counts_before IS NULL OR g.counts_before > current_date)
       AND (g.void_counts_on IS NULL OR g.void_counts_on > current_date)
$$;
GRANT EXECUTE ON FUNCTION access_standing_areas(bigint, text[], bigint[]) TO karez_app;

-- Whether there is any; that the area of the grant lies within is asked by the room of places, which knows the tree.
CREATE FUNCTION access_stands(who bigint, roles text[], but bigint[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM access_standing_areas(who, roles, but))
$$;
GRANT EXECUTE ON FUNCTION access_stands(bigint, text[], bigint[]) TO karez_app;

-- Who decides holds today a role that has the permission (`rules.PERMISSIONS`, written here by the guard of rights),
-- wherever: that it reaches over the place is the services' part, who know which place is meant.
CREATE FUNCTION access_require_permission(who bigint, permissions text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM access_require_actor(who);
    IF NOT access_by_operator() AND NOT access_stands(who, access_roles_with(permissions), ARRAY[]::bigint[]) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ099', MESSAGE = karez_say('Person {1} has no role today that may do this.',
            who::text),
            DETAIL = karez_say('asked for: {1}', array_to_string(permissions, ', ')::text);
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION access_require_permission(bigint, text[]) TO karez_app;

-- Nobody comes to a role while another knows their password: the one an administrator gave for the first sign-in.
CREATE FUNCTION access_refuse_known_password() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    SELECT u.username, a.role INTO wrong FROM added a JOIN access_user u ON u.id = a.user_id
      CROSS JOIN LATERAL (SELECT e.what, e.by_id FROM access_signinevent e WHERE e.user_id = a.user_id
          ORDER BY e.id DESC LIMIT 1) last
     WHERE last.what = 'given' AND last.by_id <> a.user_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ098',
            MESSAGE = karez_say('{1} would become {2} while who invited them knows their password.',
                wrong.username::text, access_role_words(wrong.role)),
            DETAIL = karez_say('A role is given to a person who signs in as nobody else can.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_own_password AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_refuse_known_password();

-- A grant is another person's act; and of a role with work of its own the act of two, the one who proposed and the one
-- who confirmed.
CREATE FUNCTION access_refuse_grant_of_one() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong record;
    new_ones bigint[];
BEGIN
    IF access_by_operator() THEN RETURN NULL; END IF;
    SELECT u.username, a.role INTO wrong FROM added a JOIN access_user u ON u.id = a.user_id
     WHERE a.recorded_by_id = a.user_id OR a.operator_note <> '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ093', MESSAGE = karez_say('{1} would be given {2} by nobody else.',
            wrong.username::text, access_role_words(wrong.role)),
            DETAIL = karez_say('Nobody decides about their own roles.');
    END IF;
    SELECT array_agg(id) INTO new_ones FROM added;
    SELECT u.username, a.role INTO wrong FROM added a JOIN access_user u ON u.id = a.user_id
     WHERE access_needs_second(a.role) AND NOT EXISTS (
        SELECT FROM access_grantproposal p JOIN access_grantanswer c ON c.proposal_id = p.id AND c.agreed
         WHERE p.id = a.proposal_id AND (p.user_id, p.role, p.area_id, p.starts_on, p.proposed_by_id)
               = (a.user_id, a.role, a.area_id, a.starts_on, a.recorded_by_id)
           AND c.answered_by_id NOT IN (p.proposed_by_id, p.user_id)
           AND access_stands(p.proposed_by_id, ARRAY['administrator'], new_ones)
           AND access_stands(c.answered_by_id, ARRAY['administrator', 'approver', 'regional_officer'], new_ones))
               LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ094',
            MESSAGE = karez_say('Nobody has confirmed that {1} becomes {2}.', wrong.username::text,
                access_role_words(wrong.role)),
            DETAIL = karez_say('A role with work of its own is proposed by one administrator and confirmed by another person.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_of_two AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_refuse_grant_of_one();

CREATE FUNCTION access_refuse_own_answer() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.agreed AND EXISTS (SELECT FROM access_grantproposal p
                               WHERE p.id = NEW.proposal_id AND NEW.answered_by_id IN (p.proposed_by_id, p.user_id))
                                   THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ093',
            MESSAGE = karez_say('A role is confirmed by another person than who proposed it or would have it.'),
            DETAIL = karez_say('Nobody comes to a role alone.');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER access_grantanswer_of_another BEFORE INSERT
    ON access_grantanswer FOR EACH ROW EXECUTE FUNCTION access_refuse_own_answer();

-- Nobody ends their own role, and none ends in the past: what was done under it was allowed.
CREATE FUNCTION access_refuse_end() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF access_by_operator() THEN RETURN NEW; END IF;
    IF NEW.user_id IN (NEW.ended_by_id, NEW.voided_by_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ093',
            MESSAGE = karez_say('The role would be ended by the person who has it.'),
            DETAIL = karez_say('Nobody decides about their own roles.');
    END IF;
    IF OLD.ends_before IS NULL AND LEAST(NEW.ends_before, NEW.counts_before) < current_date
       OR OLD.voided_at IS NULL AND NEW.void_counts_on < current_date THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ095', MESSAGE = karez_say('The role would end in the past.'),
            DETAIL = karez_say('What was done under a role was allowed; it ends today at the earliest.');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER access_grant_end_by_another BEFORE UPDATE
    ON access_grant FOR EACH ROW EXECUTE FUNCTION access_refuse_end();
