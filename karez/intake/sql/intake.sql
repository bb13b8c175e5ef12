-- The states of a batch and its staged table. Called by the app's role; owned by the owner. Codes KZ040 to KZ049.
-- A staged table is `staging.batch_<id>`: made empty for each try, filled by the app, closed to writing when checked.

CREATE SCHEMA staging;
GRANT USAGE ON SCHEMA staging TO karez_app;

-- A text as it may be kept in the clear. Numbers that look like a person's (identity cards of 15 and 18 signs, cards,
-- telephones), in whatever width and grouping, are told by their length alone.
CREATE FUNCTION intake_without_numbers(told text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN hidden = narrow THEN told ELSE hidden END
      FROM (SELECT translate(told, '０１２３４５６７８９Ｘｘ－　', '0123456789Xx- ') AS narrow) n,
      LATERAL (SELECT regexp_replace(narrow,
        '(?<![0-9])([0-9]{15,19}|[0-9]{17}[Xx]|[0-9]{6}[ -][0-9]{8}[ -][0-9]{3}[0-9Xx]|[0-9]{4}([ -][0-9]{4}){3}([ -][0-9]{1,3})?'
        || '|[0-9]{6}[ ,-][0-9]{6}[ ,-]([0-9]{6}|[0-9]{5}[Xx])|[0-9]{3}(,[0-9]{3}){4,5}|([+]?86[ -]?)?1[3-9][0-9]([ -]?[0-9]{4}){2})(?![0-9])', '(a number, not shown)', 'g') AS hidden) h
$$;

-- The same of every text of a JSON value: what notices and headings say.
CREATE FUNCTION intake_texts_without_numbers(told jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN CASE jsonb_typeof(told)
        WHEN 'string' THEN to_jsonb(intake_without_numbers(told #>> '{}'))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(intake_texts_without_numbers(one) ORDER BY n), '[]')
                             FROM jsonb_array_elements(told) WITH ORDINALITY AS every (one, n))
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(intake_without_numbers(key),
            intake_texts_without_numbers(value)), '{}')
                              FROM jsonb_each(told))
        ELSE told END;
END $$;

-- Where a batch is on its way, as people are told (`models.State`).
CREATE FUNCTION intake_state_words(state text) RETURNS text
LANGUAGE sql STABLE RETURN CASE state
    WHEN 'received' THEN karez_say('received') WHEN 'staging' THEN karez_say('being checked')
    WHEN 'checked' THEN karez_say('checked, waiting for approval') WHEN 'faulty' THEN karez_say('has faults')
    WHEN 'applying' THEN karez_say('being applied') WHEN 'applied' THEN karez_say('applied')
    WHEN 'refused' THEN karez_say('refused') WHEN 'withdrawn' THEN karez_say('withdrawn')
    ELSE karez_say('not there') END;

-- What two spellings of a word share: width, case, blanks, underscores, hyphens and stars aside (`rules.word_key`).
CREATE FUNCTION intake_word_key(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT regexp_replace(lower(normalize(word, NFKC)), '[[:space:]_*-]', '', 'g')
$$;

CREATE FUNCTION intake_is_heading(word text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM intake_word w WHERE w.key = intake_word_key(word) AND w.is_heading)
$$;

CREATE FUNCTION intake_is_unit(word text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM intake_word w WHERE w.key = intake_word_key(word) AND w.is_unit)
$$;

CREATE FUNCTION intake_not_shown(told text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN length(told) = 1 THEN karez_say('(1 character, not shown)')
        ELSE karez_say('({1} characters, not shown)', length(told)::text) END
$$;

-- The unit behind the digits of a cell. What is no unit, or more than one, is left out.
CREATE FUNCTION intake_told_unit(told text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN intake_is_unit(read[2]) THEN '… ' || read[2] ELSE intake_not_shown(told) END
      FROM (SELECT coalesce(regexp_match(told, '^([-+]?[0-9][0-9,.]* *)([^0-9 ].*)$'), ARRAY['', ''])) s (read)
$$;

-- Of a text, the words of the program and headings; what was read out of cells and records does not pass.
CREATE FUNCTION intake_told_words(told text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT string_agg(CASE
        WHEN word ~ '^([a-z][a-z_'']*|[0-9]{1,6}|#[A-Z/]+[0-9]?[!?A]|[A-Z]{1,3}[0-9]{1,7}(:[A-Z]{1,3}[0-9]{1,7})?)[.,;:]?$'
                OR (length(rtrim(word, '.,;:')) > 1 AND intake_is_heading(rtrim(word, '.,;:'))) THEN word
                    ELSE '…' END, ' ' ORDER BY n)
        FROM regexp_split_to_table(told, '\s+') WITH ORDINALITY AS words (word, n)
$$;

-- Of a message the pattern, in small letters as ours are, and of each value what `intake_told_words` shows; where it names
-- a unit, the unit alone.
CREATE FUNCTION intake_told_message(told jsonb, rule text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE plain text := told #>> '{}';
BEGIN
    IF jsonb_typeof(told) = 'array' THEN
        RETURN (SELECT coalesce(jsonb_agg(intake_told_message(one, rule) ORDER BY n), '[]')
                  FROM jsonb_array_elements(told) WITH ORDINALITY AS every (one, n));
    ELSIF told ? 'say' THEN
        RETURN jsonb_build_object('say', CASE WHEN told ->> 'say' ~ '^[a-z0-9 ,.;:(){}_×=/''-]*$' THEN told ->> 'say'
                ELSE intake_told_words(told ->> 'say') END,
            'with', intake_told_message(told -> 'with', rule));
    ELSIF told ? 'list' THEN
        RETURN jsonb_build_object('list', intake_told_message(told -> 'list', rule));
    ELSIF jsonb_typeof(told) = 'object' AND NOT told ? 'number' THEN
        RETURN (SELECT coalesce(jsonb_object_agg(key, intake_told_message(value, rule)), '{}') FROM jsonb_each(told));
    ELSIF plain ~ '^\{"(say|list)":' THEN
        RETURN to_jsonb(intake_told_message(plain::jsonb, rule)::text);
    END IF;
    RETURN to_jsonb(CASE WHEN rule <> 'unit' OR plain ~ '^[0-9]{1,6}$' THEN intake_told_words(plain)
        WHEN intake_is_unit(plain) OR (length(plain) > 1 AND intake_is_heading(plain)) THEN plain ELSE '…' END);
END $$;

CREATE FUNCTION intake_told_kept(told text, rule text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN intake_told_message(told::jsonb, rule)::text;
EXCEPTION WHEN invalid_text_representation THEN  -- a cell that looks like a message
    RETURN intake_not_shown(told);
END $$;

-- What a fault may say it found. Of a sheet with people's identity no cell is kept: a name may stand in any column.
-- What a check says of rows keeps its own words and small numbers (rows, counts). Headings and units (`intake_word`) say
-- nobody's name and are shown, here as in notices (`telling.noticed`).
CREATE FUNCTION intake_told(told text, rule text, identity boolean) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE
        WHEN NOT identity THEN intake_without_numbers(told)
        WHEN told = '' THEN told
        WHEN told ~ '^\{"(say|list)":' THEN intake_told_kept(told, rule)
        WHEN rule = 'day_opened' AND told ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
            THEN told  -- a day read as such, of no opened year
        WHEN rule = ANY ('{unit,type}') AND NOT intake_is_heading(told) THEN intake_told_unit(told)
        WHEN rule = ANY ('{required,type,area,area_scope,formula,max_length,control,low,high,pattern,id_number,key,unit}')
            THEN CASE WHEN length(told) > 1 AND intake_is_heading(told) THEN told ELSE intake_not_shown(told) END
        ELSE intake_told_words(told)
    END
$$;

-- Every fault passes here, whichever way it comes.
CREATE FUNCTION intake_keep_no_identity() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE identity boolean := (SELECT b.holds_identity FROM intake_batch b WHERE b.id = NEW.batch_id);
BEGIN
    NEW.found := intake_told(NEW.found, NEW.rule, coalesce(identity, true));
    NEW."column" := intake_without_numbers(NEW."column");
    RETURN NEW;
END $$;

CREATE TRIGGER intake_fault_no_identity BEFORE INSERT
    ON intake_fault FOR EACH ROW EXECUTE FUNCTION intake_keep_no_identity();
CREATE TRIGGER intake_question_no_identity BEFORE INSERT
    ON intake_question FOR EACH ROW EXECUTE FUNCTION intake_keep_no_identity();

-- Which permission applies batches of the sheet, and whether it has columns of identity, is what its room declares
-- (`intake_sheet`, written anew with the rights after each migration), not what the caller says.
CREATE FUNCTION intake_receive(p_sheet text, p_file_name text, p_digest text, p_bytes bigint, p_ref text, p_kept text,
    p_mark text,
    p_delete_on date, p_sender bigint, p_notices jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made bigint;
    declared record;
BEGIN
    PERFORM access_require_actor(p_sender);
    SELECT * INTO declared FROM intake_sheet(p_sheet);
    IF declared.apply_permission IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ046', MESSAGE = karez_say('No room declares a sheet {1}.', p_sheet::text),
            DETAIL = karez_say('A file is received as a sheet that some room declares.');
    END IF;
    INSERT INTO intake_batch (sheet, file_name, digest, size_bytes, vault_ref, kept_digest, mark, delete_file_on,
        sender_id, notices, holds_identity,
        apply_permission)
    VALUES (p_sheet, intake_without_numbers(p_file_name), p_digest, p_bytes, p_ref, p_kept, p_mark, p_delete_on,
        p_sender, intake_texts_without_numbers(p_notices),
        declared.identity, declared.apply_permission)
    RETURNING id INTO made;
    RETURN made;
END $$;

-- Locks the batch's row and refuses unless it is in one of the states named.
CREATE FUNCTION intake_take(p_batch bigint, VARIADIC p_states text[]) RETURNS intake_batch
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch;
BEGIN
    SELECT * INTO taken FROM intake_batch WHERE id = p_batch FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT taken.state = ANY (p_states) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ040',
            MESSAGE = karez_say('Batch {1} is {2}.', p_batch::text, intake_state_words(taken.state)),
            DETAIL = karez_say('This can be done only while it is: {1}.', jsonb_build_object('list',
                (SELECT jsonb_agg(intake_state_words(one)) FROM unnest(p_states) every (one)))::text);
    END IF;
    RETURN taken;
END $$;

-- The staged table goes. The number of a batch is all that ever enters this text; called by the functions below alone.
CREATE FUNCTION intake_drop_stage(p_batch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS staging.batch_%s', p_batch);
END $$;

-- Makes the staged table anew. p_columns: [{"name": ..., "type": ...}] with the few types a sheet can have.
CREATE FUNCTION intake_begin_staging(p_batch bigint, p_columns jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    taken intake_batch := intake_take(p_batch, 'received', 'staging', 'checked', 'faulty');
    definition text;
BEGIN
    IF coalesce(jsonb_typeof(p_columns), '') <> 'array' OR EXISTS (SELECT FROM jsonb_array_elements(p_columns) c
            WHERE coalesce(c->>'name' ~ '^[a-z][a-z0-9_]{0,50}$', false) IS FALSE
               OR coalesce(c->>'type' = ANY (ARRAY['text', 'bigint', 'integer', 'numeric', 'date', 'boolean',
                   'bytea']), false) IS FALSE) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ041',
            MESSAGE = karez_say('A staged column has a name or type no sheet can have.');
    END IF;
    SELECT string_agg(format('%I %s', c->>'name', c->>'type'), ', ' ORDER BY n) INTO definition
      FROM jsonb_array_elements(p_columns) WITH ORDINALITY AS given(c, n);
    UPDATE intake_batch SET state = 'staging', row_count = NULL, fault_count = NULL, totals = '[]', trouble = '',
        question_count = 0,
           confirmed_by_id = NULL, confirmed_at = NULL WHERE id = p_batch;
    DELETE FROM intake_fault WHERE batch_id = p_batch;
    DELETE FROM intake_question WHERE batch_id = p_batch;
    DELETE FROM intake_batcharea WHERE batch_id = p_batch;
    PERFORM intake_drop_stage(taken.id);
    -- Not logged: after a crash of the server it is empty, which is noticed by its count and staged again.
    EXECUTE format('CREATE UNLOGGED TABLE staging.batch_%s (row_no bigint NOT NULL, %s)', taken.id, definition);
    EXECUTE format('GRANT SELECT, INSERT ON staging.batch_%s TO karez_app', taken.id);
END $$;

-- The table is full: no row can be added any more, and the planner knows it.
CREATE FUNCTION intake_close_stage(p_batch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch := intake_take(p_batch, 'staging');
BEGIN
    EXECUTE format('REVOKE INSERT ON staging.batch_%s FROM karez_app', taken.id);
    EXECUTE format('ANALYZE staging.batch_%s', taken.id);
END $$;

CREATE FUNCTION intake_staged(p_batch bigint, p_rows bigint, p_faults bigint, p_totals jsonb, p_notices jsonb,
    p_years jsonb DEFAULT '[]',
    p_headings jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE now_is text := CASE WHEN p_faults = 0 THEN 'checked' ELSE 'faulty' END;
BEGIN
    PERFORM intake_take(p_batch, 'staging');
    IF p_faults = 0 AND EXISTS (SELECT FROM intake_fault WHERE batch_id = p_batch) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ042', MESSAGE = karez_say('Batch {1} has faults.', p_batch::text);
    END IF;
    IF p_faults > 0 THEN  -- what is wrong is listed; the rows are kept in the vault only
        PERFORM intake_drop_stage(p_batch);
    END IF;
    UPDATE intake_batch SET state = now_is, row_count = p_rows, fault_count = p_faults, totals = p_totals,
           notices = intake_texts_without_numbers(p_notices), years = p_years,
               headings = intake_texts_without_numbers(p_headings), staged_at = now(),
           question_count = (SELECT count(DISTINCT row_no) FROM intake_question WHERE batch_id = p_batch AND asks)
               WHERE id = p_batch;
    RETURN now_is;
END $$;

-- A try to stage or apply that came to nothing says why; the batch waits as before it.
CREATE FUNCTION intake_failed(p_batch bigint, p_trouble text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM intake_take(p_batch, 'received', 'staging', 'checked', 'faulty', 'applying');
    UPDATE intake_batch SET trouble = p_trouble, decided_by_id = NULL, decided_at = NULL,
           state = CASE state WHEN 'applying' THEN 'checked' WHEN 'staging' THEN 'received' ELSE state END
               WHERE id = p_batch;
END $$;

-- The sender says that the rows asked about are meant. What is asked anew after a later check is confirmed anew.
CREATE FUNCTION intake_confirm(p_batch bigint, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch := intake_take(p_batch, 'checked');
BEGIN
    IF p_by IS NULL OR taken.sender_id <> p_by THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ045', MESSAGE = karez_say('Batch {1} was sent by another person.',
            p_batch::text),
            DETAIL = karez_say('Only its sender knows whether the rows are meant.');
    END IF;
    IF taken.question_count = 0 OR taken.confirmed_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ045', MESSAGE = karez_say('Nothing of batch {1} waits to be confirmed.',
            p_batch::text),
            DETAIL = karez_say('Rows that look like others are confirmed once after each check.');
    END IF;
    UPDATE intake_batch SET confirmed_by_id = p_by, confirmed_at = now() WHERE id = p_batch;
END $$;

-- Who decides has the permission of the batch's own sheet, as it was declared when the file came; a batch without one
-- is decided by nobody.
CREATE FUNCTION intake_require_apply(p_by bigint, taken intake_batch) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT access_require_permission(p_by, ARRAY[replace(replace(taken.apply_permission, '%', ''), '_', '\_')])
$$;

CREATE FUNCTION intake_decide(p_batch bigint, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch := intake_take(p_batch, 'checked');
BEGIN
    IF p_by IS NULL OR taken.sender_id = p_by THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ043', MESSAGE = karez_say('Batch {1} was sent by the same person.',
            p_batch::text),
            DETAIL = karez_say('One person sends a file, another applies it.');
    END IF;
    IF taken.confirmed_at IS NULL AND EXISTS (SELECT FROM intake_question WHERE batch_id = p_batch AND asks) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ045',
            MESSAGE = karez_say('Rows of batch {1} wait to be confirmed by its sender.', p_batch::text),
            DETAIL = karez_say('Rows that look like others are applied only after the sender has said that they are meant.');
    END IF;
    PERFORM intake_require_apply(p_by, taken);
    UPDATE intake_batch SET state = 'applying', decided_by_id = p_by, decided_at = now(), trouble = ''
        WHERE id = p_batch;
END $$;

-- Rows of facts that name a batch are written while it is applied (`periods_judge_batch`). The batch is held until the
-- end, so nobody else writes rows of it meanwhile; what is taken back was withdrawn by this transaction. A batch waits
-- as `applying` between the decision and the work: the first row that names it is noted, and such a note is committed
-- only with the end of the work.
CREATE OR REPLACE FUNCTION periods_batch_at_work(p_batch bigint, p_back boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE b record;
BEGIN
    SELECT state, written_at, withdrawn_at INTO b FROM intake_batch WHERE id = p_batch FOR NO KEY UPDATE;
    IF b.state = 'applying' THEN
        IF b.written_at IS NULL THEN UPDATE intake_batch SET written_at = now() WHERE id = p_batch; END IF;
        RETURN true;
    END IF;
    RETURN coalesce(p_back AND b.state = 'withdrawn' AND b.withdrawn_at = now(), false);
END $$;

CREATE FUNCTION intake_written_is_applied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM intake_batch WHERE id = NEW.id AND state NOT IN ('applied', 'withdrawn')) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ047', MESSAGE = karez_say('Rows name batch {1}, which was not applied.',
            NEW.id::text),
            DETAIL = karez_say('The rows of a file are written by the work that applies it: all of them and its new state, or nothing.');
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER intake_batch_written_is_applied AFTER UPDATE OF written_at
    ON intake_batch DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.written_at IS NOT NULL) EXECUTE FUNCTION intake_written_is_applied();

CREATE FUNCTION intake_applied(p_batch bigint, p_counts jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM intake_take(p_batch, 'applying');
    UPDATE intake_batch SET state = 'applied', counts = p_counts, applied_at = now() WHERE id = p_batch;
    PERFORM intake_drop_stage(p_batch);
END $$;

CREATE FUNCTION intake_refuse(p_batch bigint, p_by bigint, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch := intake_take(p_batch, 'received', 'staging', 'checked', 'faulty');
BEGIN
    PERFORM access_require_actor(p_by);
    IF p_by <> taken.sender_id THEN PERFORM intake_require_apply(p_by, taken); END IF;  -- who sent it may take it back
    UPDATE intake_batch SET state = 'refused', decided_by_id = p_by, decided_at = now(), reason = btrim(p_reason)
        WHERE id = p_batch;
    PERFORM intake_drop_stage(p_batch);
END $$;

-- One person asks to take an applied batch back, giving the reason; another does it.
CREATE FUNCTION intake_ask_withdrawal(p_batch bigint, p_by bigint, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM intake_take(p_batch, 'applied');
    IF p_by IS NULL OR coalesce(btrim(p_reason), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ044', MESSAGE = karez_say('A withdrawal needs a person and a reason.');
    END IF;
    PERFORM access_require_actor(p_by);
    UPDATE intake_batch SET withdrawal_by_id = p_by, withdrawal_reason = btrim(p_reason) WHERE id = p_batch;
END $$;

CREATE FUNCTION intake_withdrawn(p_batch bigint, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE taken intake_batch := intake_take(p_batch, 'applied');
BEGIN
    IF p_by IS NULL OR taken.withdrawal_by_id IS NULL OR taken.withdrawal_by_id = p_by THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ043', MESSAGE = karez_say('The withdrawal of batch {1} needs two people.',
            p_batch::text),
            DETAIL = karez_say('One person asks for it, another does it.');
    END IF;
    PERFORM intake_require_apply(p_by, taken);
    UPDATE intake_batch SET state = 'withdrawn', withdrawn_by_id = p_by, withdrawn_at = now() WHERE id = p_batch;
END $$;

-- What a file said of itself and what was found in it goes with the file: its name, what was noticed, and the words of
-- its faults. That it was sent, by whom, how many faults of which rule it had, and what became of it stays. Not while
-- somebody is to decide by it: what was noticed and asked of a checked file is there until it is applied or refused.
CREATE FUNCTION intake_forget_words(p_batch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM intake_take(p_batch, 'received', 'faulty', 'refused', 'applied', 'withdrawn');
    UPDATE intake_batch SET file_name = sheet, trouble = '', headings = '{}', notices = (SELECT coalesce(jsonb_agg(
            CASE WHEN n ? 'place' THEN n || '{"found": "…"}' ELSE n END), '[]') FROM jsonb_array_elements(notices) n
        WHERE n->>'what' = 'not_judged' OR n ? 'place')
            WHERE id = p_batch;  -- where a dropped column stood is asked for when the file is checked again
    DELETE FROM intake_fault WHERE batch_id = p_batch;
    UPDATE intake_question SET found = '' WHERE batch_id = p_batch;
END $$;

CREATE FUNCTION intake_file_deleted(p_batch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE intake_batch SET file_deleted_at = now() WHERE id = p_batch AND file_deleted_at IS NULL
        AND delete_file_on <= current_date
       AND state IN ('faulty', 'refused', 'applied', 'withdrawn');
    IF FOUND THEN PERFORM intake_forget_words(p_batch); END IF;
END $$;

-- A person of the file was erased: the file goes before its day. What still waits is decided first. For the room that
-- erases.
CREATE FUNCTION intake_file_forgotten(p_batch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM intake_take(p_batch, 'faulty', 'refused', 'applied', 'withdrawn');
    UPDATE intake_batch SET file_deleted_at = now() WHERE id = p_batch AND file_deleted_at IS NULL;
    PERFORM intake_forget_words(p_batch);
END $$;

-- How many rows are staged; -1 where there is no staged table.
CREATE FUNCTION intake_staged_rows(p_batch bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE n bigint;
BEGIN
    IF to_regclass(format('staging.batch_%s', p_batch)) IS NULL THEN RETURN -1; END IF;
    EXECUTE format('SELECT count(*) FROM staging.batch_%s', p_batch) INTO n;
    RETURN n;
END $$;

GRANT EXECUTE ON FUNCTION intake_receive(text, text, text, bigint, text, text, text, date, bigint, jsonb),
    intake_take(bigint, text[]), intake_begin_staging(bigint, jsonb),
    intake_close_stage(bigint), intake_staged(bigint, bigint, bigint, jsonb, jsonb, jsonb, jsonb),
        intake_failed(bigint, text), intake_confirm(bigint, bigint),
    intake_decide(bigint, bigint), intake_applied(bigint, jsonb), intake_refuse(bigint, bigint, text),
    intake_ask_withdrawal(bigint, bigint, text), intake_withdrawn(bigint, bigint), intake_file_deleted(bigint),
    intake_staged_rows(bigint), intake_without_numbers(text), intake_word_key(text), intake_is_heading(text),
        intake_is_unit(text),
    intake_not_shown(text), intake_told_unit(text), intake_told_words(text),
    intake_told_message(jsonb, text), intake_told_kept(text, text), intake_told(text, text, boolean) TO karez_app;
