-- The region, its years, and the guard of closed years. Called by the app's role; owned by the owner.
-- Lock class 4711: one advisory lock per year. Writers hold it shared until they commit; closing holds it alone.

CREATE FUNCTION periods_first_open_day() RETURNS date
LANGUAGE sql STABLE RETURN (SELECT first_open_day FROM periods_region);

-- The day a fact counts from: its own day, or the first open day where its year is closed.
CREATE FUNCTION periods_counts_on(day date) RETURNS date
LANGUAGE sql STABLE RETURN GREATEST(day, (SELECT first_open_day FROM periods_region));

-- The last day anything may be recorded of: of the year after the last one opened, since work goes on while that waits
-- to be closed. Null before the region is founded.
CREATE FUNCTION periods_last_day() RETURNS date
LANGUAGE sql STABLE RETURN (SELECT make_date(GREATEST((SELECT max(year) FROM periods_period), extract(year
    FROM first_open_day)::int) + 1, 12, 31)
    FROM periods_region);

-- The day it is by now where days begin first. Whoever writes may set the time zone of their session, so theirs is not
-- asked.
CREATE FUNCTION periods_today() RETURNS date
LANGUAGE sql STABLE RETURN ((now() AT TIME ZONE 'UTC') + interval '14 hours')::date;

CREATE FUNCTION periods_wait(the_year int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '8s' AS $$
DECLARE holder record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4711, the_year);
EXCEPTION WHEN lock_not_available THEN
    SELECT u.full_name, p.closing_since INTO holder
      FROM periods_period p LEFT JOIN access_user u ON u.id = p.signed_by_id WHERE p.year = the_year;
    RAISE EXCEPTION USING ERRCODE = 'KZ002',
        MESSAGE = karez_say('The year {1} is being closed by {2} since {3}.', the_year::text,
            coalesce(holder.full_name, karez_say('somebody')),
                         coalesce(holder.closing_since::text, karez_say('a moment ago'))),
        DETAIL = karez_say('Nothing was written. Try again in a minute.');
END $$;

-- Takes the year of `day` for this transaction, and refuses where it is closed. Every guarded write calls it. `booked`:
-- money is booked on that day, so it may not lie ahead, nor in a year nobody opened.
CREATE FUNCTION periods_hold(day date, booked boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    the_year int := extract(year FROM day);
    open_from date;
    the_state text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot would not see that the year was closed meanwhile.
        RAISE EXCEPTION USING ERRCODE = 'KZ003',
            MESSAGE = karez_say('Facts are written under READ COMMITTED only.'),
                DETAIL = current_setting('transaction_isolation');
    END IF;
    IF NOT pg_try_advisory_xact_lock_shared(4711, the_year) THEN
        PERFORM periods_wait(the_year);
    END IF;
    SELECT r.first_open_day, p.state INTO open_from, the_state
      FROM periods_region r LEFT JOIN periods_period p ON p.year = the_year;
    IF day < open_from THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ001',
            MESSAGE = karez_say('The year {1} is closed: a fact cannot count from {2}.', the_year::text, day::text),
            DETAIL = karez_say('The first open day is {1}. A truth learnt later keeps its true date and counts from there.', open_from::text);
    END IF;
    IF booked AND (day > periods_today() OR the_state IS NULL AND day > periods_last_day()) THEN
        PERFORM periods_refuse_far_day('ledger_voucher', day);
    END IF;
    IF the_state = 'closing' THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ002',
            MESSAGE = karez_say('The closing of {1} was interrupted and waits to be taken up again.', the_year::text),
            DETAIL = karez_say('Nothing was written. The next start of Karez finishes or undoes the closing.');
    END IF;
END $$;

-- How the rows of a statement are joined. Of them the planner knows how many there are and nothing else: it hopes for a
-- few hits where all are meant, compares every row with every other, and its time grows as the square. From a thousand
-- rows on it hashes and sorts; below it goes row by row through the indexes, as one record wants it. A trigger that
-- joins what a statement wrote calls this first and asks by EXECUTE, so that no plan made for one row is kept for a
-- million; the guard lets what is set here end with the trigger.
CREATE FUNCTION periods_plan_for(p_rows bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_rows > 1000 THEN PERFORM set_config('enable_nestloop', 'off', true); END IF;
END $$;
GRANT EXECUTE ON FUNCTION periods_plan_for(bigint) TO karez_app;

-- The days from which a truth learnt late may count: the region's first day, and the first day after each year ever
-- closed.
CREATE FUNCTION periods_first_days() RETURNS date[]
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT array_agg(make_date(d.year, 1, 1)) FROM (
        SELECT first_year AS year FROM periods_region UNION SELECT extract(year FROM first_open_day)::int
            FROM periods_region
        UNION SELECT year + 1 FROM periods_periodchange WHERE state = 'closed') d
$$;

CREATE FUNCTION periods_refuse_day(p_table text, p_true date, p_counts date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ009', MESSAGE = karez_say('In {1} what is of {2} would count from {3}.',
        p_table::text, p_true::text, p_counts::text),
        DETAIL = karez_say('A fact counts from its own day, or from the first open day where its year was closed. Nothing is put off.');
END $$;

CREATE FUNCTION periods_refuse_far_day(p_table text, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ00A', MESSAGE = karez_say('In {1} something would be of {2}.', p_table::text,
        p_day::text),
        DETAIL = karez_say('What is recorded has happened, in a year that was opened or the one after it: until {1}; before the first year only what was there when it began.', (LEAST(periods_today(), periods_last_day()))::text);
END $$;

CREATE FUNCTION periods_refuse_mark(p_table text, p_what text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KZ00B',
        MESSAGE = karez_say('A row of {1} would carry a mark of another moment ({2}).', p_table::text, p_what::text),
        DETAIL = karez_say('A row says when it is recorded, ended or void as it is; what is new is not void.');
END $$;

-- Of the rows a statement adds or marks: their moment is now, and who did it may act. The lowest and the highest of
-- each are given; where there are several people, the statement's trigger asks about each.
CREATE FUNCTION periods_judge_moment(p_table text, p_what text, p_low timestamptz, p_high timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_low NOT IN (now(), statement_timestamp()) OR p_high NOT IN (now(), statement_timestamp()) THEN
        PERFORM periods_refuse_mark(p_table, p_what);
    END IF;
END $$;

-- True days: not ahead of today, not beyond the year after the last opened one, and not before the first year, unless
-- the table says so.
CREATE FUNCTION periods_judge_days(p_table text, p_first date, p_last date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE reach text := periods_reach(p_table);
BEGIN
    IF reach <> 'ahead' AND p_last > LEAST(periods_today(), periods_last_day())
        THEN PERFORM periods_refuse_far_day(p_table, p_last); END IF;
    IF reach = 'ahead' AND p_last > periods_today() + 3660 THEN PERFORM periods_refuse_far_day(p_table, p_last); END IF;
    IF p_first < (CASE reach WHEN 'opened' THEN (SELECT make_date(first_year, 1, 1) FROM periods_region)
        ELSE DATE '1900-01-01' END) THEN
        PERFORM periods_refuse_far_day(p_table, p_first);
    END IF;
END $$;

-- Whether a batch of a file is being applied, or (`p_back`) being taken back, by this transaction. The room of files
-- puts its answer in the place of this one; without it no batch is.
CREATE FUNCTION periods_batch_at_work(p_batch bigint, p_back boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN false;
END $$;

-- Rows that say they came with a batch came with it: of the rows of a statement the lowest and the highest batch are
-- given.
CREATE FUNCTION periods_judge_batch(p_table text, p_low bigint, p_high bigint,
    p_back boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_low IS NULL OR access_by_operator() THEN RETURN; END IF;
    IF p_low <> p_high OR NOT periods_batch_at_work(p_low, p_back) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ00C',
            MESSAGE = karez_say('A row of {1} would say that it came with batch {2}.', p_table::text, p_high::text),
            DETAIL = karez_say('Only rows of the batch that is just being applied say so; what is entered by form names no batch.');
    END IF;
END $$;

CREATE FUNCTION periods_guard_event_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    days date[] := periods_first_days();
    a record;
    wrong record;
BEGIN
    SELECT min(counts_on) AS day, min(happened_on) AS first, max(happened_on) AS last, min(recorded_at) AS low,
        max(recorded_at) AS high,
           min(recorded_by_id) AS one, max(recorded_by_id) AS other, bool_or(voided_at IS NOT NULL) AS void,
           min(batch_id) AS batch, max(batch_id) AS batch_high INTO a FROM added;
    IF a.day IS NULL THEN RETURN NULL; END IF;
    PERFORM periods_hold(a.day);
    SELECT happened_on, counts_on INTO wrong FROM added WHERE counts_on <> happened_on AND NOT counts_on = ANY (days)
        LIMIT 1;
    IF FOUND THEN PERFORM periods_refuse_day(TG_TABLE_NAME, wrong.happened_on, wrong.counts_on); END IF;
    PERFORM periods_judge_days(TG_TABLE_NAME, a.first, a.last);
    IF a.void THEN PERFORM periods_refuse_mark(TG_TABLE_NAME, 'void'); END IF;
    PERFORM periods_judge_moment(TG_TABLE_NAME, 'recorded', a.low, a.high);
    PERFORM periods_judge_batch(TG_TABLE_NAME, a.batch, a.batch_high) WHERE a.batch IS NOT NULL;
    PERFORM access_require_actor(a.one);
    IF a.other <> a.one THEN PERFORM access_require_actor(x.who) FROM (SELECT DISTINCT recorded_by_id AS who
        FROM added) x; END IF;
    RETURN NULL;
END $$;

-- What lasts may have begun before the region's first year; an end lies no further than its table reaches, and is set
-- by who records.
CREATE FUNCTION periods_guard_spell_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    days date[] := periods_first_days();
    a record;
    wrong record;
BEGIN
    SELECT min(counts_from) AS day, min(starts_on) AS first, max(starts_on) AS last, min(recorded_at) AS low,
        max(recorded_at) AS high,
           min(recorded_by_id) AS one, max(recorded_by_id) AS other, bool_or(voided_at IS NOT NULL) AS void,
               max(ends_before) AS ends,
           min(ended_at) AS ended_low, max(ended_at) AS ended_high, bool_or(ended_by_id <> recorded_by_id) AS by_other,
           min(batch_id) AS batch, max(batch_id) AS batch_high
      INTO a FROM added;
    IF a.day IS NULL THEN RETURN NULL; END IF;
    PERFORM periods_hold(a.day);
    SELECT starts_on AS of_day, counts_from AS counts INTO wrong FROM added WHERE counts_from <> starts_on
        AND NOT counts_from = ANY (days) LIMIT 1;
    IF NOT FOUND AND a.ends IS NOT NULL THEN
        SELECT ends_before AS of_day, counts_before AS counts INTO wrong FROM added
         WHERE counts_before <> ends_before AND counts_before <> counts_from AND NOT counts_before = ANY (days) LIMIT 1;
    END IF;
    IF wrong.of_day IS NOT NULL THEN PERFORM periods_refuse_day(TG_TABLE_NAME, wrong.of_day, wrong.counts); END IF;
    PERFORM periods_judge_days(TG_TABLE_NAME, a.first, GREATEST(a.last, a.ends - 1));
    IF a.void THEN PERFORM periods_refuse_mark(TG_TABLE_NAME, 'void'); END IF;
    IF a.by_other THEN PERFORM periods_refuse_mark(TG_TABLE_NAME, 'ended'); END IF;
    PERFORM periods_judge_moment(TG_TABLE_NAME, 'recorded', a.low, a.high);
    IF a.ended_low IS NOT NULL THEN PERFORM periods_judge_moment(TG_TABLE_NAME, 'ended', a.ended_low,
        a.ended_high); END IF;
    PERFORM periods_judge_batch(TG_TABLE_NAME, a.batch, a.batch_high) WHERE a.batch IS NOT NULL;
    PERFORM access_require_actor(a.one);
    IF a.other <> a.one THEN PERFORM access_require_actor(x.who) FROM (SELECT DISTINCT recorded_by_id AS who
        FROM added) x; END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION periods_guard_undated_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE a record;
BEGIN
    SELECT min(recorded_at) AS low, max(recorded_at) AS high, min(recorded_by_id) AS one, max(recorded_by_id) AS other,
           bool_or(voided_at IS NOT NULL) AS void, min(batch_id) AS batch, max(batch_id) AS batch_high INTO a
               FROM added;
    IF a.low IS NULL THEN RETURN NULL; END IF;
    IF a.void THEN PERFORM periods_refuse_mark(TG_TABLE_NAME, 'void'); END IF;
    PERFORM periods_judge_moment(TG_TABLE_NAME, 'recorded', a.low, a.high);
    PERFORM periods_judge_batch(TG_TABLE_NAME, a.batch, a.batch_high) WHERE a.batch IS NOT NULL;
    PERFORM access_require_actor(a.one);
    IF a.other <> a.one THEN PERFORM access_require_actor(x.who) FROM (SELECT DISTINCT recorded_by_id AS who
        FROM added) x; END IF;
    RETURN NULL;
END $$;

-- Only an end or a void mark can be set; each says something from its own day on, is set now, and by who may act. A
-- void mark follows the reversal of its money, so its day may be later than the first open one, but it does not lie
-- ahead.
CREATE FUNCTION periods_judge_voids(p_table text, p_low timestamptz, p_high timestamptz, p_one bigint,
    p_other bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_low IS NULL THEN RETURN; END IF;
    PERFORM periods_judge_moment(p_table, 'void', p_low, p_high);
    PERFORM access_require_actor(p_one);
    IF p_one <> p_other THEN PERFORM periods_refuse_mark(p_table, 'void'); END IF;  -- one statement is one person's act
END $$;

CREATE FUNCTION periods_guard_undated_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = on AS $$
DECLARE v record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM changed));
    EXECUTE 'SELECT min(c.void_counts_on) AS day, min(c.voided_at) AS low, max(c.voided_at) AS high, min(c.voided_by_id) AS one,
        max(c.voided_by_id) AS other FROM changed c JOIN before_change o USING (id) WHERE o.voided_at IS NULL' INTO v;
    PERFORM periods_judge_voids(TG_TABLE_NAME, v.low, v.high, v.one, v.other);
    RETURN NULL;
END $$;

CREATE FUNCTION periods_guard_event_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = on AS $$
DECLARE
    latest date := GREATEST(periods_first_open_day(), periods_today());
    v record;
    wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM changed));
    EXECUTE 'SELECT min(c.void_counts_on) AS day, min(c.voided_at) AS low, max(c.voided_at) AS high, min(c.voided_by_id) AS one,
        max(c.voided_by_id) AS other FROM changed c JOIN before_change o USING (id) WHERE o.voided_at IS NULL' INTO v;
    IF v.day IS NOT NULL THEN PERFORM periods_hold(v.day); END IF;
    SELECT counts_on, void_counts_on INTO wrong FROM changed WHERE void_counts_on > GREATEST(counts_on, latest) LIMIT 1;
    IF FOUND THEN PERFORM periods_refuse_day(TG_TABLE_NAME, wrong.counts_on, wrong.void_counts_on); END IF;
    PERFORM periods_judge_voids(TG_TABLE_NAME, v.low, v.high, v.one, v.other);
    RETURN NULL;
END $$;

CREATE FUNCTION periods_guard_spell_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_nestloop = on AS $$
DECLARE
    days date[] := periods_first_days();
    latest date := GREATEST(periods_first_open_day(), periods_today());
    v record;
    e record;
    wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM changed));
    EXECUTE 'SELECT min(c.void_counts_on) AS day, min(c.voided_at) AS low, max(c.voided_at) AS high, min(c.voided_by_id) AS one,
        max(c.voided_by_id) AS other FROM changed c JOIN before_change o USING (id) WHERE o.voided_at IS NULL' INTO v;
    EXECUTE 'SELECT min(c.counts_before) AS day, max(c.ends_before) AS last, min(c.ended_at) AS low, max(c.ended_at) AS high,
        min(c.ended_by_id) AS one, max(c.ended_by_id) AS other
        FROM changed c JOIN before_change o USING (id) WHERE o.ends_before IS NULL AND c.ends_before IS NOT NULL' INTO e;
    IF LEAST(v.day, e.day) IS NOT NULL THEN PERFORM periods_hold(LEAST(v.day, e.day)); END IF;
    SELECT ends_before AS of_day, counts_before AS counts INTO wrong FROM changed
     WHERE counts_before <> ends_before AND counts_before <> counts_from AND NOT counts_before = ANY (days) LIMIT 1;
    IF NOT FOUND THEN
        SELECT counts_from AS of_day, void_counts_on AS counts INTO wrong FROM changed
            WHERE void_counts_on > GREATEST(counts_from, latest) LIMIT 1;
    END IF;
    IF FOUND THEN PERFORM periods_refuse_day(TG_TABLE_NAME, wrong.of_day, wrong.counts); END IF;
    PERFORM periods_judge_voids(TG_TABLE_NAME, v.low, v.high, v.one, v.other);
    IF e.last IS NOT NULL THEN
        PERFORM periods_judge_days(TG_TABLE_NAME, NULL, e.last - 1);
        PERFORM periods_judge_moment(TG_TABLE_NAME, 'ended', e.low, e.high);
        PERFORM access_require_actor(e.one);
        IF e.one <> e.other THEN PERFORM periods_refuse_mark(TG_TABLE_NAME, 'ended'); END IF;
    END IF;
    RETURN NULL;
END $$;

-- A mark once set stays: neither void nor end can be set twice or taken back.
CREATE FUNCTION periods_mark_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.voided_at IS NOT NULL AND (NEW.voided_at, NEW.voided_by_id, NEW.void_reason, NEW.void_counts_on)
        IS DISTINCT FROM (OLD.voided_at, OLD.voided_by_id, OLD.void_reason, OLD.void_counts_on) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ004',
            MESSAGE = karez_say('Row {1} of {2} is already void.', OLD.id::text, TG_TABLE_NAME::text),
                DETAIL = karez_say('A void mark is set once.');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION periods_end_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.ends_before IS NULL AND (NEW.ends_before IS NULL) <> (NEW.ended_at IS NULL AND NEW.ended_by_id IS NULL)
       OR NEW.ends_before IS NOT NULL AND OLD.ends_before IS NULL AND (NEW.ended_at IS NULL OR NEW.ended_by_id IS NULL)
           THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ005',
            MESSAGE = karez_say('Row {1} of {2} would end without a day, or by nobody.', OLD.id::text,
                TG_TABLE_NAME::text),
            DETAIL = karez_say('An end says from which day, when it was set and by whom.');
    END IF;
    IF OLD.ends_before IS NOT NULL AND (NEW.ends_before, NEW.counts_before, NEW.ended_at, NEW.ended_by_id,
        NEW.end_reason)
        IS DISTINCT FROM (OLD.ends_before, OLD.counts_before, OLD.ended_at, OLD.ended_by_id, OLD.end_reason) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ005',
            MESSAGE = karez_say('Row {1} of {2} has already ended.', OLD.id::text, TG_TABLE_NAME::text),
                DETAIL = karez_say('An end is set once.');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION periods_found_region(p_area bigint, p_code text, p_first_year int, p_currency text,
    p_controller text, p_legal_basis text, p_complaint_body text, p_synthetic boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO periods_region (id, area_id, code, currency, first_year, first_open_day, controller, legal_basis,
        complaint_body, synthetic)
    VALUES (1, p_area, p_code, p_currency, p_first_year, make_date(p_first_year, 1, 1), p_controller, p_legal_basis,
        p_complaint_body, p_synthetic);
    INSERT INTO periods_period (year, state) VALUES (p_first_year, 'open');
    INSERT INTO periods_periodchange (year, state, at, reason) VALUES (p_first_year, 'open', now(), 'first year');
END $$;

-- Who prepared the closing of a year; the signer must be another.
CREATE FUNCTION periods_prepare_close(p_year int, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM access_require_permission(p_by, ARRAY['closing.prepare']);
    UPDATE periods_period SET prepared_by_id = p_by, prepared_at = now()
     WHERE year = p_year AND state = 'open' AND make_date(p_year, 1, 1) = periods_first_open_day();
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ006', MESSAGE = karez_say('The year {1} cannot be prepared for closing.',
            p_year::text),
            DETAIL = karez_say('Years close in order; the next one is {1}.',
                (extract(year FROM periods_first_open_day()))::text);
    END IF;
END $$;

-- What goes on between open and closed is for the session that holds the year alone: nobody else writes in it
-- meanwhile.
CREATE FUNCTION periods_require_alone(p_year int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT access_by_operator() AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711
        AND objid = p_year::oid
            AND objsubid = 2 AND mode = 'ExclusiveLock' AND granted AND pid = pg_backend_pid()
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ007', MESSAGE = karez_say('The year {1} is not held by this session.',
            p_year::text),
            DETAIL = karez_say('A year is closed by a session of its own that holds it alone.');
    END IF;
END $$;

-- The caller already holds the year's lock alone, in a session of its own.
CREATE FUNCTION periods_begin_close(p_year int, p_signer bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM access_require_permission(p_signer, ARRAY['closing.sign']);
    PERFORM periods_require_alone(p_year);
    PERFORM FROM periods_region FOR UPDATE;  -- closing a year and reopening the one before follow each other
    UPDATE periods_period SET state = 'closing', signed_by_id = p_signer, closing_since = now()
     WHERE year = p_year AND state = 'open' AND prepared_by_id IS NOT NULL AND prepared_by_id <> p_signer
       AND make_date(p_year, 1, 1) = periods_first_open_day();
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ007',
            MESSAGE = karez_say('The year {1} cannot be signed by this person now.', p_year::text),
            DETAIL = karez_say('A year is prepared by one person and signed by another, in the order of the years.');
    END IF;
    INSERT INTO periods_periodchange (year, state, at, prepared_by_id, signed_by_id)
    SELECT year, state, now(), prepared_by_id, signed_by_id FROM periods_period WHERE year = p_year;
END $$;

CREATE FUNCTION periods_finish_close(p_year int, p_snapshot text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM periods_require_alone(p_year);
    UPDATE periods_period SET state = 'closed', closed_at = now(), snapshot = p_snapshot WHERE year = p_year
        AND state = 'closing';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ007', MESSAGE = karez_say('The year {1} is not being closed.', p_year::text);
    END IF;
    UPDATE periods_region SET first_open_day = make_date(p_year + 1, 1, 1);
    INSERT INTO periods_period (year, state) VALUES (p_year + 1, 'open') ON CONFLICT DO NOTHING;
    INSERT INTO periods_periodchange (year, state, at, prepared_by_id, signed_by_id, snapshot)
    SELECT year, state, now(), prepared_by_id, signed_by_id, snapshot FROM periods_period WHERE year = p_year;
END $$;

CREATE FUNCTION periods_abort_close(p_year int, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM periods_require_alone(p_year);
    UPDATE periods_period SET state = 'open', signed_by_id = NULL, closing_since = NULL WHERE year = p_year
        AND state = 'closing';
    IF FOUND THEN
        INSERT INTO periods_periodchange (year, state, at, reason) VALUES (p_year, 'open', now(), p_reason);
    END IF;
END $$;

-- Reopening is an act of two people, of the last closed year only; what was sealed stays where it is.
CREATE FUNCTION periods_reopen(p_year int, p_first bigint, p_second bigint, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE old_snapshot text;
BEGIN
    IF p_first IS NULL OR p_second IS NULL OR p_first = p_second OR p_reason IS NULL OR btrim(p_reason) = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ008', MESSAGE = karez_say('Reopening a year needs two people and a reason.');
    END IF;
    PERFORM access_require_permission(p_first, ARRAY['closing.prepare', 'closing.sign']);
    PERFORM access_require_permission(p_second, ARRAY['closing.sign']);
    PERFORM FROM periods_region FOR UPDATE;
    IF EXISTS (SELECT FROM periods_period WHERE state = 'closing') THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ008', MESSAGE = karez_say('Another year is being closed.'),
            DETAIL = karez_say('Wait until it is closed or opened again.');
    END IF;
    SELECT snapshot INTO old_snapshot FROM periods_period WHERE year = p_year;
    UPDATE periods_period SET state = 'open', prepared_by_id = NULL, prepared_at = NULL, signed_by_id = NULL,
           closing_since = NULL, closed_at = NULL, snapshot = NULL
     WHERE year = p_year AND state = 'closed' AND make_date(p_year + 1, 1, 1) = periods_first_open_day();
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ008', MESSAGE = karez_say('The year {1} is not the last closed year.',
            p_year::text);
    END IF;
    UPDATE periods_region SET first_open_day = make_date(p_year, 1, 1);
    INSERT INTO periods_periodchange (year, state, at, prepared_by_id, signed_by_id, reason, snapshot)
    VALUES (p_year, 'open', now(), p_first, p_second, p_reason, old_snapshot);
END $$;

-- Whether somebody looks after the region's people, and goes on to: a role over the region that counts today and has no
-- end, of a person who is active and signs in with a password of their own.
CREATE FUNCTION periods_has_administrator() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM access_grant g JOIN access_user u ON u.id = g.user_id
      WHERE g.role = 'administrator' AND g.area_id = (SELECT area_id FROM periods_region)
        AND g.counts_from <= current_date AND g.ends_before IS NULL AND g.voided_at IS NULL
        AND u.is_active AND u.password NOT LIKE '!%'
        AND 'given' IS DISTINCT FROM (SELECT e.what FROM access_signinevent e WHERE e.user_id = u.id ORDER BY e.id DESC
            LIMIT 1))
$$;

-- The region never loses its last administrator. Two who end each other follow each other: the second sees the first's
-- end.
CREATE FUNCTION periods_keep_administrator() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'access_grant' THEN
        IF NEW.area_id IS DISTINCT FROM (SELECT area_id FROM periods_region) THEN RETURN NULL; END IF;
    ELSIF NOT EXISTS (SELECT FROM access_grant g WHERE g.user_id = NEW.id AND g.role = 'administrator'
                         AND g.area_id = (SELECT area_id FROM periods_region) AND g.ends_before IS NULL
                             AND g.voided_at IS NULL) THEN
        RETURN NULL;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed'
        THEN  -- an older snapshot would not see the other's end
        RAISE EXCEPTION USING ERRCODE = 'KZ003',
            MESSAGE = karez_say('Facts are written under READ COMMITTED only.'),
                DETAIL = current_setting('transaction_isolation');
    END IF;
    PERFORM pg_advisory_xact_lock(4714, 1);
    IF NOT periods_has_administrator() THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ092',
            MESSAGE = karez_say('The region would be left without an administrator.'),
            DETAIL = karez_say('The last administrator of the region who can sign in stays; name another first, and let them sign in.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_keep_administrator AFTER UPDATE ON access_grant FOR EACH ROW
WHEN (NEW.role = 'administrator' AND (NEW.ends_before IS NOT NULL OR NEW.voided_at IS NOT NULL))
EXECUTE FUNCTION periods_keep_administrator();

CREATE TRIGGER access_user_keep_administrator AFTER UPDATE ON access_user FOR EACH ROW
WHEN (OLD.is_active AND NOT NEW.is_active OR OLD.password NOT LIKE '!%' AND NEW.password LIKE '!%')
EXECUTE FUNCTION periods_keep_administrator();

-- What the app may call. Triggers, and what only they and the functions above use, are for the owner alone; the guard
-- of rights takes from everybody what is given here to nobody.
GRANT EXECUTE ON FUNCTION periods_first_open_day(), periods_counts_on(date), periods_hold(date, boolean),
    periods_first_days(),
    periods_refuse_day(text, date, date), periods_last_day(), periods_today(), periods_refuse_far_day(text, date),
    periods_refuse_mark(text, text), periods_judge_moment(text, text, timestamptz, timestamptz),
        periods_judge_days(text, date, date),
    periods_judge_voids(text, timestamptz, timestamptz, bigint, bigint), periods_batch_at_work(bigint, boolean),
    periods_judge_batch(text, bigint, bigint, boolean), periods_has_administrator(),
    periods_found_region(bigint, text, int, text, text, text, text, boolean), periods_prepare_close(int, bigint),
    periods_begin_close(int, bigint), periods_finish_close(int, text), periods_abort_close(int, text),
    periods_reopen(int, bigint, bigint, text) TO karez_app;
