-- Posting, preparing, approving, refusing. The only writers of the ledger's tables, called by the app's role. Order of
-- locks, the same in all of them: the year (periods_hold), the set, then book by book its counter and its accounts by
-- id. Preparing takes no counter. Approving takes all counters first: nobody holds an account of a book it needs a
-- counter of. pg_temp stands last in search_path: otherwise a temporary table of the caller could stand in for one of
-- ours.

ALTER TABLE ledger_account SET (fillfactor = 60);
ALTER TABLE ledger_counter SET (fillfactor = 40);

-- A transfer's voucher and both its accounts are of its book, and it counts on its voucher's day.
ALTER TABLE ledger_transfer
    ADD CONSTRAINT ledger_transfer_of_voucher FOREIGN KEY (book_id, booking_date, voucher_id)
        REFERENCES ledger_voucher (book_id, booking_date, id),
    ADD CONSTRAINT ledger_transfer_debit_in_book FOREIGN KEY (debit_account_id, book_id)
        REFERENCES ledger_account (id, book_id),
    ADD CONSTRAINT ledger_transfer_credit_in_book FOREIGN KEY (credit_account_id, book_id)
        REFERENCES ledger_account (id, book_id);
ALTER TABLE ledger_voucher
    ADD CONSTRAINT ledger_voucher_year_of_booking CHECK (year = extract(year FROM booking_date));

-- A few names of accounts or vouchers for a message.
CREATE FUNCTION ledger_refuse_account(p_account bigint, p_book bigint, p_debit bigint, p_credit bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    a record;
    available bigint;
BEGIN
    SELECT x.*, b.name AS book_name INTO a FROM ledger_account x JOIN ledger_book b ON b.id = x.book_id
        WHERE x.id = p_account;
    IF NOT FOUND OR a.book_id IS DISTINCT FROM p_book THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ010', MESSAGE = karez_say('Account {1} is not in book {2}.',
            p_account::text, p_book::text),
            DETAIL = karez_say('A voucher moves money between accounts of its own book.');
    END IF;
    available := CASE a.normal_side WHEN 'debit' THEN a.posted_debit_fen - a.posted_credit_fen - a.pending_credit_fen
                                    ELSE a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen END;
    RAISE EXCEPTION USING ERRCODE = 'KZ011',
        MESSAGE = karez_say('Account {1} {2} of {3} would be overdrawn.', a.code::text, a.name::text,
            a.book_name::text),
        DETAIL = karez_say('available {1} fen, to be drawn {2} fen', available::text,
            (CASE a.normal_side WHEN 'debit' THEN p_credit - p_debit ELSE p_debit - p_credit END)::text);
END $$;

-- The next number of a book and year; its row stays locked until the caller's transaction ends.
-- It runs inside the functions below alone, under their search_path; a setting of its own would cost each posting.
CREATE FUNCTION ledger_next_number(p_book bigint, p_year int, p_receipt boolean, OUT the_number bigint,
    OUT the_receipt bigint)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_counter SET last_number = last_number + 1, last_receipt_number = last_receipt_number + p_receipt::int
     WHERE book_id = p_book AND year = p_year RETURNING last_number, last_receipt_number INTO the_number, the_receipt;
    IF NOT FOUND THEN
        INSERT INTO ledger_counter AS c (book_id, year, last_number, last_receipt_number)
        VALUES (p_book, p_year, 1, p_receipt::int)
        ON CONFLICT (book_id, year) DO UPDATE SET last_number = c.last_number + 1,
            last_receipt_number = c.last_receipt_number + p_receipt::int
        RETURNING c.last_number, c.last_receipt_number INTO the_number, the_receipt;
    END IF;
    IF NOT p_receipt THEN the_receipt := NULL; END IF;
END $$;

-- Posts one voucher at once, whole or not at all. One call is one transaction where the caller opened none.
-- p_receipt: money in, by one person; otherwise p_approver must be another than p_by. Lines come in parallel arrays.
-- Whoever posts to a book holds its counter first, so several calls in one transaction go in the order of books.
-- p_transfers: the ids of the transfers, where the caller took them from the sequence before.
CREATE FUNCTION ledger_post(p_by bigint, p_approver bigint, p_receipt boolean, p_batch bigint,
    p_book bigint, p_happened date, p_day date, p_kind text, p_narration text, p_document bigint,
    p_debits bigint[], p_credits bigint[], p_amounts bigint[],
    OUT voucher_id bigint, OUT number bigint, OUT receipt_number bigint, OUT transfer_ids bigint[],
    IN p_transfers bigint[] DEFAULT NULL)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- One plan for all arrays, by keys: a plan made while the tables were empty would read them whole ever after.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    the_year int := extract(year FROM p_day);
    n int := cardinality(p_debits);
    touched int;
    moved bigint[];
    outward bigint;
    a record;
BEGIN
    PERFORM periods_hold(p_day, true);
    IF (SELECT count(*) FROM access_user u WHERE u.id IN (p_by, p_approver)
        AND u.is_active) < 1 + (p_approver IS NOT NULL)::int THEN
        PERFORM access_require_actor(p_by);
        IF p_approver IS NOT NULL THEN PERFORM access_require_actor(p_approver); END IF;
    END IF;
    IF p_batch IS NOT NULL THEN PERFORM periods_judge_batch('ledger_voucher', p_batch, p_batch); END IF;
    IF n > 0 AND cardinality(p_credits) = n AND cardinality(p_amounts) = n THEN NULL; ELSE
        RAISE EXCEPTION USING ERRCODE = 'KZ017', MESSAGE = karez_say('A voucher has no lines.'),
            DETAIL = karez_say('Every voucher moves an amount.');
    END IF;
    IF p_transfers IS NOT NULL AND (SELECT max(t) FROM unnest(p_transfers) t) > (SELECT last_value
        FROM ledger_transfer_id_seq) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017', MESSAGE = 'A transfer has a number the sequence has not given.',
            DETAIL = 'Numbers of transfers come from ledger_transfer_id_seq, so that none is taken twice.';
    END IF;
    UPDATE ledger_counter c
       SET last_number = last_number + 1, last_receipt_number = last_receipt_number + p_receipt::int
     WHERE book_id = p_book AND year = the_year
    RETURNING last_number, CASE WHEN p_receipt THEN last_receipt_number END INTO number, receipt_number;
    IF NOT FOUND THEN
        SELECT x.the_number, x.the_receipt INTO number, receipt_number
            FROM ledger_next_number(p_book, the_year, p_receipt) x;
    END IF;
    INSERT INTO ledger_voucher (book_id, happened_on, booking_date, year, number, is_receipt, receipt_number, kind,
        narration,
            document_id, prepared_by_id, approved_by_id, posted_at, batch_id)
    VALUES (p_book, p_happened, p_day, the_year, ledger_post.number, p_receipt, ledger_post.receipt_number, p_kind,
        p_narration,
            p_document, p_by, p_approver, now(), p_batch) RETURNING id INTO voucher_id;
    WITH m AS (
        SELECT l.account, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
          FROM (SELECT d AS account, amount AS debit, 0 AS credit FROM unnest(p_debits, p_amounts) x (d, amount)
                UNION ALL SELECT c, 0, amount FROM unnest(p_credits, p_amounts) x (c, amount)) l
         GROUP BY l.account ORDER BY l.account),
    done AS (
        UPDATE ledger_account x
           SET posted_debit_fen = x.posted_debit_fen + m.debit, posted_credit_fen = x.posted_credit_fen + m.credit
          FROM m
         WHERE x.id = m.account AND x.book_id = p_book AND (x.may_overdraw OR CASE x.normal_side
               WHEN 'debit' THEN x.posted_debit_fen + m.debit >= x.posted_credit_fen + m.credit + x.pending_credit_fen
               ELSE x.posted_credit_fen + m.credit >= x.posted_debit_fen + m.debit + x.pending_debit_fen END)
        RETURNING x.id, x.holds_money AND m.credit > 0 OR NOT x.holds_money AND m.debit > 0 AS outward)
    SELECT (SELECT count(*) FROM m), array_agg(done.id), min(done.id) FILTER (WHERE done.outward)
      INTO touched, moved, outward FROM done;
    IF cardinality(moved) IS DISTINCT FROM touched THEN
        FOR a IN
            SELECT l.account, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
              FROM (SELECT d AS account, amount AS debit, 0 AS credit FROM unnest(p_debits, p_amounts) x (d, amount)
                    UNION ALL SELECT c, 0, amount FROM unnest(p_credits, p_amounts) x (c, amount)) l
             WHERE (l.account = ANY (moved)) IS NOT TRUE GROUP BY l.account ORDER BY l.account
        LOOP
            PERFORM ledger_refuse_account(a.account, p_book, a.debit, a.credit);
        END LOOP;
    END IF;
    IF p_receipt AND outward IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ012', MESSAGE = karez_say('A receipt brings money in and nothing else.'),
            DETAIL = karez_say('Account {1}: a receipt debits cash or bank and credits what it is for.', outward::text);
    END IF;
    -- One statement for all lines: each statement on the table has its triggers to pay.
    WITH made AS (
        INSERT INTO ledger_transfer (id, book_id, booking_date, voucher_id, line_no, debit_account_id, credit_account_id,
            amount_fen)
        SELECT coalesce(p_transfers[i], nextval('ledger_transfer_id_seq')), p_book, p_day, ledger_post.voucher_id, i,
            p_debits[i], p_credits[i], p_amounts[i]
          FROM generate_series(1, n) i RETURNING id, line_no)
    SELECT array_agg(id ORDER BY line_no) INTO transfer_ids FROM made;
END $$;

-- Prepares a set: writes its vouchers without numbers and reserves what they will draw. Returns the set's id.
-- p_reverses, where not NULL, is the voucher the only voucher of the set takes back; callers outside cannot give it.
CREATE FUNCTION ledger_write_set(p_by bigint, p_reverses bigint,
    p_books bigint[], p_happened date[], p_days date[], p_kinds text[], p_narrations text[], p_documents bigint[],
    p_line_vouchers int[], p_line_nos int[], p_debits bigint[], p_credits bigint[], p_amounts bigint[])
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    n int := cardinality(p_books);
    i int;
    the_id bigint;
    the_set bigint;
    the_day date;
    ids bigint[] := array_fill(NULL::bigint, ARRAY[n]);
    a record;
BEGIN
    PERFORM access_require_actor(p_by);
    PERFORM periods_refuse_far_day('ledger_voucher', d) FROM unnest(p_days) d WHERE d > periods_today();
    FOR the_day IN SELECT min(d) FROM unnest(p_days) d GROUP BY extract(year FROM d) ORDER BY 1 LOOP
        PERFORM periods_hold(the_day, true);
    END LOOP;
    IF (SELECT count(DISTINCT l) FROM unnest(p_line_vouchers) l WHERE l BETWEEN 1 AND n) IS DISTINCT FROM n THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017', MESSAGE = karez_say('A voucher has no lines.'),
            DETAIL = karez_say('Every voucher moves an amount.');
    END IF;
    INSERT INTO ledger_set (prepared_by_id) VALUES (p_by) RETURNING id INTO the_set;
    FOR i IN 1..n LOOP
        INSERT INTO ledger_voucher (book_id, happened_on, booking_date, year, kind, narration, document_id, set_id,
            prepared_by_id,
                reverses_id)
        VALUES (p_books[i], p_happened[i], p_days[i], extract(year
            FROM p_days[i]), p_kinds[i], p_narrations[i], p_documents[i],
                the_set, p_by, p_reverses) RETURNING id INTO the_id;
        ids[i] := the_id;
    END LOOP;
    FOR a IN
        SELECT m.account, m.book, sum(m.debit)::bigint AS debit, sum(m.credit)::bigint AS credit
          FROM unnest(p_line_vouchers, p_debits, p_credits, p_amounts) l (v, d, c, amount),
               LATERAL (VALUES (l.d, p_books[l.v], l.amount, 0), (l.c, p_books[l.v], 0, l.amount)) m (account, book,
                   debit, credit)
         GROUP BY m.account, m.book ORDER BY m.book, m.account
    LOOP
        UPDATE ledger_account x
           SET pending_debit_fen = x.pending_debit_fen + a.debit, pending_credit_fen = x.pending_credit_fen + a.credit
         WHERE x.id = a.account AND x.book_id = a.book AND (x.may_overdraw OR CASE x.normal_side
               WHEN 'debit' THEN x.posted_debit_fen >= x.posted_credit_fen + x.pending_credit_fen + a.credit
               ELSE x.posted_credit_fen >= x.posted_debit_fen + x.pending_debit_fen + a.debit END);
        -- What comes in with the same set is not yet there, so it does not count towards what may be reserved.
        IF NOT FOUND THEN
            PERFORM ledger_refuse_account(a.account, a.book,
                CASE x.normal_side WHEN 'debit' THEN 0 ELSE a.debit END, CASE x.normal_side WHEN 'debit' THEN a.credit
                    ELSE 0 END)
               FROM ledger_account x WHERE x.id = a.account;
            PERFORM ledger_refuse_account(a.account, a.book, a.debit, a.credit);
        END IF;
    END LOOP;
    INSERT INTO ledger_pending_line (voucher_id, line_no, debit_account_id, credit_account_id, amount_fen)
    SELECT ids[l.v], l.line_no, l.d, l.c, l.amount
      FROM unnest(p_line_vouchers, p_line_nos, p_debits, p_credits, p_amounts) l (v, line_no, d, c, amount);
    RETURN the_set;
END $$;

CREATE FUNCTION ledger_prepare(p_by bigint,
    p_books bigint[], p_happened date[], p_days date[], p_kinds text[], p_narrations text[], p_documents bigint[],
    p_line_vouchers int[], p_line_nos int[], p_debits bigint[], p_credits bigint[], p_amounts bigint[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN ledger_write_set(p_by, NULL, p_books, p_happened, p_days, p_kinds, p_narrations, p_documents,
        p_line_vouchers, p_line_nos, p_debits, p_credits, p_amounts);
END $$;

-- The set, locked, still waiting; refuses one unknown or decided.
CREATE FUNCTION ledger_take_set(p_set bigint) RETURNS ledger_set
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE s ledger_set;
BEGIN
    SELECT * INTO s FROM ledger_set WHERE id = p_set FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ014', MESSAGE = karez_say('There is no set {1}.', p_set::text);
    END IF;
    IF s.approved_at IS NOT NULL OR s.refused_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ015',
            MESSAGE = karez_say('Set {1} was already {2}.', p_set::text,
                CASE WHEN s.approved_at IS NULL THEN karez_say('refused') ELSE karez_say('posted') END),
            DETAIL = karez_say('A set is decided once.');
    END IF;
    RETURN s;
END $$;

-- Posts a prepared set whole: numbers, totals, transfers. The approver is another person than the preparer.
CREATE FUNCTION ledger_approve(p_set bigint, p_approver bigint)
RETURNS TABLE (voucher_id bigint, number bigint, receipt_number bigint, transfer_ids bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    s ledger_set;
    the_day date;
    v record;
    a record;
    the_number bigint;
BEGIN
    FOR the_day IN SELECT min(x.booking_date) FROM ledger_voucher x WHERE x.set_id = p_set GROUP BY x.year
        ORDER BY 1 LOOP
        PERFORM periods_hold(the_day, true);
    END LOOP;
    s := ledger_take_set(p_set);
    IF p_approver IS NULL OR s.prepared_by_id = p_approver THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ013', MESSAGE = karez_say('Set {1} was prepared by the same person.',
            p_set::text),
            DETAIL = karez_say('Money goes out by two people.');
    END IF;
    PERFORM access_require_permission(p_approver, ARRAY['%.approve']);
    UPDATE ledger_set x SET approved_by_id = p_approver, approved_at = now() WHERE x.id = p_set;
    FOR v IN SELECT x.id, x.book_id, x.year FROM ledger_voucher x WHERE x.set_id = p_set ORDER BY 2, 3, 1 LOOP
        SELECT x.the_number INTO the_number FROM ledger_next_number(v.book_id, v.year, false) x;
        UPDATE ledger_voucher x SET number = the_number, posted_at = now(), approved_by_id = p_approver
            WHERE x.id = v.id;
    END LOOP;
    FOR a IN
        SELECT m.account, sum(m.debit)::bigint AS debit, sum(m.credit)::bigint AS credit
          FROM ledger_voucher x JOIN ledger_pending_line l ON l.voucher_id = x.id,
               LATERAL (VALUES (l.debit_account_id, l.amount_fen, 0), (l.credit_account_id, 0,
                   l.amount_fen)) m (account, debit, credit)
         WHERE x.set_id = p_set GROUP BY x.book_id, m.account ORDER BY x.book_id, m.account
    LOOP
        UPDATE ledger_account x
           SET posted_debit_fen = x.posted_debit_fen + a.debit, posted_credit_fen = x.posted_credit_fen + a.credit,
               pending_debit_fen = x.pending_debit_fen - a.debit, pending_credit_fen = x.pending_credit_fen - a.credit
         WHERE x.id = a.account;
    END LOOP;
    RETURN QUERY
    WITH made AS (
        INSERT INTO ledger_transfer AS t (book_id, booking_date, voucher_id, line_no, debit_account_id,
            credit_account_id, amount_fen)
        SELECT x.book_id, x.booking_date, x.id, l.line_no, l.debit_account_id, l.credit_account_id, l.amount_fen
          FROM ledger_voucher x JOIN ledger_pending_line l ON l.voucher_id = x.id WHERE x.set_id = p_set
        RETURNING t.id, t.voucher_id, t.line_no)
    SELECT x.id, x.number, x.receipt_number, array_agg(made.id ORDER BY made.line_no)
      FROM made JOIN ledger_voucher x ON x.id = made.voucher_id GROUP BY x.id ORDER BY x.id;
END $$;

-- Refuses a prepared set whole and gives back what it reserved. The preparer may withdraw it in the same way.
CREATE FUNCTION ledger_refuse_set(p_set bigint, p_by bigint, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE a record;
BEGIN
    PERFORM ledger_take_set(p_set);
    PERFORM access_require_actor(p_by);
    UPDATE ledger_set SET refused_by_id = p_by, refused_at = now(), refuse_reason = btrim(p_reason) WHERE id = p_set;
    UPDATE ledger_voucher SET refused_at = now() WHERE set_id = p_set;
    FOR a IN
        SELECT m.account, sum(m.debit)::bigint AS debit, sum(m.credit)::bigint AS credit
          FROM ledger_voucher x JOIN ledger_pending_line l ON l.voucher_id = x.id,
               LATERAL (VALUES (l.debit_account_id, l.amount_fen, 0), (l.credit_account_id, 0,
                   l.amount_fen)) m (account, debit, credit)
         WHERE x.set_id = p_set GROUP BY x.book_id, m.account ORDER BY x.book_id, m.account
    LOOP
        UPDATE ledger_account x
           SET pending_debit_fen = x.pending_debit_fen - a.debit, pending_credit_fen = x.pending_credit_fen - a.credit
         WHERE x.id = a.account;
    END LOOP;
END $$;

-- Prepares the reversal of a posted voucher: the same amounts the other way, linked to it. At most one stands at a
-- time.
CREATE FUNCTION ledger_prepare_reversal(p_voucher bigint, p_by bigint, p_day date, p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v ledger_voucher;
    l record;
    the_day date;
BEGIN
    SELECT * INTO v FROM ledger_voucher WHERE id = p_voucher;
    IF NOT FOUND OR v.posted_at IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('Voucher {1} is not posted.', p_voucher::text),
            DETAIL = karez_say('Only a posted voucher is reversed; a pending one is refused.');
    END IF;
    IF v.reverses_id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('Voucher {1} is itself a reversal.',
            p_voucher::text),
            DETAIL = karez_say('A reversal is not reversed; post the right voucher anew.');
    END IF;
    IF EXISTS (SELECT 1 FROM ledger_voucher x WHERE x.reverses_id = p_voucher AND x.refused_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('Voucher {1} already has a reversal.',
            p_voucher::text),
            DETAIL = karez_say('A voucher is reversed once.');
    END IF;
    the_day := coalesce(p_day, GREATEST(v.booking_date, periods_first_open_day()));
    IF the_day < v.booking_date THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('Voucher {1} was booked after {2}.',
            p_voucher::text, the_day::text),
            DETAIL = karez_say('A reversal counts from the day of its voucher or later.');
    END IF;
    SELECT array_agg(1 ORDER BY t.line_no) AS vouchers, array_agg(t.line_no ORDER BY t.line_no) AS nos,
           array_agg(t.credit_account_id ORDER BY t.line_no) AS debits, array_agg(t.debit_account_id
               ORDER BY t.line_no) AS credits,
           array_agg(t.amount_fen ORDER BY t.line_no) AS amounts
      INTO l FROM ledger_transfer t WHERE t.voucher_id = p_voucher;
    RETURN ledger_write_set(p_by, p_voucher, ARRAY[v.book_id], ARRAY[the_day], ARRAY[the_day], ARRAY['reversal'::text],
        ARRAY[p_reason], ARRAY[NULL::bigint], l.vouchers, l.nos, l.debits, l.credits, l.amounts);
END $$;
