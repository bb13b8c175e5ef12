-- What constraints alone cannot say of the register: nobody belongs to a household after death; identity goes only by a
-- recorded act; a batch on which something stands is not withdrawn. Called by the app's role; owned by the owner.

-- A membership may not count past the day from which the person's death counts.
CREATE FUNCTION register_refuse_member_after_death(who bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ030',
        MESSAGE = karez_say('Person {1} has died and cannot belong to a household later.', who::text),
        DETAIL = karez_say('End the membership on the day of death first; a death recorded by mistake is voided.');
END $$;

CREATE FUNCTION register_refuse_member_of_ended(which bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ036',
        MESSAGE = karez_say('Household {1} has ended, and somebody would still belong to it.', which::text),
        DETAIL = karez_say('Members move, leave or died before their household is dissolved; nobody joins it later.');
END $$;

CREATE FUNCTION register_household_ends_empty() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM register_membership m WHERE m.household_id = NEW.id AND m.voided_at IS NULL
                AND (m.ends_before IS NULL OR m.ends_before > NEW.ends_before))
        OR EXISTS (SELECT FROM register_casespell c WHERE c.household_id = NEW.id AND c.voided_at IS NULL
                AND (c.ends_before IS NULL OR c.ends_before > NEW.ends_before)) THEN
        PERFORM register_refuse_member_of_ended(NEW.id);
    END IF;
    IF EXISTS (SELECT FROM register_assessment a WHERE a.household_id = NEW.id AND a.voided_at IS NULL
        AND a.happened_on >= NEW.ends_before) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ038',
            MESSAGE = karez_say('Household {1} was assessed on that day or later.', NEW.household_no::text),
            DETAIL = karez_say('Choose a later day, or correct the assessment first.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_household_ends_empty AFTER UPDATE OF ends_before ON register_household
FOR EACH ROW WHEN (NEW.ends_before IS NOT NULL
    AND NEW.voided_at IS NULL) EXECUTE FUNCTION register_household_ends_empty();

-- A household that no longer exists has no case and is not assessed. Its row is held against an end at this moment;
-- those this transaction made need no holding, nobody else can see them yet. Planned for the rows at hand, so the text
-- is run, not kept.
CREATE FUNCTION register_refuse_of_dissolved(p_household text, p_ended date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ038',
        MESSAGE = karez_say('Household {1} was dissolved and is not there since {2}.', p_household::text,
            p_ended::text),
        DETAIL = karez_say('Only what was so before that day is recorded of it.');
END $$;

CREATE FUNCTION register_casespell_of_lasting_household() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT count(*) FROM (SELECT FROM register_household h WHERE h.id IN (SELECT household_id FROM added)
        AND h.xmin <> pg_current_xact_id()::xid ORDER BY h.id FOR SHARE) held';
    EXECUTE 'SELECT h.household_no, h.ends_before FROM register_household h JOIN added a ON a.household_id = h.id
        WHERE h.ends_before IS NOT NULL AND h.voided_at IS NULL AND a.voided_at IS NULL AND (a.ends_before IS NULL OR a.ends_before > h.ends_before) ORDER BY h.id LIMIT 1' INTO gone;
    IF gone.household_no IS NOT NULL THEN PERFORM register_refuse_of_dissolved(gone.household_no,
        gone.ends_before); END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION register_assessment_of_lasting_household() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT count(*) FROM (SELECT FROM register_household h WHERE h.id IN (SELECT household_id FROM added)
        AND h.xmin <> pg_current_xact_id()::xid ORDER BY h.id FOR SHARE) held';
    EXECUTE 'SELECT h.household_no, h.ends_before FROM register_household h JOIN added a ON a.household_id = h.id
        WHERE h.ends_before IS NOT NULL AND h.voided_at IS NULL AND a.voided_at IS NULL AND a.happened_on >= h.ends_before ORDER BY h.id LIMIT 1' INTO gone;
    IF gone.household_no IS NOT NULL THEN PERFORM register_refuse_of_dissolved(gone.household_no,
        gone.ends_before); END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_casespell_of_lasting_household AFTER INSERT ON register_casespell REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION register_casespell_of_lasting_household();
CREATE TRIGGER register_assessment_of_lasting_household AFTER INSERT
    ON register_assessment REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION register_assessment_of_lasting_household();

CREATE FUNCTION register_membership_of_living() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE who bigint;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    -- A death recorded at this moment locks its person: wait for it. A large load makes the persons it enters, and
    -- nobody can record the death of a person not yet committed.
    IF (SELECT count(*) FROM (SELECT FROM added LIMIT 1001) few) <= 1000 THEN
        PERFORM FROM register_person p WHERE p.id IN (SELECT person_id FROM added) ORDER BY p.id FOR SHARE;
        PERFORM FROM register_household h WHERE h.id IN (SELECT household_id FROM added) ORDER BY h.id FOR SHARE;
        SELECT m.household_id INTO who FROM added m JOIN register_household h ON h.id = m.household_id
         WHERE h.ends_before IS NOT NULL AND h.voided_at IS NULL AND (m.ends_before IS NULL
             OR m.ends_before > h.ends_before) LIMIT 1;
    ELSE  -- those this load made nobody else sees
        EXECUTE 'SELECT count(*) FROM (SELECT FROM register_household h WHERE h.id IN (SELECT household_id FROM added)
            AND h.xmin <> pg_current_xact_id()::xid ORDER BY h.id FOR SHARE) held';
        EXECUTE 'SELECT m.household_id FROM register_household h JOIN added m ON m.household_id = h.id WHERE h.ends_before IS NOT NULL
            AND h.voided_at IS NULL AND (m.ends_before IS NULL OR m.ends_before > h.ends_before) LIMIT 1' INTO who;
    END IF;
    IF who IS NOT NULL THEN PERFORM register_refuse_member_of_ended(who); END IF;
    EXECUTE 'SELECT d.person_id FROM register_death d JOIN added m USING (person_id)
              WHERE d.voided_at IS NULL AND COALESCE(LEAST(m.counts_before, m.void_counts_on), ''infinity'') > d.counts_on LIMIT 1' INTO who;
    IF who IS NOT NULL THEN PERFORM register_refuse_member_after_death(who); END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_membership_of_living AFTER INSERT ON register_membership
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register_membership_of_living();

CREATE FUNCTION register_death_ends_membership() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE who bigint;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT count(*) FROM (SELECT FROM register_person p WHERE p.id IN (SELECT person_id FROM added) ORDER BY p.id FOR UPDATE) held';
    EXECUTE 'SELECT d.person_id FROM added d JOIN register_membership m USING (person_id)
              WHERE COALESCE(LEAST(m.counts_before, m.void_counts_on), ''infinity'') > d.counts_on LIMIT 1' INTO who;
    IF who IS NOT NULL THEN PERFORM register_refuse_member_after_death(who); END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_death_ends_membership AFTER INSERT ON register_death
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION register_death_ends_membership();

-- Identity is never simply deleted, and its person never exchanged behind the record.
CREATE FUNCTION register_identity_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT tableowner FROM pg_tables WHERE schemaname = 'public'
        AND tablename = 'register_identity') THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ031',
            MESSAGE = karez_say('Identity is removed only by erasing a person or withdrawing a batch.'),
            DETAIL = karez_say('Ask for the erasure of the person; a second person carries it out.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_identity_stays BEFORE DELETE ON register_identity
FOR EACH STATEMENT EXECUTE FUNCTION register_identity_stays();

CREATE FUNCTION register_identity_of_its_person() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM register_person p WHERE p.id = NEW.person_id AND p.replaces_id = OLD.person_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ034',
            MESSAGE = karez_say('The identity of person {1} is not that of person {2}.', OLD.person_id::text,
                NEW.person_id::text),
            DETAIL = karez_say('An identity goes only to the record that replaces its person''s.');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER register_identity_of_its_person BEFORE UPDATE OF person_id ON register_identity
FOR EACH ROW WHEN (OLD.person_id <> NEW.person_id) EXECUTE FUNCTION register_identity_of_its_person();

-- A corrected person has several records, each replaced by the next. All of them, and the one that stands.
CREATE FUNCTION register_records_of(p_person bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE record AS (
        SELECT id, replaces_id FROM register_person WHERE id = p_person
        UNION SELECT p.id, p.replaces_id FROM record r JOIN register_person p ON p.id = r.replaces_id
            OR p.replaces_id = r.id
    ) SELECT id FROM record
$$;

CREATE FUNCTION register_present_record(p_person bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.id FROM register_person p WHERE p.id IN (SELECT register_records_of(p_person))
        ORDER BY p.voided_at IS NOT NULL, p.id DESC LIMIT 1
$$;

-- At commit: a person on record belongs or belonged to a household. Who was entered by mistake is corrected, moved or
-- erased; a person without any membership could be reached by nobody.
CREATE FUNCTION register_person_keeps_household() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM register_person p WHERE p.id = NEW.person_id AND p.voided_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (SELECT FROM register_membership m WHERE m.person_id = NEW.person_id
        AND m.voided_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ037', MESSAGE = karez_say('Person {1} would belong to no household.',
            NEW.person_id::text),
            DETAIL = karez_say('Move the person, correct the days, or ask on their page that who they are be erased.');
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER register_person_keeps_household AFTER UPDATE OF voided_at
    ON register_membership DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.voided_at IS NULL
    AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION register_person_keeps_household();

-- An open request for an erasure, held until the end; refuses whoever asked for it, and who may not carry it out.
CREATE FUNCTION register_erasure_asked(p_request bigint, p_by bigint) RETURNS register_erasurerequest
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE asked register_erasurerequest;
BEGIN
    SELECT * INTO asked FROM register_erasurerequest WHERE id = p_request FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM register_erasure WHERE request_id = p_request) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ032', MESSAGE = karez_say('Request {1} is not open.', p_request::text),
            DETAIL = karez_say('An erasure is asked for by one person and carried out once by another.');
    END IF;
    IF p_by IS NULL OR asked.requested_by_id = p_by THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ033', MESSAGE = karez_say('Who asks for an erasure does not carry it out.'),
            DETAIL = karez_say('Another person with the permission has to do it.');
    END IF;
    PERFORM access_require_permission(p_by, ARRAY['register.apply']);
    RETURN asked;
END $$;

-- Removes name, number, index entries and history of a person, and gives the person a new random key, so that keys in
-- frozen tables lead to nobody. With them go what is kept in the clear of files that may hold the person (the whole
-- file, or its words alone) and the names of documents that hold the person's: one act, on record with how many it
-- reached, not which, since that would lead back to the person. What remains says that somebody of a sex and age lived
-- in a household.
CREATE FUNCTION register_erase(p_request bigint, p_by bigint, p_documents bigint[] DEFAULT '{}',
    p_files bigint[] DEFAULT '{}',
    p_words bigint[] DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked register_erasurerequest := register_erasure_asked(p_request, p_by);
    records bigint[];
    known bigint[];
    reached record;
    documents int := 0;
    files int := 0;
    words int := 0;
BEGIN
    FOR reached IN SELECT x.batch, bool_or(x.whole) AS whole FROM (SELECT f, true FROM unnest(p_files) f UNION ALL
        SELECT w, false FROM unnest(p_words) w)
        x (batch, whole) GROUP BY x.batch ORDER BY x.batch LOOP
        IF reached.whole THEN PERFORM intake_file_forgotten(reached.batch);
            ELSE PERFORM intake_forget_words(reached.batch); END IF;
        files := files + reached.whole::int;
        words := words + (NOT reached.whole)::int;
    END LOOP;
    FOR reached IN SELECT DISTINCT d.id FROM unnest(p_documents) d (id) ORDER BY d.id LOOP
        documents := documents + notices_forget_name(reached.id)::int;
    END LOOP;
    -- A corrected person has earlier and later records: what they hold or held goes with them.
    -- A correction under way is waited for, and what it made is found by the next look.
    LOOP
        SELECT array_agg(one ORDER BY one) INTO records FROM register_records_of(asked.person_id) one;
        EXIT WHEN records IS NOT DISTINCT FROM known;
        PERFORM FROM register_person p WHERE p.id = ANY (records) ORDER BY p.id FOR UPDATE;
        known := records;
    END LOOP;
    DELETE FROM register_identity WHERE person_id = ANY (records);
    DELETE FROM register_identityevent WHERE person_id = ANY (records) OR pgh_obj_id = ANY (records);
    UPDATE register_person SET key = gen_random_uuid() WHERE id = ANY (records);
    INSERT INTO register_erasure (request_id, requested_by_id, erased_by_id, documents_renamed, files_deleted,
        files_without_words)
    VALUES (p_request, asked.requested_by_id, p_by, documents, files, words);
    RETURN asked.person_id;
END $$;

-- What was erased does not come back, neither under the person's record nor under one that replaces it. Asked of all at
-- once: the erased are few, so a load of a million identities costs one look.
CREATE FUNCTION register_erased_stay_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE back bigint;
BEGIN
    WITH RECURSIVE erased AS (
        SELECT p.id, p.replaces_id FROM register_erasure e JOIN register_erasurerequest q ON q.id = e.request_id
          JOIN register_person p ON p.id = q.person_id
        UNION SELECT p.id, p.replaces_id FROM register_person p JOIN erased e ON p.id = e.replaces_id
            OR p.replaces_id = e.id
    ) SELECT i.person_id INTO back FROM erased JOIN register_identity i ON i.person_id = erased.id LIMIT 1;
    IF back IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ035', MESSAGE = karez_say('The identity of person {1} was erased.',
            back::text),
            DETAIL = karez_say('Nobody enters again what was erased.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER register_identity_erased_stay_erased AFTER INSERT OR UPDATE OF person_id ON register_identity
FOR EACH STATEMENT EXECUTE FUNCTION register_erased_stay_erased();

-- Removes the identity of the persons a withdrawn batch brought; their rows are void by then.
CREATE FUNCTION register_forget_batch(p_batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone bigint;
BEGIN
    IF EXISTS (SELECT FROM intake_batch b WHERE b.id = p_batch AND b.state <> 'withdrawn') THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ031', MESSAGE = karez_say('Batch {1} was not withdrawn.', p_batch::text),
            DETAIL = karez_say('Identity goes by the erasure of a person, or with a batch that two people withdrew.');
    END IF;
    DELETE FROM register_identityevent i USING register_person p
     WHERE p.id = i.person_id AND p.batch_id = p_batch AND p.voided_at IS NOT NULL;
    DELETE FROM register_identity i USING register_person p
     WHERE p.id = i.person_id AND p.batch_id = p_batch AND p.voided_at IS NOT NULL;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- What stands on the households and persons of a batch: rows of any table that point at them, not void, of no batch or
-- another one. Rooms above are found by their foreign keys, so that this room need not know them.
CREATE FUNCTION register_built_on(p_batch bigint) RETURNS TABLE (row_no bigint, found text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE link record;
BEGIN
    FOR link IN
        SELECT c.conrelid::regclass AS tab, a.attname AS col, c.confrelid::regclass AS target,
               bool_or(v.attname = 'voided_at') AS has_void, bool_or(v.attname = 'batch_id') AS has_batch
          FROM pg_constraint c
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
          LEFT JOIN pg_attribute v ON v.attrelid = c.conrelid AND v.attname IN ('voided_at', 'batch_id')
              AND NOT v.attisdropped
         WHERE c.contype = 'f' AND c.confrelid IN ('register_household'::regclass, 'register_person'::regclass)
           AND c.conrelid <> 'register_identity'::regclass
         GROUP BY c.oid, c.conrelid, a.attname, c.confrelid
    LOOP
        RETURN QUERY EXECUTE format(
            $q$SELECT 0::bigint, karez_say('{1} rows of {2}', count(*)::text, %L) FROM %s x JOIN %s t ON t.id = x.%I
                WHERE t.batch_id = $1 AND t.voided_at IS NULL %s %s HAVING count(*) > 0$q$,
            link.tab::text, link.tab, link.target, link.col,
            CASE WHEN link.has_void THEN 'AND x.voided_at IS NULL' ELSE '' END,
            CASE WHEN link.has_batch THEN 'AND x.batch_id IS DISTINCT FROM $1' ELSE '' END) USING p_batch;
    END LOOP;
END $$;

-- The app may call what it needs; triggers and the helpers they use are for the owner alone.
REVOKE ALL ON FUNCTION register_records_of(bigint), register_present_record(bigint), register_erasure_asked(bigint,
    bigint),
    register_erase(bigint, bigint, bigint[], bigint[], bigint[]), register_forget_batch(bigint),
        register_built_on(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_records_of(bigint), register_present_record(bigint), register_erase(bigint, bigint,
    bigint[], bigint[], bigint[]),
    register_forget_batch(bigint), register_built_on(bigint) TO karez_app;
