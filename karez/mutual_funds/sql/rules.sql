-- The rules of village funds in the database. Every check judges a whole statement at once, over the rows added and
-- what is already there; every writer of a society waits for the one before it (its row is locked, in the order of
-- ids). A fault is picked with ORDER BY: without it the planner hopes to find one early, and takes for ever where there
-- is none. Queries over many rows are built at run time, so that a plan made for one row is never used for a million.
-- What contributions, loans, repayments, grants and extensions must be is declared in `record_rules.py`, once for files, forms and here.
-- Codes: KZ020 pots, KZ022 what a loan takes from its rules, KZ024 where a grant comes from, KZ025 members, KZ026 write-offs,
-- KZ027 opening balances, KZ028 voiding what something stands on, KZ029 a day the society was not
-- there, KZ02A founding and rules brought in by one person alone.

-- The same amount in the fact and in the books.
ALTER TABLE mutual_funds_opening ADD CONSTRAINT mutual_funds_opening_voucher
    FOREIGN KEY (voucher_id) REFERENCES ledger_voucher (id);
ALTER TABLE mutual_funds_contribution ADD CONSTRAINT mutual_funds_contribution_amount_of_transfer
    FOREIGN KEY (transfer_id, amount_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_grant ADD CONSTRAINT mutual_funds_grant_amount_of_transfer
    FOREIGN KEY (transfer_id, amount_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_grant ADD CONSTRAINT mutual_funds_grant_amount_of_county_transfer
    FOREIGN KEY (county_transfer_id, amount_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_gift ADD CONSTRAINT mutual_funds_gift_amount_of_transfer
    FOREIGN KEY (transfer_id, amount_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_loan ADD CONSTRAINT mutual_funds_loan_amount_of_transfer
    FOREIGN KEY (transfer_id, principal_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_repayment ADD CONSTRAINT mutual_funds_repayment_principal_of_transfer
    FOREIGN KEY (principal_transfer_id, principal_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_repayment ADD CONSTRAINT mutual_funds_repayment_fee_of_transfer
    FOREIGN KEY (fee_transfer_id, fee_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_writeoff ADD CONSTRAINT mutual_funds_writeoff_amount_of_transfer
    FOREIGN KEY (transfer_id, principal_fen) REFERENCES ledger_transfer (id, amount_fen);
ALTER TABLE mutual_funds_loan ADD CONSTRAINT mutual_funds_loan_member_of_society
    FOREIGN KEY (member_id, society_id) REFERENCES mutual_funds_member (id, society_id);
ALTER TABLE mutual_funds_loan ADD CONSTRAINT mutual_funds_loan_rules_of_society
    FOREIGN KEY (rule_set_id, society_id) REFERENCES mutual_funds_ruleset (id, society_id);

CREATE FUNCTION mutual_funds_refuse(p_code text, p_what text, p_why text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = p_what, DETAIL = p_why;
END $$;

CREATE FUNCTION mutual_funds_first_day() RETURNS date
LANGUAGE sql STABLE RETURN (SELECT make_date(first_year, 1, 1) FROM periods_region);

-- Takes societies for this transaction, lowest id first. Every writer of money takes them before it takes accounts.
CREATE FUNCTION mutual_funds_take(p_societies bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM mutual_funds_society WHERE id = ANY (p_societies) ORDER BY id FOR NO KEY UPDATE;
END $$;

-- I8, I12: the transfer of a fact lies in the society's book, between the accounts its kind allows, on the day it
-- counts, and is neither a reversal nor reversed. One function for each money of a fact, written here from one text:
-- what runs is constant, with nothing in it that a caller gave. The list: name; column of the transfer; join to the
-- society as `so`; debit codes; credit codes; condition.
DO $make$
DECLARE
    one record;
    of_loan text := 'JOIN mutual_funds_loan l ON l.id = a.loan_id JOIN mutual_funds_society so ON so.id = l.society_id';
    of_member text := 'JOIN mutual_funds_member m ON m.id = a.member_id JOIN mutual_funds_society so ON so.id = m.society_id';
    of_society text := 'JOIN mutual_funds_society so ON so.id = a.society_id';
    body text := $body$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id, d.code AS debit, c.code AS credit, t.booking_date, t.book_id <> so.book_id AS elsewhere
          FROM added a JOIN ledger_transfer t ON t.id = a.{column} {join}
          JOIN ledger_voucher v ON v.id = t.voucher_id
          LEFT JOIN ledger_voucher back ON back.reverses_id = v.id AND back.refused_at IS NULL
              AND back.posted_at IS NOT NULL
          JOIN ledger_account d ON d.id = t.debit_account_id JOIN ledger_account c ON c.id = t.credit_account_id
         WHERE {condition} AND (t.book_id <> so.book_id OR t.booking_date <> a.counts_on OR v.reverses_id IS NOT NULL
            OR back.id IS NOT NULL OR d.code <> ALL ('{debits}'::text[]) OR c.code <> ALL ('{credits}'::text[]))
                ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ020', karez_say('The money of row {1} of {2} was moved from {3} to {4}.',
            wrong.id::text, TG_TABLE_NAME::text, wrong.credit::text, wrong.debit::text),
            karez_say('Pots never mix: debit {1}, credit {2}, in the society''s own book, on the day the fact counts.',
                '{debits}', '{credits}'));
    END IF;
    RETURN NULL;
END $body$;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('contribution_in', 'transfer_id', of_member, '{1001,1002}', '{2001}', 'a.kind = ''own'''),
        ('contribution_out', 'transfer_id', of_member, '{2001}', '{1001,1002}', 'a.kind = ''refund'''),
        ('grant', 'transfer_id', of_society, '{1002}', '{4001}', 'true'),
        ('gift', 'transfer_id', of_society, '{1001,1002}', '{4002}', 'true'),
        ('loan', 'transfer_id', of_society, '{1301}', '{1001,1002}', 'true'),
        ('repayment_principal', 'principal_transfer_id', of_loan, '{1001,1002}', '{1301}', 'true'),
        ('repayment_fee', 'fee_transfer_id', of_loan, '{1001,1002}', '{4003}', 'true'),
        ('writeoff', 'transfer_id', of_loan, '{4001,4002,4003}', '{1301}', 'true')) x (name, col, via, debits, credits,
            only_where)
    LOOP
        -- Joined as written, from the row to its accounts: to weigh other orders costs a single row more than all the rest.
        EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER'
            ' SET search_path = pg_catalog, public, pg_temp SET join_collapse_limit = 1 AS %L', 'mutual_funds_money_of_' || one.name,
            replace(replace(replace(replace(replace(body, '{column}', one.col), '{join}', one.via), '{condition}',
                one.only_where),
                '{debits}', one.debits), '{credits}', one.credits));
    END LOOP;
END $make$;

-- What a loan takes from its rules, then the schedule. Whether the rules allow it is judged before (`record_rules.py`).
CREATE FUNCTION mutual_funds_write_schedule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id, a.loan_no FROM added a JOIN mutual_funds_ruleset r ON r.id = a.rule_set_id
         WHERE a.due_on <> a.happened_on + a.term_days OR a.fee_rate_bp <> r.fee_rate_bp
            OR a.instalments <> r.instalments OR r.voided_at IS NOT NULL OR r.starts_on > a.happened_on
            OR r.ends_before <= a.happened_on
            OR a.opening <> (a.happened_on < (SELECT mutual_funds_first_day())) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ022', karez_say('Loan {1} is not by the rules in force that day.',
            wrong.loan_no::text),
            karez_say('A loan takes its fee, its instalments and its last day from the rule set in force.'));
    END IF;
    -- The rounding of schedules, here and nowhere else: running sums are rounded, principal down, the fee half up.
    EXECUTE $q$
        INSERT INTO mutual_funds_instalment (loan_id, number, due_on, principal_fen, fee_fen)
        SELECT id, n, happened_on + day, upto - before, charged - coalesce(lag(charged) OVER (PARTITION BY id
            ORDER BY n), 0)
          FROM (SELECT id, n, happened_on, day, upto, before,
                       div(2 * sum((principal_fen - before)::numeric * fee_rate_bp * (day - last_day)) OVER (PARTITION BY id ORDER BY n)
                           + 300000, 600000)::bigint AS charged
                  FROM (SELECT a.id, n, a.happened_on, a.principal_fen, a.fee_rate_bp,
                               a.term_days * n / a.instalments AS day,
                                   a.term_days * (n - 1) / a.instalments AS last_day,
                               a.principal_fen * n / a.instalments AS upto,
                                   a.principal_fen * (n - 1) / a.instalments AS before
                          FROM added a, generate_series(1, a.instalments) n) steps) sums
         ORDER BY id, n$q$;
    RETURN NULL;
END $$;

-- At commit, so that a repayment voided and the one that replaces it are judged together. Refuses that somebody who has
-- left has own money in, or owes: asked when they leave, and whenever a record of theirs is void.
CREATE FUNCTION mutual_funds_refuse_left(p_member bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own bigint;
    household text;
    society text;
BEGIN
    IF NOT EXISTS (SELECT FROM mutual_funds_member WHERE id = p_member AND ends_before IS NOT NULL
        AND voided_at IS NULL) THEN RETURN; END IF;
    SELECT h.household_no, so.name INTO household, society FROM mutual_funds_member m JOIN register_household h
        ON h.id = m.household_id
      JOIN mutual_funds_society so ON so.id = m.society_id WHERE m.id = p_member;
    SELECT sum(CASE kind WHEN 'refund' THEN -amount_fen WHEN 'granted_base' THEN 0 ELSE amount_fen END) INTO own
      FROM mutual_funds_contribution WHERE member_id = p_member AND voided_at IS NULL;
    IF own <> 0 THEN
        PERFORM mutual_funds_refuse('KZ025', karez_say('Household {1}, which leaves or has left {2}, has {3} yuan in.',
            household::text, society::text, karez_yuan(own)),
            karez_say('Own money is returned on leaving; take the leaving back first.'));
    END IF;
    IF EXISTS (SELECT FROM mutual_funds_loan l WHERE l.member_id = p_member AND l.voided_at IS NULL
            AND NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL)
            AND l.principal_fen > coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p
                WHERE p.loan_id = l.id AND p.voided_at IS NULL), 0)) THEN
        PERFORM mutual_funds_refuse('KZ025',
            karez_say('Household {1}, which leaves or has left {2}, has a loan that is not repaid.', household::text,
                society::text),
            karez_say('Loans are repaid before leaving; take the leaving back first.'));
    END IF;
END $$;

-- At commit: what was paid in, repaid or written off and is void now is not missed by one who has left.
CREATE FUNCTION mutual_funds_judge_left() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    void jsonb := to_jsonb(NEW);
    who bigint := void ->> 'member_id';
BEGIN
    IF who IS NULL THEN SELECT member_id INTO who FROM mutual_funds_loan WHERE id = (void ->> 'loan_id')::bigint; END IF;
    PERFORM mutual_funds_take(ARRAY[society_id]) FROM mutual_funds_member WHERE id = who;
    PERFORM mutual_funds_refuse_left(who);
    RETURN NULL;
END $$;

-- Grants: out of a county's money of their line. What else holds of them stands in `record_rules.py`.
CREATE FUNCTION mutual_funds_check_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id FROM added a JOIN ledger_transfer t ON t.id = a.county_transfer_id JOIN ledger_book b
            ON b.id = t.book_id
          JOIN ledger_voucher v ON v.id = t.voucher_id JOIN funds_sourceline li ON li.id = a.source_line_id
          LEFT JOIN ledger_voucher back ON back.reverses_id = v.id AND back.refused_at IS NULL
              AND back.posted_at IS NOT NULL
          JOIN ledger_account d ON d.id = t.debit_account_id JOIN ledger_account c ON c.id = t.credit_account_id
         WHERE b.kind <> 'county' OR d.code <> 'L' || li.id OR c.code <> '1002' OR t.booking_date <> a.counts_on
            OR back.id IS NOT NULL OR v.reverses_id IS NOT NULL
            OR a.happened_on < (SELECT mutual_funds_first_day()) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ024',
            karez_say('Grant {1} was not paid from its source line in a county''s book.', wrong.id::text),
            karez_say('A grant names one line of the programme and takes its money from that line''s account.'));
    END IF;
    RETURN NULL;
END $$;

-- Nothing is given to a society before it is founded or after it has ended.
CREATE FUNCTION mutual_funds_check_there() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id, a.happened_on, so.name, so.starts_on FROM added a JOIN mutual_funds_society so
            ON so.id = a.society_id
         WHERE so.voided_at IS NOT NULL OR a.happened_on < so.starts_on OR a.happened_on >= so.ends_before ORDER BY 1
             LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ029', karez_say('{1} did not exist on {2}.', wrong.name::text,
            wrong.happened_on::text),
            karez_say('It was founded on {1}; nothing is given to it before, or after its end.',
                wrong.starts_on::text));
    END IF;
    RETURN NULL;
END $$;

-- A household does not end while it is a member: own money and loans are settled first.
CREATE FUNCTION mutual_funds_judge_household() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mutual_funds_member WHERE household_id = NEW.id AND voided_at IS NULL
            AND (ends_before IS NULL OR ends_before > NEW.ends_before)) THEN
        PERFORM mutual_funds_refuse('KZ025', karez_say('Household {1} is a member of a village fund.',
            NEW.household_no::text),
            karez_say('Record first on the page of the society that it leaves, with its own money returned.'));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER mutual_funds_household_ends AFTER UPDATE OF ends_before ON register_household
    FOR EACH ROW WHEN (NEW.ends_before IS NOT NULL
        AND NEW.voided_at IS NULL) EXECUTE FUNCTION mutual_funds_judge_household();

CREATE FUNCTION mutual_funds_check_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    -- A household being dissolved at this moment is waited for; those this transaction made nobody else can see.
    EXECUTE 'SELECT count(*) FROM (SELECT FROM register_household h WHERE h.id IN (SELECT household_id FROM added)
        AND h.xmin <> pg_current_xact_id()::xid ORDER BY h.id FOR SHARE) held';
    EXECUTE $q$
        SELECT a.id, h.household_no, h.ends_before FROM added a JOIN register_household h ON h.id = a.household_id
         WHERE h.ends_before IS NOT NULL AND a.voided_at IS NULL AND (a.ends_before IS NULL
             OR a.ends_before > h.ends_before)
         ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ025', karez_say('Household {1} was dissolved on {2} and joins no village fund.',
            wrong.household_no::text, wrong.ends_before::text),
            karez_say('Members are households that are there.'));
    END IF;
    EXECUTE $q$
        SELECT a.id, h.household_no, so.name FROM added a JOIN mutual_funds_society so ON so.id = a.society_id
            JOIN register_household h ON h.id = a.household_id
         WHERE h.village_id <> so.area_id OR h.voided_at IS NOT NULL OR so.voided_at IS NOT NULL
             OR so.starts_on > a.starts_on
            OR so.ends_before <= a.starts_on ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ025',
            karez_say('Household {1} is not of the village of {2}, or the society was not there.',
                wrong.household_no::text, wrong.name::text),
            karez_say('A society never reaches beyond its village.'));
    END IF;
    RETURN NULL;
END $$;

-- At commit: who left has no money in and owes nothing; what is void carries nothing.
CREATE FUNCTION mutual_funds_judge_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mutual_funds_take(ARRAY[NEW.society_id]);
    IF NEW.voided_at IS NOT NULL AND (EXISTS (SELECT FROM mutual_funds_contribution WHERE member_id = NEW.id
        AND voided_at IS NULL)
            OR EXISTS (SELECT FROM mutual_funds_loan WHERE member_id = NEW.id AND voided_at IS NULL)) THEN
        PERFORM mutual_funds_refuse('KZ028', karez_say('Household {1} has contributions or loans.',
            ((SELECT household_no FROM register_household WHERE id = NEW.household_id))::text),
            karez_say('Void them first.'));
    END IF;
    PERFORM mutual_funds_refuse_left(NEW.id);
    RETURN NULL;
END $$;

-- At commit: nothing stands on what is void. One question for each table that may be void under others.
CREATE FUNCTION mutual_funds_judge_void() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE child text;
BEGIN
    IF TG_TABLE_NAME = 'mutual_funds_loan' THEN
        child := CASE WHEN EXISTS (SELECT FROM mutual_funds_repayment WHERE loan_id = NEW.id AND voided_at IS NULL)
            THEN 'mutual_funds_repayment'
            WHEN EXISTS (SELECT FROM mutual_funds_extension WHERE loan_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_extension'
            WHEN EXISTS (SELECT FROM mutual_funds_writeoff WHERE loan_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_writeoff' END;
    ELSIF TG_TABLE_NAME = 'mutual_funds_ruleset' THEN
        child := CASE WHEN EXISTS (SELECT FROM mutual_funds_loan WHERE rule_set_id = NEW.id AND voided_at IS NULL)
            THEN 'mutual_funds_loan' END;
    ELSE
        child := CASE WHEN EXISTS (SELECT FROM mutual_funds_member WHERE society_id = NEW.id AND voided_at IS NULL)
            THEN 'mutual_funds_member'
            WHEN EXISTS (SELECT FROM mutual_funds_opening WHERE society_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_opening'
            WHEN EXISTS (SELECT FROM mutual_funds_grant WHERE society_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_grant'
            WHEN EXISTS (SELECT FROM mutual_funds_gift WHERE society_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_gift'
            WHEN EXISTS (SELECT FROM mutual_funds_loan WHERE society_id = NEW.id AND voided_at IS NULL)
                THEN 'mutual_funds_loan' END;
    END IF;
    IF child IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ028', karez_say('Something in {1} stands on row {2} of {3}.', child::text,
            NEW.id::text, TG_TABLE_NAME::text), karez_say('Void that first.'));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION mutual_funds_check_writeoffs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT l.society_id FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id) x';
    EXECUTE $q$
    SELECT a.id FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id
      JOIN ledger_transfer t ON t.id = a.transfer_id JOIN ledger_account d ON d.id = t.debit_account_id
      JOIN ledger_voucher v ON v.id = t.voucher_id
      LEFT JOIN mutual_funds_ruleset r ON r.society_id = l.society_id AND r.voided_at IS NULL
          AND r.starts_on <= a.happened_on
           AND (r.ends_before IS NULL OR r.ends_before > a.happened_on)
     WHERE r.write_off_pot IS DISTINCT FROM a.pot OR l.voided_at IS NOT NULL OR a.happened_on < l.happened_on
        OR d.code <> CASE a.pot WHEN 'surplus' THEN '4003' WHEN 'gifts' THEN '4002' WHEN 'grant' THEN '4001' ELSE '' END
        OR v.prepared_by_id IS DISTINCT FROM a.prepared_by_id OR v.approved_by_id IS DISTINCT FROM a.approved_by_id
        OR a.principal_fen <> l.principal_fen - coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p
            WHERE p.loan_id = l.id AND p.voided_at IS NULL), 0) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ026', karez_say('Write-off {1} is not by the rules.', wrong.id::text),
            karez_say('All that is still owed is written off, by two people, on the pot the rules in force name.'));
    END IF;
    RETURN NULL;
END $$;

-- Founding and rules are brought in by two people: by a resolution another person agreed to, as it was asked, or with
-- the file of societies that is being applied. No day of them lies ahead (an office east of Greenwich is a day ahead of
-- the server at most).
CREATE FUNCTION mutual_funds_check_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE alone boolean;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT EXISTS (SELECT FROM added a JOIN mutual_funds_resolution r ON r.id = a.resolution_id
        WHERE a.agreed AND r.prepared_by_id = a.answered_by_id)' INTO alone;
    IF alone THEN
        PERFORM mutual_funds_refuse('KZ02A', karez_say('The same person would prepare and approve it.'),
            karez_say('Founding and rules of a society are decided by two people.'));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION mutual_funds_check_founding() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id, a.name, a.starts_on > current_date + 1 AS ahead, a.starts_on FROM added a
         WHERE a.starts_on > current_date + 1 OR NOT CASE WHEN a.resolution_id IS NULL
           THEN EXISTS (SELECT FROM intake_batch b WHERE b.id = a.batch_id AND b.sheet = 'societies'
               AND b.state = 'applying')
           ELSE EXISTS (SELECT FROM mutual_funds_resolution r JOIN mutual_funds_resolutionanswer w
               ON w.resolution_id = r.id AND w.agreed
                 WHERE r.id = a.resolution_id AND r.kind = 'founding' AND r.area_id = a.area_id
                     AND to_jsonb(a) @> (r.terms -> 'society')) END
         ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL AND wrong.ahead THEN
        PERFORM mutual_funds_refuse('KZ029', karez_say('{1} would be founded on {2}.', wrong.name::text,
            wrong.starts_on::text),
            karez_say('A society is founded on a day until today.'));
    ELSIF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ02A', karez_say('Nobody else agreed to the founding of {1}.', wrong.name::text),
            karez_say('A society is founded by two people: on the page of its village, or by a file.'));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION mutual_funds_check_rulesets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$
        SELECT a.id, a.starts_on, a.starts_on > current_date + 1 AS ahead FROM added a JOIN mutual_funds_society so
            ON so.id = a.society_id
         WHERE a.starts_on > current_date + 1 OR so.voided_at IS NOT NULL OR NOT CASE WHEN a.resolution_id IS NULL
           THEN EXISTS (SELECT FROM intake_batch b WHERE b.id = a.batch_id AND b.sheet = 'societies'
               AND b.state = 'applying'
                 AND b.sender_id = a.prepared_by_id AND b.decided_by_id = a.approved_by_id)
           ELSE EXISTS (SELECT FROM mutual_funds_resolution r JOIN mutual_funds_resolutionanswer w
               ON w.resolution_id = r.id AND w.agreed
                 WHERE r.id = a.resolution_id AND r.prepared_by_id = a.prepared_by_id
                     AND w.answered_by_id = a.approved_by_id
                   AND r.kind IN ('founding', 'rules') AND r.area_id = so.area_id
                       AND coalesce(r.society_id, so.id) = so.id
                   AND to_jsonb(a) @> (r.terms -> 'rules')) END
         ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL AND wrong.ahead THEN
        PERFORM mutual_funds_refuse('KZ029', karez_say('Rules would hold from {1}.', wrong.starts_on::text),
            karez_say('Rules are recorded when they hold.'));
    ELSIF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ02A', karez_say('Nobody else agreed to the rules from {1} as they are.',
            wrong.starts_on::text),
            karez_say('Rules of a society are prepared by one person, with the minutes of the members'' meeting, and agreed to by another.'));
    END IF;
    RETURN NULL;
END $$;

-- The opening voucher brings in exactly what the opening says, pot by pot.
CREATE FUNCTION mutual_funds_check_openings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT society_id FROM added) x';
    EXECUTE $q$
        SELECT a.society_id FROM added a JOIN mutual_funds_society so ON so.id = a.society_id JOIN ledger_voucher v
            ON v.id = a.voucher_id
          LEFT JOIN (SELECT t.voucher_id, coalesce(sum(t.amount_fen) FILTER (WHERE c.code = '4001'), 0) AS grant_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE c.code = '2001'), 0) AS contributions_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE c.code = '4002'), 0) AS gifts_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE c.code = '4003'), 0) AS surplus_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE d.code = '1001'), 0) AS cash_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE d.code = '1002'), 0) AS bank_fen,
                coalesce(sum(t.amount_fen) FILTER (WHERE d.code = '1301'), 0) AS loans_fen,
                bool_and('3000' IN (c.code, d.code)) AS cleared
              FROM ledger_transfer t JOIN ledger_account d ON d.id = t.debit_account_id JOIN ledger_account c
                  ON c.id = t.credit_account_id
             WHERE t.voucher_id IN (SELECT voucher_id FROM added) GROUP BY 1) m ON m.voucher_id = v.id
         WHERE v.book_id <> so.book_id OR v.booking_date <> a.counts_on
             OR a.counts_on <> (SELECT mutual_funds_first_day()) OR v.reverses_id IS NOT NULL
            OR so.starts_on >= (SELECT mutual_funds_first_day()) OR m.cleared IS NOT TRUE
            OR (a.grant_fen, a.contributions_fen, a.gifts_fen, a.surplus_fen, a.cash_fen, a.bank_fen, a.loans_fen)
               IS DISTINCT FROM (m.grant_fen, m.contributions_fen, m.gifts_fen, m.surplus_fen, m.cash_fen, m.bank_fen,
                   m.loans_fen) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.society_id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ027', karez_say('The opening of {1} is not what its voucher says.',
            ((SELECT name FROM mutual_funds_society WHERE id = wrong.society_id))::text),
            karez_say('An older society opens on the region''s first day with four pots that equal cash, bank and loans.'));
    END IF;
    RETURN NULL;
END $$;

-- At commit: a voucher posted for a record has it, and a reversed one has none. So nobody approves money past this
-- room, or takes it back behind a record's back; a voucher nobody prepared here and that carries no record is closing's
-- to ask about.
CREATE FUNCTION mutual_funds_judge_voucher() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    moved bigint[];
    standing boolean;
    other date;
BEGIN
    IF NEW.reverses_id IS NULL AND NOT EXISTS (SELECT FROM mutual_funds_proposal WHERE set_id = NEW.set_id)
        THEN RETURN NULL; END IF;
    SELECT array_agg(id) INTO moved FROM ledger_transfer WHERE voucher_id = coalesce(NEW.reverses_id, NEW.id);
    standing := EXISTS (SELECT FROM mutual_funds_contribution WHERE transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_loan WHERE transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_repayment WHERE principal_transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_repayment WHERE fee_transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_grant WHERE transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_grant WHERE county_transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_gift WHERE transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_writeoff WHERE transfer_id = ANY (moved) AND voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_opening WHERE voucher_id = NEW.reverses_id AND voided_at IS NULL);
    IF NEW.reverses_id IS NOT NULL AND standing THEN
        PERFORM mutual_funds_refuse('KZ028', karez_say('A record of a village fund stands on voucher {1}.',
            NEW.reverses_id::text),
            karez_say('Reverse it on the page of its society: the record goes with its money.'));
    ELSIF NEW.reverses_id IS NOT NULL THEN  -- money and record leave on the same day, so the same year
        SELECT day INTO other FROM (
            SELECT void_counts_on AS day FROM mutual_funds_contribution WHERE transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_loan WHERE transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_repayment WHERE principal_transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_repayment WHERE fee_transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_grant WHERE transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_grant WHERE county_transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_gift WHERE transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_writeoff WHERE transfer_id = ANY (moved)
            UNION ALL SELECT void_counts_on FROM mutual_funds_opening WHERE voucher_id = NEW.reverses_id) x
         WHERE day <> NEW.booking_date ORDER BY 1 LIMIT 1;
        IF other IS NOT NULL THEN
            PERFORM mutual_funds_refuse('KZ028',
                karez_say('The record on voucher {1} is void from {2}, its reversal counts from {3}.',
                    NEW.reverses_id::text, other::text, NEW.booking_date::text),
                    karez_say('Money and record are taken back on the same day.'));
        END IF;
    ELSIF NEW.reverses_id IS NULL AND NOT standing THEN
        PERFORM mutual_funds_refuse('KZ028',
            karez_say('Voucher {1} was prepared for a record of a village fund, which is missing.', NEW.id::text),
            karez_say('Approve it on the page of its society: the record is made with its money.'));
    END IF;
    RETURN NULL;
END $$;

-- At commit: a society has rules on each day it is there. So rules end only where the next begin, which two people
-- agreed to.
CREATE FUNCTION mutual_funds_judge_ruled() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    SELECT so.name, so.starts_on INTO wrong FROM mutual_funds_society so
     WHERE so.id = (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'mutual_funds_society' THEN 'id'
         ELSE 'society_id' END)::bigint AND so.voided_at IS NULL
       AND NOT coalesce((SELECT range_agg(daterange(r.starts_on, r.ends_before)) FROM mutual_funds_ruleset r
             WHERE r.society_id = so.id AND r.voided_at IS NULL), '{}'::datemultirange) @> daterange(so.starts_on,
                 so.ends_before);
    IF FOUND THEN
        PERFORM mutual_funds_refuse('KZ02A', karez_say('{1} would be without rules on a day from {2} on.',
            wrong.name::text, wrong.starts_on::text),
            karez_say('Rules end on the day the next begin, which two people agreed to.'));
    END IF;
    RETURN NULL;
END $$;

-- At commit: a founding is void by a resolution another person agreed to, who is who voids it, or with the file it came
-- in.
CREATE FUNCTION mutual_funds_judge_taken_back() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mutual_funds_resolution r JOIN mutual_funds_resolutionanswer w ON w.resolution_id = r.id
        AND w.agreed
            WHERE r.kind = 'take_back' AND r.society_id = NEW.id AND w.answered_by_id = NEW.voided_by_id)
        AND NOT EXISTS (SELECT FROM intake_batch b WHERE b.id = NEW.batch_id AND b.state = 'withdrawn') THEN
        PERFORM mutual_funds_refuse('KZ02A', karez_say('Nobody else agreed that the founding of {1} be taken back.',
            NEW.name::text),
            karez_say('A founding is taken back by two people: on the page of its society, or with the file it came in.'));
    END IF;
    RETURN NULL;
END $$;

-- At commit: a society that has ended, or whose founding was taken back, has no members, and nothing in its book.
CREATE FUNCTION mutual_funds_judge_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mutual_funds_take(ARRAY[NEW.id]);
    IF EXISTS (SELECT FROM mutual_funds_member WHERE society_id = NEW.id AND voided_at IS NULL
            AND (NEW.voided_at IS NOT NULL OR ends_before IS NULL OR ends_before > NEW.ends_before))
        OR EXISTS (SELECT FROM ledger_account WHERE book_id = NEW.book_id
            AND (posted_debit_fen <> posted_credit_fen OR pending_debit_fen <> 0 OR pending_credit_fen <> 0)) THEN
        PERFORM mutual_funds_refuse('KZ028', karez_say('{1} has members or money.', NEW.name::text),
            karez_say('A society is wound up before it ends.'));
    END IF;
    RETURN NULL;
END $$;

-- Statistics after a large load, so that the next question is planned well.
CREATE FUNCTION mutual_funds_know(p_tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF 'society' = ANY (p_tables) THEN ANALYZE mutual_funds_society; END IF;
    IF 'ruleset' = ANY (p_tables) THEN ANALYZE mutual_funds_ruleset; END IF;
    IF 'member' = ANY (p_tables) THEN ANALYZE mutual_funds_member; END IF;
    IF 'contribution' = ANY (p_tables) THEN ANALYZE mutual_funds_contribution; END IF;
    IF 'loan' = ANY (p_tables) THEN ANALYZE mutual_funds_loan; END IF;
    IF 'instalment' = ANY (p_tables) THEN ANALYZE mutual_funds_instalment; END IF;
    IF 'repayment' = ANY (p_tables) THEN ANALYZE mutual_funds_repayment; END IF;
END $$;

CREATE TRIGGER mutual_funds_resolutionanswer_rules AFTER INSERT
    ON mutual_funds_resolutionanswer REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_answers();
CREATE TRIGGER mutual_funds_society_rules AFTER INSERT ON mutual_funds_society REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_founding();
CREATE TRIGGER mutual_funds_ruleset_rules AFTER INSERT ON mutual_funds_ruleset REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_rulesets();
CREATE TRIGGER mutual_funds_opening_rules AFTER INSERT ON mutual_funds_opening REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_openings();
CREATE TRIGGER mutual_funds_member_rules AFTER INSERT ON mutual_funds_member REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_members();
CREATE TRIGGER mutual_funds_contribution_money_in AFTER INSERT
    ON mutual_funds_contribution REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_contribution_in();
CREATE TRIGGER mutual_funds_contribution_money_out AFTER INSERT
    ON mutual_funds_contribution REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_contribution_out();
CREATE TRIGGER mutual_funds_gift_there AFTER INSERT ON mutual_funds_gift REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_there();
CREATE TRIGGER mutual_funds_grant_rules AFTER INSERT ON mutual_funds_grant REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_grants();
CREATE TRIGGER mutual_funds_grant_money AFTER INSERT ON mutual_funds_grant REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_grant();
CREATE TRIGGER mutual_funds_gift_money AFTER INSERT ON mutual_funds_gift REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_gift();
CREATE TRIGGER mutual_funds_loan_schedule AFTER INSERT ON mutual_funds_loan REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_write_schedule();
CREATE TRIGGER mutual_funds_loan_money AFTER INSERT ON mutual_funds_loan REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_loan();
CREATE TRIGGER mutual_funds_repayment_principal_money AFTER INSERT
    ON mutual_funds_repayment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_repayment_principal();
CREATE TRIGGER mutual_funds_repayment_fee_money AFTER INSERT ON mutual_funds_repayment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_repayment_fee();
CREATE TRIGGER mutual_funds_writeoff_rules AFTER INSERT ON mutual_funds_writeoff REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_writeoffs();
CREATE TRIGGER mutual_funds_writeoff_money AFTER INSERT ON mutual_funds_writeoff REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_writeoff();

CREATE CONSTRAINT TRIGGER mutual_funds_repayment_left AFTER UPDATE
    ON mutual_funds_repayment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_left();
CREATE CONSTRAINT TRIGGER mutual_funds_contribution_left AFTER UPDATE
    ON mutual_funds_contribution DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_left();
CREATE CONSTRAINT TRIGGER mutual_funds_writeoff_left AFTER UPDATE ON mutual_funds_writeoff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_left();
CREATE CONSTRAINT TRIGGER mutual_funds_member_left AFTER UPDATE ON mutual_funds_member DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION mutual_funds_judge_member();
CREATE CONSTRAINT TRIGGER mutual_funds_loan_void AFTER UPDATE ON mutual_funds_loan DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL)
    EXECUTE FUNCTION mutual_funds_judge_void();
CREATE CONSTRAINT TRIGGER mutual_funds_ruleset_void AFTER UPDATE ON mutual_funds_ruleset DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_void();
CREATE CONSTRAINT TRIGGER mutual_funds_ruleset_followed AFTER UPDATE
    ON mutual_funds_ruleset DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION mutual_funds_judge_ruled();
CREATE CONSTRAINT TRIGGER mutual_funds_society_ruled AFTER INSERT ON mutual_funds_society DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION mutual_funds_judge_ruled();
CREATE CONSTRAINT TRIGGER mutual_funds_society_taken_back AFTER UPDATE
    ON mutual_funds_society DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.voided_at IS NULL
        AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_taken_back();
CREATE CONSTRAINT TRIGGER mutual_funds_voucher_approved AFTER UPDATE ON ledger_voucher DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.posted_at IS NULL
        AND NEW.posted_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_voucher();
CREATE CONSTRAINT TRIGGER mutual_funds_voucher_reversed AFTER INSERT ON ledger_voucher DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL
        AND NEW.posted_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_voucher();
CREATE CONSTRAINT TRIGGER mutual_funds_society_ended AFTER UPDATE ON mutual_funds_society DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.ends_before IS NOT NULL
        OR NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_end();
CREATE CONSTRAINT TRIGGER mutual_funds_society_void AFTER UPDATE ON mutual_funds_society DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL)
    EXECUTE FUNCTION mutual_funds_judge_void();

DO $$
DECLARE f text;
BEGIN
    FOR f IN SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'mutual\_funds\_%'
        AND pronamespace = 'public'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
    GRANT EXECUTE ON FUNCTION mutual_funds_take(bigint[]), mutual_funds_know(text[]),
        mutual_funds_first_day() TO karez_app;
END $$;
