-- Posting many vouchers inside one transaction, from a temporary table the caller fills. All or nothing.

-- Makes (or empties) the temporary table ledger_bulk; it vanishes with the transaction. It is the owner's: a table the
-- caller made itself could run the caller's code with the owner's rights when it is read.
CREATE FUNCTION ledger_bulk_open() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF to_regclass('pg_temp.ledger_bulk') IS NOT NULL THEN
        PERFORM ledger_bulk_ours();
        TRUNCATE pg_temp.ledger_bulk, pg_temp.ledger_bulk_voucher;
        RETURN;
    END IF;
    CREATE TEMP TABLE ledger_bulk (
        voucher_key text NOT NULL,
        book_id bigint NOT NULL,
        booking_date date NOT NULL,
        kind text NOT NULL,
        narration text NOT NULL,
        document_id bigint,
        line_no int NOT NULL DEFAULT 1,
        debit_account_id bigint NOT NULL,
        credit_account_id bigint NOT NULL,
        amount_fen bigint NOT NULL,
        transfer_id bigint NOT NULL DEFAULT nextval('ledger_transfer_id_seq'),
        happened_on date,                      -- the booking date where not given
        is_receipt boolean NOT NULL DEFAULT false,
        reverses_id bigint
    ) ON COMMIT DROP;
    CREATE TEMP TABLE ledger_bulk_voucher (
        voucher_key text, id bigint, book_id bigint, booking_date date, happened_on date, year int, kind text,
            narration text,
        document_id bigint, is_receipt boolean, reverses_id bigint, number bigint, receipt_number bigint
    ) ON COMMIT DROP;
    GRANT SELECT, INSERT, UPDATE, DELETE ON pg_temp.ledger_bulk TO karez_app;
    GRANT SELECT ON pg_temp.ledger_bulk_voucher TO karez_app;
END $$;

CREATE FUNCTION ledger_bulk_ours() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
         WHERE c.oid IN (to_regclass('pg_temp.ledger_bulk'), to_regclass('pg_temp.ledger_bulk_voucher'))
           AND c.relkind = 'r' AND r.rolname = current_user) <> 2 THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ019', MESSAGE = karez_say('ledger_bulk is not open.'),
            DETAIL = karez_say('Call ledger_bulk_open() first.');
    END IF;
END $$;

-- Posts what stands in ledger_bulk: one voucher for each voucher_key. Where p_approved_by is NULL or p_prepared_by,
-- only receipts are let through. Afterwards ledger_bulk_voucher tells each key's voucher id and number. Returns the
-- vouchers posted.
CREATE FUNCTION ledger_bulk_post(p_batch bigint, p_prepared_by bigint, p_approved_by bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    the_day date;
    wrong record;
BEGIN
    PERFORM ledger_bulk_ours();
    ANALYZE pg_temp.ledger_bulk;
    IF (SELECT max(transfer_id) FROM pg_temp.ledger_bulk) > (SELECT last_value FROM ledger_transfer_id_seq) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017',
            MESSAGE = karez_say('A transfer has a number the sequence has not given.'),
            DETAIL = karez_say('Numbers of transfers come from ledger_transfer_id_seq, so that none is taken twice.');
    END IF;
    TRUNCATE pg_temp.ledger_bulk_voucher;
    INSERT INTO pg_temp.ledger_bulk_voucher
    SELECT voucher_key, nextval('ledger_voucher_id_seq'), min(book_id), min(booking_date), min(coalesce(happened_on,
        booking_date)),
           extract(year FROM min(booking_date)), min(kind), min(narration), min(document_id), bool_or(is_receipt),
               min(reverses_id)
      FROM pg_temp.ledger_bulk GROUP BY voucher_key
    ORDER BY min(book_id), min(booking_date), min(line_no), voucher_key;
    ANALYZE pg_temp.ledger_bulk_voucher;

    SELECT l.voucher_key INTO wrong FROM pg_temp.ledger_bulk l JOIN pg_temp.ledger_bulk_voucher v USING (voucher_key)
     WHERE (l.book_id, l.booking_date, coalesce(l.happened_on, l.booking_date), l.kind, l.narration, l.document_id,
         l.is_receipt, l.reverses_id)
        IS DISTINCT FROM (v.book_id, v.booking_date, v.happened_on, v.kind, v.narration, v.document_id, v.is_receipt,
            v.reverses_id)
     ORDER BY 1 LIMIT 1;  -- without an order the planner hopes for an early find and compares every line with every voucher
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017', MESSAGE = karez_say('Lines of voucher {1} disagree.',
            wrong.voucher_key::text),
            DETAIL = karez_say('Book, dates, kind, narration and document are the same on every line of a voucher.');
    END IF;
    SELECT l.voucher_key INTO wrong
      FROM pg_temp.ledger_bulk l
      LEFT JOIN ledger_account d ON d.id = l.debit_account_id AND d.book_id = l.book_id
      LEFT JOIN ledger_account c ON c.id = l.credit_account_id AND c.book_id = l.book_id
     WHERE d.id IS NULL OR c.id IS NULL OR l.is_receipt AND (NOT d.holds_money OR c.holds_money) ORDER BY 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ010',
            MESSAGE = karez_say('Voucher {1} uses an account of another book, or is a receipt that does not bring money in.', wrong.voucher_key::text),
            DETAIL = karez_say('A voucher moves money between accounts of its own book; a receipt debits cash or bank and credits what it is for.');
    END IF;
    IF EXISTS (SELECT 1 FROM pg_temp.ledger_bulk_voucher WHERE NOT is_receipt)
       AND (p_approved_by IS NULL OR p_approved_by = p_prepared_by) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ013', MESSAGE = karez_say('These vouchers need a second person.'),
            DETAIL = karez_say('Money goes out by two people.');
    END IF;
    SELECT r.id INTO wrong FROM pg_temp.ledger_bulk_voucher v JOIN ledger_voucher r ON r.id = v.reverses_id
     WHERE r.posted_at IS NULL OR r.reverses_id IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('Voucher {1} cannot be reversed.', wrong.id::text),
            DETAIL = karez_say('Only a posted voucher that is no reversal itself is reversed.');
    END IF;
    IF EXISTS (SELECT 1 FROM pg_temp.ledger_bulk_voucher WHERE reverses_id IS NOT NULL) AND EXISTS (
        (SELECT reverses_id, line_no, credit_account_id, debit_account_id, amount_fen FROM pg_temp.ledger_bulk
            WHERE reverses_id IS NOT NULL
         EXCEPT ALL SELECT voucher_id, line_no, debit_account_id, credit_account_id, amount_fen FROM ledger_transfer
                     WHERE voucher_id IN (SELECT reverses_id FROM pg_temp.ledger_bulk_voucher))
        UNION ALL
        (SELECT voucher_id, line_no, debit_account_id, credit_account_id, amount_fen FROM ledger_transfer
          WHERE voucher_id IN (SELECT reverses_id FROM pg_temp.ledger_bulk_voucher)
         EXCEPT ALL SELECT reverses_id, line_no, credit_account_id, debit_account_id, amount_fen
             FROM pg_temp.ledger_bulk)) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ016', MESSAGE = karez_say('A reversal differs from its voucher.'),
            DETAIL = karez_say('A reversal moves the same amounts the other way.');
    END IF;

    PERFORM periods_judge_batch('ledger_voucher', p_batch, p_batch, (SELECT coalesce(bool_and(reverses_id IS NOT NULL),
        true) FROM pg_temp.ledger_bulk_voucher))
      WHERE p_batch IS NOT NULL;
    PERFORM access_require_actor(p_approved_by) WHERE p_approved_by IS NOT NULL;
    PERFORM access_require_actor(p_prepared_by) WHERE p_batch IS NULL OR NOT EXISTS (SELECT FROM access_user
        WHERE id = p_prepared_by);
    PERFORM periods_refuse_far_day('ledger_voucher', booking_date) FROM pg_temp.ledger_bulk_voucher
        WHERE booking_date > periods_today() LIMIT 1;
    FOR the_day IN SELECT min(booking_date) FROM pg_temp.ledger_bulk_voucher GROUP BY year ORDER BY 1 LOOP
        PERFORM periods_hold(the_day, true);
    END LOOP;
    INSERT INTO ledger_counter (book_id, year) SELECT DISTINCT book_id, year FROM pg_temp.ledger_bulk_voucher
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
    PERFORM 1 FROM ledger_counter c WHERE (c.book_id, c.year) IN (SELECT book_id, year FROM pg_temp.ledger_bulk_voucher)
      ORDER BY c.book_id, c.year FOR NO KEY UPDATE;
    UPDATE pg_temp.ledger_bulk_voucher v SET number = c.last_number + n.pos, receipt_number = CASE WHEN v.is_receipt
        THEN c.last_receipt_number + n.receipt_pos END
      FROM (SELECT id, row_number() OVER w AS pos, count(*) FILTER (WHERE is_receipt) OVER w AS receipt_pos
              FROM pg_temp.ledger_bulk_voucher WINDOW w AS (PARTITION BY book_id, year
                  ORDER BY id ROWS UNBOUNDED PRECEDING)) n, ledger_counter c
     WHERE n.id = v.id AND c.book_id = v.book_id AND c.year = v.year;
    UPDATE ledger_counter c SET last_number = c.last_number + n.vouchers,
        last_receipt_number = c.last_receipt_number + n.receipts
      FROM (SELECT book_id, year, count(*) AS vouchers, count(*) FILTER (WHERE is_receipt) AS receipts
              FROM pg_temp.ledger_bulk_voucher GROUP BY 1, 2) n
     WHERE c.book_id = n.book_id AND c.year = n.year;
    INSERT INTO ledger_voucher (id, book_id, happened_on, booking_date, year, number, is_receipt, receipt_number, kind,
        narration,
            document_id, prepared_by_id, approved_by_id, posted_at, reverses_id, batch_id)
    SELECT id, book_id, happened_on, booking_date, year, number, is_receipt, receipt_number, kind, narration,
           document_id, p_prepared_by, p_approved_by, now(), reverses_id, p_batch
      FROM pg_temp.ledger_bulk_voucher ORDER BY id;

    PERFORM 1 FROM ledger_account a WHERE a.id IN (SELECT debit_account_id FROM pg_temp.ledger_bulk
        UNION SELECT credit_account_id FROM pg_temp.ledger_bulk) ORDER BY a.book_id, a.id FOR NO KEY UPDATE;
    -- The first account that would be overdrawn is named; the table's CHECK stands behind this.
    SELECT a.id, a.book_id, m.debit, m.credit INTO wrong
      FROM ledger_bulk_moves() m JOIN ledger_account a ON a.id = m.account_id
     WHERE NOT a.may_overdraw AND CASE a.normal_side
           WHEN 'debit' THEN a.posted_debit_fen + m.debit < a.posted_credit_fen + m.credit + a.pending_credit_fen
           ELSE a.posted_credit_fen + m.credit < a.posted_debit_fen + m.debit + a.pending_debit_fen END
     ORDER BY a.id LIMIT 1;
    IF FOUND THEN PERFORM ledger_refuse_account(wrong.id, wrong.book_id, wrong.debit, wrong.credit); END IF;
    UPDATE ledger_account a SET posted_debit_fen = a.posted_debit_fen + m.debit,
        posted_credit_fen = a.posted_credit_fen + m.credit
      FROM ledger_bulk_moves() m WHERE a.id = m.account_id;

    INSERT INTO ledger_transfer (id, book_id, booking_date, voucher_id, line_no, debit_account_id, credit_account_id,
        amount_fen)
    SELECT l.transfer_id, v.book_id, v.booking_date, v.id, l.line_no, l.debit_account_id, l.credit_account_id,
        l.amount_fen
      FROM pg_temp.ledger_bulk l JOIN pg_temp.ledger_bulk_voucher v USING (voucher_key) ORDER BY l.transfer_id;
    TRUNCATE pg_temp.ledger_bulk;
    RETURN (SELECT count(*) FROM pg_temp.ledger_bulk_voucher);
END $$;

-- What the rows of ledger_bulk add to each account.
CREATE FUNCTION ledger_bulk_moves() RETURNS TABLE (account_id bigint, debit bigint, credit bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT m.account, sum(m.debit)::bigint, sum(m.credit)::bigint
      FROM (SELECT debit_account_id AS account, amount_fen AS debit, 0 AS credit FROM pg_temp.ledger_bulk
            UNION ALL SELECT credit_account_id, 0, amount_fen FROM pg_temp.ledger_bulk) m
     GROUP BY 1;
END $$;

-- Reverses every voucher of a batch that is not reversed yet, each by a voucher of its own. For withdrawing a batch.
CREATE FUNCTION ledger_bulk_reverse(p_batch bigint, p_prepared_by bigint, p_approved_by bigint,
    p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM ledger_bulk_open();
    INSERT INTO pg_temp.ledger_bulk (voucher_key, book_id, booking_date, kind, narration, line_no, debit_account_id,
        credit_account_id,
        amount_fen, reverses_id)
    SELECT v.id::text, v.book_id, GREATEST(v.booking_date, periods_first_open_day()), 'reversal', p_reason, t.line_no,
           t.credit_account_id, t.debit_account_id, t.amount_fen, v.id
      FROM ledger_voucher v JOIN ledger_transfer t ON t.voucher_id = v.id
     WHERE v.batch_id = p_batch AND v.reverses_id IS NULL AND v.posted_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM ledger_voucher r WHERE r.reverses_id = v.id AND r.refused_at IS NULL);
    IF NOT FOUND THEN RETURN 0; END IF;  -- it booked no money, or all of it was reversed one by one
    RETURN ledger_bulk_post(p_batch, p_prepared_by, p_approved_by);
END $$;

-- Only what callers need may be called; helpers run inside the functions above.
DO $$
DECLARE f text;
BEGIN
    FOR f IN SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'ledger\_%'
        AND pronamespace = 'public'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
    FOR f IN SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN (
        'ledger_post', 'ledger_prepare', 'ledger_approve', 'ledger_refuse_set', 'ledger_prepare_reversal',
            'ledger_bulk_open',
        'ledger_bulk_post', 'ledger_bulk_reverse', 'ledger_open_books', 'ledger_open_accounts', 'ledger_balance_fen',
        'ledger_count_cash', 'ledger_countersign_cash') LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO karez_app', f);
    END LOOP;
END $$;
