-- Opening books and accounts, and counting cash. Set-based where sheets open many at once.

-- A voucher counts from the day it happened on, or from the first open day where that day's year is closed: nothing is
-- put off. Almost every voucher counts from its own day, and for those the trigger's condition is all that is ever
-- asked.
CREATE FUNCTION ledger_refuse_day() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.booking_date IS DISTINCT FROM periods_counts_on(NEW.happened_on) THEN
        PERFORM periods_refuse_day('ledger_voucher', NEW.happened_on, NEW.booking_date);
    END IF;
    IF NEW.happened_on < DATE '1900-01-01' THEN PERFORM periods_refuse_far_day('ledger_voucher',
        NEW.happened_on); END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_voucher_counts_from_its_day BEFORE INSERT ON ledger_voucher FOR EACH ROW
WHEN (NEW.booking_date <> NEW.happened_on) EXECUTE FUNCTION ledger_refuse_day();

-- Opens one book for each element, all with the chart of accounts p_chart: [{"code", "name", "normal_side",
-- "may_overdraw"?, "holds_money"?}, ...]. Returns the position (from 1) with the book's id.
CREATE FUNCTION ledger_open_books(p_by bigint, p_batch bigint, p_kind text, p_names text[], p_areas bigint[],
    p_opened_on date[],
    p_chart jsonb)
RETURNS TABLE (ordinal int, book_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first_id bigint;
    ids bigint[];
BEGIN
    IF p_by IS NULL OR cardinality(p_names) <> cardinality(p_areas) OR cardinality(p_names) <> cardinality(p_opened_on)
        THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017', MESSAGE = karez_say('Books to open are not given whole.');
    END IF;
    PERFORM periods_judge_batch('ledger_book', p_batch, p_batch) WHERE p_batch IS NOT NULL;
    PERFORM access_require_actor(p_by) WHERE p_batch IS NULL OR NOT EXISTS (SELECT FROM access_user WHERE id = p_by);
    SELECT array_agg(nextval(pg_get_serial_sequence('ledger_book', 'id')) ORDER BY i) INTO ids
      FROM generate_series(1, cardinality(p_names)) i;
    INSERT INTO ledger_book (id, kind, name, area_id, opened_on, recorded_by_id, batch_id)
    SELECT ids[x.i], p_kind, x.name, x.area, x.day, p_by, p_batch
      FROM unnest(p_names, p_areas, p_opened_on) WITH ORDINALITY x (name, area, day, i);
    INSERT INTO ledger_account (book_id, code, name, normal_side, may_overdraw, holds_money, recorded_by_id, batch_id)
    SELECT b.id, c.code, c.name, c.normal_side, coalesce(c.may_overdraw, false), coalesce(c.holds_money,
        c.code IN ('1001', '1002')),
           p_by, p_batch
      FROM unnest(ids) b (id), jsonb_to_recordset(p_chart) c (code text, name text, normal_side text,
          may_overdraw boolean, holds_money boolean);
    RETURN QUERY SELECT x.i::int, x.id FROM unnest(ids) WITH ORDINALITY x (id, i) ORDER BY 2;
END $$;

-- Opens accounts, one for each element, or finds those that are there. Returns the position (from 1) with the account's
-- id.
CREATE FUNCTION ledger_open_accounts(p_by bigint, p_batch bigint, p_books bigint[], p_codes text[], p_names text[],
    p_sides text[],
    p_may_overdraw boolean[], p_holds_money boolean[])
RETURNS TABLE (ordinal int, account_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM periods_judge_batch('ledger_account', p_batch, p_batch) WHERE p_batch IS NOT NULL;
    PERFORM access_require_actor(p_by) WHERE p_batch IS NULL OR NOT EXISTS (SELECT FROM access_user WHERE id = p_by);
    INSERT INTO ledger_account (book_id, code, name, normal_side, may_overdraw, holds_money, recorded_by_id, batch_id)
    SELECT DISTINCT ON (x.book, x.code) x.book, x.code, x.name, x.side, coalesce(x.over, false),
           coalesce(x.money, x.code IN ('1001', '1002')), p_by, p_batch
      FROM unnest(p_books, p_codes, p_names, p_sides, p_may_overdraw, p_holds_money) x (book, code, name, side, over,
          money)
     ORDER BY x.book, x.code
    ON CONFLICT ON CONSTRAINT ledger_account_code_once_in_book DO NOTHING;
    IF EXISTS (SELECT 1 FROM unnest(p_books, p_codes, p_sides, p_may_overdraw) x (book, code, side, over)
                 JOIN ledger_account a ON a.book_id = x.book AND a.code = x.code
                WHERE a.normal_side <> x.side OR a.may_overdraw <> coalesce(x.over, false)) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ017',
            MESSAGE = karez_say('An account of this code is already there with another side or limit.'),
            DETAIL = karez_say('Choose another code.');
    END IF;
    RETURN QUERY SELECT x.i::int, a.id FROM unnest(p_books, p_codes) WITH ORDINALITY x (book, code, i)
        JOIN ledger_account a ON a.book_id = x.book AND a.code = x.code ORDER BY 1;
END $$;

-- What an account held at the end of a day, on its normal side.
CREATE FUNCTION ledger_balance_fen(p_account bigint, p_day date) RETURNS bigint
LANGUAGE sql STABLE
    RETURN (SELECT CASE a.normal_side WHEN 'debit' THEN m.debit - m.credit ELSE m.credit - m.debit END::bigint
      FROM ledger_account a, LATERAL (
        SELECT coalesce((SELECT sum(amount_fen) FROM ledger_transfer WHERE debit_account_id = a.id
            AND booking_date <= p_day), 0) AS debit,
               coalesce((SELECT sum(amount_fen) FROM ledger_transfer WHERE credit_account_id = a.id
                   AND booking_date <= p_day), 0) AS credit
      ) m WHERE a.id = p_account);

CREATE FUNCTION ledger_count_cash(p_account bigint, p_day date, p_counted_fen bigint, p_note text,
    p_by bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE the_id bigint;
BEGIN
    PERFORM periods_hold(p_day);
    PERFORM access_require_actor(p_by);
    IF p_day > periods_today() THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ018', MESSAGE = karez_say('Cash of {1} cannot be counted yet.', p_day::text);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = p_account AND holds_money) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ018', MESSAGE = karez_say('Account {1} holds no cash.', p_account::text);
    END IF;
    INSERT INTO ledger_cash_count (account_id, counted_on, counted_fen, booked_fen, note, counted_by_id)
    VALUES (p_account, p_day, p_counted_fen, ledger_balance_fen(p_account, p_day), coalesce(p_note, ''),
        p_by) RETURNING id INTO the_id;
    RETURN the_id;
END $$;

CREATE FUNCTION ledger_countersign_cash(p_count bigint, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM access_require_actor(p_by);
    UPDATE ledger_cash_count SET countersigned_by_id = p_by, countersigned_at = now()
     WHERE id = p_count AND countersigned_at IS NULL AND counted_by_id <> p_by;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ018',
            MESSAGE = karez_say('Cash count {1} cannot be countersigned by this person.', p_count::text),
            DETAIL = karez_say('A count is countersigned once, by another person than who counted.');
    END IF;
END $$;
