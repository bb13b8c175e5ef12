-- What the models cannot say: money facts equal their transfers, standards and targets one at a time, and where a
-- line's money lies.

ALTER TABLE funds_appropriation
    ADD CONSTRAINT funds_appropriation_equals_transfer FOREIGN KEY (transfer_id, amount_fen)
        REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE funds_allocation
    ADD CONSTRAINT funds_allocation_equals_transfer_out FOREIGN KEY (transfer_out_id, amount_fen)
        REFERENCES ledger_transfer (id, amount_fen),
    ADD CONSTRAINT funds_allocation_equals_transfer_in FOREIGN KEY (transfer_in_id, amount_fen)
        REFERENCES ledger_transfer (id, amount_fen);

-- One book of money to hand on for each office and each county.
CREATE UNIQUE INDEX funds_one_book ON ledger_book (kind, area_id) WHERE kind IN ('office', 'county');

-- Sizes of village a standard speaks of: `any` overlaps both.
CREATE FUNCTION funds_sizes(size_class text) RETURNS int4range
LANGUAGE sql IMMUTABLE
    RETURN CASE size_class WHEN 'small' THEN int4range(1, 2) WHEN 'big' THEN int4range(2, 3) ELSE int4range(1, 3) END;
GRANT EXECUTE ON FUNCTION funds_sizes(text) TO karez_app;

-- Judged twice, like every spell: by true days among rows not voided, and by the days they count among all.
ALTER TABLE funds_grantstandard
    ADD CONSTRAINT funds_grantstandard_one_at_a_time EXCLUDE
        USING gist (area_id WITH =, programme WITH =, funds_sizes(size_class) WITH &&,
        daterange(starts_on, ends_before) WITH &&) WHERE (voided_at IS NULL),
    ADD CONSTRAINT funds_grantstandard_one_counts EXCLUDE USING gist (area_id WITH =, programme WITH =,
        funds_sizes(size_class) WITH &&,
        daterange(counts_from, LEAST(counts_before, void_counts_on)) WITH &&);
ALTER TABLE funds_plantarget
    ADD CONSTRAINT funds_plantarget_one_at_a_time EXCLUDE USING gist (area_id WITH =, code WITH =,
        daterange(starts_on, ends_before) WITH &&) WHERE (voided_at IS NULL),
    ADD CONSTRAINT funds_plantarget_one_counts EXCLUDE USING gist (area_id WITH =, code WITH =,
        daterange(counts_from, LEAST(counts_before, void_counts_on)) WITH &&);

-- Where each line's money lies now: one row for each line and book. `available` leaves out what is reserved.
CREATE VIEW funds_line_account AS
SELECT l.id AS line_id, b.id AS book_id, b.kind AS book_kind, b.area_id, a.id AS account_id, bank.id AS bank_account_id,
       a.posted_credit_fen - a.posted_debit_fen AS balance_fen,
       a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen AS available_fen
  FROM ledger_book b
  JOIN ledger_account a ON a.book_id = b.id
  JOIN funds_sourceline l ON a.code = 'L' || l.id
  JOIN ledger_account bank ON bank.book_id = b.id AND bank.code = '1002'
 WHERE b.kind IN ('office', 'county');

-- Opens what is missing: the book of each area (with its bank account) and the line's account in it. Array elements go
-- together.
CREATE FUNCTION funds_open_line_accounts(p_by bigint, p_batch bigint, p_kind text, p_areas bigint[], p_lines bigint[],
    p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4712, hashtext(p_kind));  -- two people opening the same book wait for each other
    PERFORM ledger_open_books(p_by, p_batch, p_kind, array_agg(n.name ORDER BY n.area_id), array_agg(n.area_id
        ORDER BY n.area_id),
                              array_agg(p_day), jsonb_build_array(jsonb_build_object(
            'code', '1002', 'name', karez_say('Bank'), 'normal_side', 'debit', 'holds_money', true)))
       FROM (SELECT DISTINCT x.area_id, CASE p_kind
                    WHEN 'office' THEN karez_say('{1} regional office', coalesce(t.name_en, x.area_id::text))
                    ELSE karez_say('{1} county office', coalesce(t.name_en, x.area_id::text)) END AS name
               FROM unnest(p_areas) x (area_id) LEFT JOIN places_tree t USING (area_id)
              WHERE NOT EXISTS (SELECT 1 FROM ledger_book b WHERE b.kind = p_kind AND b.area_id = x.area_id)) n
     HAVING count(*) > 0;
    PERFORM ledger_open_accounts(p_by, p_batch, array_agg(n.book_id), array_agg(n.code), array_agg(n.account_name),
        array_agg('credit'::text),
                                 array_agg(false), array_agg(false))
       FROM (SELECT DISTINCT b.id AS book_id, 'L' || l.id AS code, karez_say('Source line {1}', l.code::text) AS account_name
               FROM unnest(p_areas, p_lines) x (area_id, line_id)
               JOIN ledger_book b ON b.kind = p_kind AND b.area_id = x.area_id
               JOIN funds_sourceline l ON l.id = x.line_id
              WHERE NOT EXISTS (SELECT 1 FROM ledger_account a WHERE a.book_id = b.id AND a.code = 'L' || l.id)) n
     HAVING count(*) > 0;
END $$;
REVOKE ALL ON FUNCTION funds_open_line_accounts(bigint, bigint, text, bigint[], bigint[], date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION funds_open_line_accounts(bigint, bigint, text, bigint[], bigint[], date) TO karez_app;

-- The transfer a fact names did move money onto (or off) this line's account, in the right book, on the day the fact
-- counts. Its other account is the bank, and its voucher neither takes another back nor was taken back: money moved
-- from line to line, or given back, is nobody's appropriation.
CREATE FUNCTION funds_appropriation_on_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT n.reference FROM added n
          LEFT JOIN ledger_transfer t ON t.id = n.transfer_id AND t.booking_date = n.counts_on
          LEFT JOIN ledger_account a ON a.id = t.credit_account_id AND a.code = 'L' || n.line_id
          LEFT JOIN ledger_book b ON b.id = a.book_id AND b.kind = 'office' AND b.area_id = n.area_id
          LEFT JOIN ledger_account bank ON bank.id = t.debit_account_id AND bank.code = '1002'
          LEFT JOIN ledger_voucher v ON v.id = t.voucher_id AND v.reverses_id IS NULL
          LEFT JOIN ledger_voucher back ON back.reverses_id = v.id AND back.posted_at IS NOT NULL
         WHERE b.id IS NULL OR bank.id IS NULL OR v.id IS NULL OR back.id IS NOT NULL ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.reference IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ060',
            MESSAGE = karez_say('Appropriation {1} does not name a transfer onto its own line.', wrong.reference::text),
            DETAIL = karez_say('A payment names one source line: the one whose account it moved money onto, on the day it counts.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER funds_appropriation_on_line AFTER INSERT ON funds_appropriation REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION funds_appropriation_on_line();

CREATE FUNCTION funds_allocation_on_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT n.reference FROM added n
          LEFT JOIN ledger_transfer o ON o.id = n.transfer_out_id AND o.booking_date = n.counts_on
          LEFT JOIN ledger_account oa ON oa.id = o.debit_account_id AND oa.code = 'L' || n.line_id
          LEFT JOIN ledger_book ob ON ob.id = oa.book_id AND ob.kind = 'office'
          LEFT JOIN ledger_transfer i ON i.id = n.transfer_in_id AND i.booking_date = n.counts_on
          LEFT JOIN ledger_account ia ON ia.id = i.credit_account_id AND ia.code = 'L' || n.line_id
          LEFT JOIN ledger_book ib ON ib.id = ia.book_id AND ib.kind = 'county' AND ib.area_id = n.area_id
          LEFT JOIN ledger_account obank ON obank.id = o.credit_account_id AND obank.code = '1002'
          LEFT JOIN ledger_account ibank ON ibank.id = i.debit_account_id AND ibank.code = '1002'
          LEFT JOIN ledger_voucher ov ON ov.id = o.voucher_id AND ov.reverses_id IS NULL
          LEFT JOIN ledger_voucher iv ON iv.id = i.voucher_id AND iv.reverses_id IS NULL
          LEFT JOIN ledger_voucher oback ON oback.reverses_id = ov.id AND oback.posted_at IS NOT NULL
          LEFT JOIN ledger_voucher iback ON iback.reverses_id = iv.id AND iback.posted_at IS NOT NULL
         WHERE ob.id IS NULL OR ib.id IS NULL OR obank.id IS NULL OR ibank.id IS NULL OR ov.id IS NULL OR iv.id IS NULL
            OR oback.id IS NOT NULL OR iback.id IS NOT NULL ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.reference IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ060',
            MESSAGE = karez_say('Allocation {1} does not name the transfers of its own line and county.',
                wrong.reference::text),
            DETAIL = karez_say('What leaves the office on a line reaches the county on the same line, on the same day.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER funds_allocation_on_line AFTER INSERT ON funds_allocation REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION funds_allocation_on_line();

-- A record of money is void only where the money was moved back, from the day the reversal is booked.
CREATE FUNCTION funds_void_is_reversed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    transfer bigint;
BEGIN
    FOREACH transfer IN ARRAY CASE TG_TABLE_NAME WHEN 'funds_appropriation'
        THEN ARRAY[(to_jsonb(NEW) ->> 'transfer_id')::bigint]
            ELSE ARRAY[(to_jsonb(NEW) ->> 'transfer_out_id')::bigint,
                (to_jsonb(NEW) ->> 'transfer_in_id')::bigint] END LOOP
        IF NOT EXISTS (SELECT 1 FROM ledger_transfer t JOIN ledger_voucher r ON r.reverses_id = t.voucher_id
                        WHERE t.id = transfer AND r.posted_at IS NOT NULL AND r.booking_date = NEW.void_counts_on) THEN
            RAISE EXCEPTION USING ERRCODE = 'KZ061',
                MESSAGE = karez_say('The voucher of {1} is not reversed as of that day.', NEW.reference::text),
                DETAIL = karez_say('Money once booked is taken back by a reversal, which two people make; the record follows it.');
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER funds_appropriation_void_is_reversed BEFORE UPDATE ON funds_appropriation FOR EACH ROW
    WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION funds_void_is_reversed();
CREATE TRIGGER funds_allocation_void_is_reversed BEFORE UPDATE ON funds_allocation FOR EACH ROW
    WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION funds_void_is_reversed();

-- A line on which money stands on record is not void: its money would be nobody's.
CREATE FUNCTION funds_line_stands() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM funds_appropriation WHERE line_id = NEW.id AND voided_at IS NULL)
       OR EXISTS (SELECT FROM funds_allocation WHERE line_id = NEW.id AND voided_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ062', MESSAGE = karez_say('Money stands on line {1}.', NEW.code::text),
            DETAIL = karez_say('Take back its allocations and appropriations first.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER funds_line_stands BEFORE UPDATE ON funds_sourceline FOR EACH ROW
    WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION funds_line_stands();
