-- The rules of village funds in the database. Every check judges a whole statement at once, over the rows added and
-- what is already there; every writer of a society waits for the one before it (its row is locked, in the order of
-- ids). A fault is picked with ORDER BY: without it the planner hopes to find one early, and takes for ever where there
-- is none. Queries over many rows are built at run time, so that a plan made for one row is never used for a million.
-- Codes: KZ020 pots, KZ021 contributions, KZ022 loans, KZ023 repayments, KZ024 grants, KZ025 members, KZ026 write-offs
-- and extensions, KZ027 opening balances, KZ028 voiding what something stands on, KZ029 a day the society was not
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

-- Fen as people read them: yuan with both decimals.
CREATE FUNCTION mutual_funds_yuan(p_fen numeric) RETURNS text
LANGUAGE sql IMMUTABLE RETURN to_char(p_fen / 100, 'FM999,999,999,999,990.00');

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
        PERFORM mutual_funds_refuse('KZ020', format('The money of row %s of %s was moved from %s to %s.', wrong.id,
            TG_TABLE_NAME,
                wrong.credit, wrong.debit),
            format('Pots never mix: debit %s, credit %s, in the society''s own book, on the day the fact counts.',
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
        EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER'
            ' SET search_path = pg_catalog, public, pg_temp AS %L', 'mutual_funds_money_of_' || one.name,
            replace(replace(replace(replace(replace(body, '{column}', one.col), '{join}', one.via), '{condition}',
                one.only_where),
                '{debits}', one.debits), '{credits}', one.credits));
    END LOOP;
END $make$;

-- Refuses where on some day one of these members would have got back more than was paid in by then.
-- Days are true ones: whatever is recorded late, nobody's own money was ever below nothing.
CREATE FUNCTION mutual_funds_refuse_early_refunds(p_members bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    EXECUTE $q$
        SELECT x.member_id, x.day, x.fen FROM (
            SELECT c.member_id, c.happened_on AS day, sum(sum(CASE c.kind WHEN 'refund' THEN -c.amount_fen
                ELSE c.amount_fen END))
                   OVER (PARTITION BY c.member_id ORDER BY c.happened_on) AS fen
              FROM mutual_funds_contribution c
             WHERE c.voided_at IS NULL AND c.kind <> 'granted_base' AND c.member_id = ANY ($1) GROUP BY 1, 2) x
         WHERE x.fen < 0 ORDER BY 1, 2 LIMIT 1$q$ INTO wrong USING p_members;
    IF wrong.member_id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ021',
            (SELECT format('On %s household %s of %s would have got back %s yuan more than it had paid in by then.',
                wrong.day, h.household_no, so.name, mutual_funds_yuan(-wrong.fen))
              FROM mutual_funds_member m JOIN register_household h ON h.id = m.household_id JOIN mutual_funds_society so
                  ON so.id = m.society_id
             WHERE m.id = wrong.member_id), 'Own money is returned after it was paid in, never before.');
    END IF;
END $$;

-- I9 over some members: what was refunded is no more than their own money; what they have in is within the rules.
CREATE FUNCTION mutual_funds_check_contributions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT m.society_id FROM added a
        JOIN mutual_funds_member m ON m.id = a.member_id) x';
    EXECUTE $q$
        WITH own AS (
            SELECT c.member_id, coalesce(sum(c.amount_fen) FILTER (WHERE c.kind IN ('own', 'opening')), 0) AS paid,
                   coalesce(sum(c.amount_fen) FILTER (WHERE c.kind = 'refund'), 0) AS refunded
              FROM mutual_funds_contribution c WHERE c.voided_at IS NULL AND c.member_id IN (SELECT member_id
                  FROM added) GROUP BY 1)
        SELECT a.id, a.kind, o.paid, o.refunded, r.id AS rules, r.contribution_max_fen AS most,
               m.voided_at IS NOT NULL OR m.starts_on > a.happened_on OR m.ends_before < a.happened_on
                 OR (m.ends_before = a.happened_on AND a.kind <> 'refund') OR (m.ends_before IS NOT NULL
                     AND o.refunded <> o.paid) AS stranger,
               (a.kind = 'opening') <> (a.happened_on < (SELECT mutual_funds_first_day()))
                   AND a.kind <> 'granted_base' AS wrong_day,
               a.kind <> 'refund' AND a.happened_on >= h.ends_before AS dissolved, h.household_no, h.ends_before,
               (SELECT so.name FROM mutual_funds_society so WHERE so.id = m.society_id) AS society
          FROM added a JOIN mutual_funds_member m ON m.id = a.member_id JOIN register_household h
              ON h.id = m.household_id LEFT JOIN own o ON o.member_id = a.member_id
          LEFT JOIN mutual_funds_ruleset r ON r.society_id = m.society_id AND r.voided_at IS NULL
              AND r.starts_on <= a.happened_on
               AND (r.ends_before IS NULL OR r.ends_before > a.happened_on)
         WHERE m.voided_at IS NOT NULL OR m.starts_on > a.happened_on OR m.ends_before < a.happened_on
            OR (m.ends_before = a.happened_on AND a.kind <> 'refund') OR (m.ends_before IS NOT NULL
                AND o.refunded <> o.paid)
            OR o.refunded > o.paid OR r.id IS NULL OR (a.kind IN ('own', 'opening')
                AND o.paid - o.refunded > r.contribution_max_fen)
            OR ((a.kind = 'opening') <> (a.happened_on < (SELECT mutual_funds_first_day()))
                AND a.kind <> 'granted_base')
            OR (a.kind <> 'refund'
                AND a.happened_on >= h.ends_before)  -- refunds to a household that was dissolved go on
         ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ021', CASE
            WHEN wrong.dissolved THEN format('Household %s was dissolved on %s and pays nothing more in.',
                wrong.household_no, wrong.ends_before)
            WHEN wrong.stranger THEN format('Household %s is no member of %s on that day, or would leave with own money in.', wrong.household_no, wrong.society)
            WHEN wrong.wrong_day
                THEN format('A contribution (%s) of household %s of %s is on the wrong side of the region''s first day.', wrong.kind, wrong.household_no, wrong.society)
            WHEN wrong.rules IS NULL THEN format('%s has no rules on that day.', wrong.society)
            WHEN wrong.refunded > wrong.paid
                THEN format('Household %s of %s paid in %s yuan and %s yuan would be refunded.', wrong.household_no,
                wrong.society,
                mutual_funds_yuan(wrong.paid), mutual_funds_yuan(wrong.refunded))
            ELSE format('Household %s of %s would have %s yuan in, the rules allow %s yuan.', wrong.household_no,
                wrong.society,
                mutual_funds_yuan(wrong.paid - wrong.refunded), mutual_funds_yuan(wrong.most)) END,
            'A member gets back at most the own money paid in, and has in at most what the rules allow.');
    END IF;
    PERFORM mutual_funds_refuse_early_refunds(back.members)
       FROM (SELECT array_agg(DISTINCT member_id) AS members FROM added WHERE kind = 'refund') back
           WHERE back.members IS NOT NULL;
    EXECUTE $q$
        SELECT x.society_id, x.fen, coalesce(o.contributions_fen, 0) AS most FROM (
            SELECT m.society_id, sum(c.amount_fen) AS fen FROM mutual_funds_contribution c JOIN mutual_funds_member m
                ON m.id = c.member_id
             WHERE c.kind = 'opening' AND c.voided_at IS NULL AND m.society_id IN (SELECT n.society_id FROM added a
                JOIN mutual_funds_member n ON n.id = a.member_id WHERE a.kind = 'opening') GROUP BY 1) x
          LEFT JOIN mutual_funds_opening o ON o.society_id = x.society_id AND o.voided_at IS NULL
         WHERE x.fen > coalesce(o.contributions_fen, 0) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.society_id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ027',
            format('%s opened with %s yuan of contributions; its members'' add up to %s yuan.',
            (SELECT name FROM mutual_funds_society WHERE id = wrong.society_id), mutual_funds_yuan(wrong.most),
                mutual_funds_yuan(wrong.fen)), 'Members'' old money lies in the opening balances.');
    END IF;
    RETURN NULL;
END $$;

-- I10, then the schedule: within the cap and term of the rules in force, to a member of that day, no more open loans
-- than allowed.
CREATE FUNCTION mutual_funds_check_loans() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT society_id FROM added) x';
    EXECUTE $q$
        SELECT a.id, a.loan_no, a.principal_fen > r.loan_cap_fen AS too_much, a.term_days > r.term_cap_days AS too_long,
               m.voided_at IS NOT NULL OR m.starts_on > a.happened_on OR m.ends_before IS NOT NULL AS stranger,
               a.happened_on >= h.ends_before AS dissolved, h.household_no, h.ends_before
          FROM added a JOIN mutual_funds_ruleset r ON r.id = a.rule_set_id JOIN mutual_funds_member m
              ON m.id = a.member_id
          JOIN register_household h ON h.id = m.household_id
         WHERE a.happened_on >= h.ends_before OR a.principal_fen > r.loan_cap_fen OR a.term_days > r.term_cap_days
            OR a.due_on <> a.happened_on + a.term_days OR a.fee_rate_bp <> r.fee_rate_bp
                OR a.instalments <> r.instalments
            OR r.voided_at IS NOT NULL OR r.starts_on > a.happened_on OR r.ends_before <= a.happened_on
            OR m.voided_at IS NOT NULL OR m.starts_on > a.happened_on
                OR m.ends_before IS NOT NULL  -- who has left owes nothing
            OR a.opening <> (a.happened_on < (SELECT mutual_funds_first_day())) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ022', CASE
            WHEN wrong.dissolved THEN format('Household %s was dissolved on %s and borrows nothing more.',
                wrong.household_no, wrong.ends_before)
            WHEN wrong.stranger THEN format('The borrower of loan %s is no member on that day, or has left.',
                wrong.loan_no)
            WHEN wrong.too_much THEN format('Loan %s is above the cap in force.', wrong.loan_no)
            WHEN wrong.too_long THEN format('Loan %s is longer than the term in force.', wrong.loan_no)
            ELSE format('Loan %s is not by the rules in force that day.', wrong.loan_no) END,
            'A loan goes to a member, by the cap, term, fee and instalments of the rule set in force.');
    END IF;
    EXECUTE $q$
        WITH busy AS MATERIALIZED (
            SELECT l.member_id FROM mutual_funds_loan l WHERE l.voided_at IS NULL AND l.member_id IN (SELECT member_id
                FROM added)
             GROUP BY 1 HAVING count(*) > 1
        ), lent AS MATERIALIZED (
            SELECT l.id, l.loan_no, l.member_id, l.happened_on, l.principal_fen, l.rule_set_id FROM mutual_funds_loan l
             WHERE l.voided_at IS NULL AND l.member_id IN (SELECT member_id FROM busy)
        ), since AS (SELECT member_id, min(happened_on) AS day FROM added GROUP BY 1
        ), open AS (  -- each loan from then on with every loan of the member that was still open on its day, itself included
            SELECT l.id, o.id AS other FROM lent l JOIN since f ON f.member_id = l.member_id AND l.happened_on >= f.day
              JOIN lent o ON o.member_id = l.member_id AND (o.happened_on, o.id) <= (l.happened_on, l.id)
              LEFT JOIN mutual_funds_repayment p ON p.loan_id = o.id AND p.voided_at IS NULL
                  AND p.happened_on <= l.happened_on
             WHERE NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = o.id AND w.voided_at IS NULL
                 AND w.happened_on <= l.happened_on)
             GROUP BY l.id, o.id, o.principal_fen HAVING o.principal_fen > coalesce(sum(p.principal_fen), 0))
        SELECT l.id, l.loan_no, r.open_loans_max AS most FROM (SELECT id, count(*) AS loans FROM open GROUP BY 1) x
          JOIN mutual_funds_loan l ON l.id = x.id JOIN mutual_funds_ruleset r ON r.id = l.rule_set_id
         WHERE x.loans > r.open_loans_max ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ022', format('With loan %s the member would have more loans at once than %s.',
            wrong.loan_no, wrong.most),
            'A member has at most as many open loans as the rules allow; record the repayment of the earlier one first.');
    END IF;
    EXECUTE $q$
        SELECT x.society_id, x.fen, coalesce(o.loans_fen, 0) AS most FROM (
            SELECT l.society_id, sum(l.principal_fen) AS fen FROM mutual_funds_loan l WHERE l.opening
                AND l.voided_at IS NULL
               AND l.society_id IN (SELECT society_id FROM added WHERE opening) GROUP BY 1) x
          LEFT JOIN mutual_funds_opening o ON o.society_id = x.society_id AND o.voided_at IS NULL
         WHERE x.fen > coalesce(o.loans_fen, 0) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.society_id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ027', format('%s opened with %s yuan of loans; those named add up to %s yuan.',
            (SELECT name FROM mutual_funds_society WHERE id = wrong.society_id), mutual_funds_yuan(wrong.most),
                mutual_funds_yuan(wrong.fen)), 'Old loans lie in the opening balances.');
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

-- I11 over the loans in mutual_funds_touched(): no more than is owed, divided by the society's order, oldest instalment
-- first. Used by the statement that adds repayments and, at commit, by one that voids them.
CREATE FUNCTION mutual_funds_refuse_repayments(p_loan text, p_paid bigint, p_owed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mutual_funds_refuse('KZ023', CASE WHEN p_paid > p_owed
        THEN format('Loan %s owes %s yuan in all; %s yuan would be repaid.', p_loan, mutual_funds_yuan(p_owed),
            mutual_funds_yuan(p_paid))
        ELSE format('The repayments of loan %s are not divided by the society''s order.', p_loan) END,
        'Repayments are at most principal and fee; each instalment, oldest first, is paid in the order of the society''s rules.');
END $$;

CREATE FUNCTION mutual_funds_check_repayments() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT l.society_id FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id) x';
    EXECUTE $q$
        SELECT a.id, l.loan_no FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id
         WHERE a.happened_on < l.happened_on OR a.happened_on < (SELECT mutual_funds_first_day())
             OR l.voided_at IS NOT NULL
            OR EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL) ORDER BY 1
                LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ023', format('Loan %s cannot be repaid on that day.', wrong.loan_no),
            'A repayment is of a standing loan, not before it was lent and not before the region''s first day; a write-off is reversed first.');
    END IF;
    EXECUTE $q$
        WITH paid AS MATERIALIZED (
            SELECT p.loan_id, sum(p.principal_fen) AS principal, sum(p.fee_fen) AS fee FROM mutual_funds_repayment p
             WHERE p.voided_at IS NULL AND p.loan_id IN (SELECT loan_id FROM added) GROUP BY 1
        ), left_over AS (
            SELECT p.loan_id, p.principal, p.fee, i.principal_fen, i.fee_fen, p.principal + p.fee
                   - coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY p.loan_id ORDER BY i.number
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS fen
              FROM paid p JOIN mutual_funds_instalment i ON i.loan_id = p.loan_id)
        SELECT l.loan_no, x.principal + x.fee AS paid, sum(x.principal_fen + x.fee_fen) AS owed
          FROM left_over x JOIN mutual_funds_loan l ON l.id = x.loan_id JOIN mutual_funds_ruleset r
              ON r.id = l.rule_set_id
         GROUP BY l.id, x.principal, x.fee, r.allocation_order
        HAVING x.principal > sum(x.principal_fen) OR x.fee <> sum(LEAST(x.fee_fen, GREATEST(0,
                 CASE r.allocation_order WHEN 'fee_first' THEN x.fen ELSE x.fen - x.principal_fen END))) ORDER BY 1
                     LIMIT 1$q$ INTO wrong;
    IF wrong.loan_no IS NOT NULL THEN
        PERFORM mutual_funds_refuse_repayments(wrong.loan_no, wrong.paid::bigint, wrong.owed::bigint);
    END IF;
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
        PERFORM mutual_funds_refuse('KZ025', format('Household %s, which leaves or has left %s, has %s yuan in.',
            household, society, mutual_funds_yuan(own)),
            'Own money is returned on leaving; take the leaving back first.');
    END IF;
    IF EXISTS (SELECT FROM mutual_funds_loan l WHERE l.member_id = p_member AND l.voided_at IS NULL
            AND NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL)
            AND l.principal_fen > coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p
                WHERE p.loan_id = l.id AND p.voided_at IS NULL), 0)) THEN
        PERFORM mutual_funds_refuse('KZ025',
            format('Household %s, which leaves or has left %s, has a loan that is not repaid.', household, society),
            'Loans are repaid before leaving; take the leaving back first.');
    END IF;
END $$;

CREATE FUNCTION mutual_funds_judge_void_repayment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM mutual_funds_take(ARRAY[society_id]) FROM mutual_funds_loan WHERE id = NEW.loan_id;
    SELECT l.loan_no, p.principal + p.fee AS paid, sum(i.principal_fen + i.fee_fen) AS owed INTO wrong
      FROM mutual_funds_loan l JOIN mutual_funds_ruleset r ON r.id = l.rule_set_id
      CROSS JOIN LATERAL (SELECT coalesce(sum(p.principal_fen), 0) AS principal, coalesce(sum(p.fee_fen), 0) AS fee
          FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND p.voided_at IS NULL) p
      CROSS JOIN LATERAL (SELECT i.*,
          p.principal + p.fee - coalesce(sum(i.principal_fen + i.fee_fen) OVER (ORDER BY i.number
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS fen FROM mutual_funds_instalment i
                  WHERE i.loan_id = l.id) i
     WHERE l.id = NEW.loan_id GROUP BY l.id, p.principal, p.fee, r.allocation_order
    HAVING p.fee <> sum(LEAST(i.fee_fen, GREATEST(0, CASE r.allocation_order WHEN 'fee_first' THEN i.fen
        ELSE i.fen - i.principal_fen END)));
    IF FOUND THEN PERFORM mutual_funds_refuse_repayments(wrong.loan_no, wrong.paid::bigint, wrong.owed::bigint); END IF;
    PERFORM mutual_funds_refuse_left(member_id) FROM mutual_funds_loan WHERE id = NEW.loan_id;
    RETURN NULL;
END $$;

-- What a write-off stands for is owed again when it is void: not by one who has left.
CREATE FUNCTION mutual_funds_judge_void_writeoff() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM mutual_funds_take(ARRAY[society_id]) FROM mutual_funds_loan WHERE id = NEW.loan_id;
    PERFORM mutual_funds_refuse_left(member_id) FROM mutual_funds_loan WHERE id = NEW.loan_id;
    RETURN NULL;
END $$;

CREATE FUNCTION mutual_funds_judge_void_contribution() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE own bigint;
BEGIN
    PERFORM mutual_funds_take(ARRAY[society_id]) FROM mutual_funds_member WHERE id = NEW.member_id;
    SELECT sum(CASE kind WHEN 'refund' THEN -amount_fen WHEN 'granted_base' THEN 0 ELSE amount_fen END) INTO own
      FROM mutual_funds_contribution WHERE member_id = NEW.member_id AND voided_at IS NULL;
    IF own < 0 THEN
        PERFORM mutual_funds_refuse('KZ021',
            format('Without the contribution of %s yuan more would be refunded than was paid in.',
            mutual_funds_yuan(NEW.amount_fen)),
            'Void the refund first, or replace the contribution in the same step.');
    END IF;
    IF NEW.kind <> 'refund' THEN PERFORM mutual_funds_refuse_early_refunds(ARRAY[NEW.member_id]); END IF;
    PERFORM mutual_funds_refuse_left(NEW.member_id);
    RETURN NULL;
END $$;

-- Grants: within the standard of the day for the class of the village, of a line of this programme, out of a county's
-- money of that line.
CREATE FUNCTION mutual_funds_check_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT society_id FROM added) x';
    EXECUTE $q$
        SELECT a.id FROM added a JOIN ledger_transfer t ON t.id = a.county_transfer_id JOIN ledger_book b
            ON b.id = t.book_id
          JOIN ledger_voucher v ON v.id = t.voucher_id JOIN funds_sourceline li ON li.id = a.source_line_id
          LEFT JOIN ledger_voucher back ON back.reverses_id = v.id AND back.refused_at IS NULL
              AND back.posted_at IS NOT NULL
          JOIN ledger_account d ON d.id = t.debit_account_id JOIN ledger_account c ON c.id = t.credit_account_id
         WHERE b.kind <> 'county' OR d.code <> 'L' || li.id OR c.code <> '1002' OR t.booking_date <> a.counts_on
            OR back.id IS NOT NULL OR v.reverses_id IS NOT NULL OR li.programme <> 'mutual_funds'
                OR li.voided_at IS NOT NULL
            OR a.happened_on < (SELECT mutual_funds_first_day()) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ024', format('Grant %s was not paid from its source line in a county''s book.',
            wrong.id),
            'A grant names one line of the programme and takes its money from that line''s account.');
    END IF;
    EXECUTE $q$
        SELECT x.society_id, x.fen FROM (
            SELECT so.id AS society_id, so.size_class, a.happened_on,
                   (SELECT coalesce(sum(g.amount_fen), 0) FROM mutual_funds_grant g WHERE g.society_id = so.id
                       AND g.voided_at IS NULL)
                 + (SELECT coalesce(sum(o.grant_fen), 0) FROM mutual_funds_opening o WHERE o.society_id = so.id
                     AND o.voided_at IS NULL) AS fen
              FROM added a JOIN mutual_funds_society so ON so.id = a.society_id) x
         WHERE NOT EXISTS (SELECT FROM funds_grantstandard s WHERE s.programme = 'mutual_funds'
             AND s.size_class IN (x.size_class, 'any')
             AND s.voided_at IS NULL AND s.starts_on <= x.happened_on AND (s.ends_before IS NULL
                 OR s.ends_before > x.happened_on)
             AND x.fen <= s.high_fen) ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.society_id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ024', format('%s would have been granted %s yuan.',
            (SELECT name FROM mutual_funds_society WHERE id = wrong.society_id), mutual_funds_yuan(wrong.fen)),
            'All grants of a society together stay within the standard in force for its class of village.');
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
        PERFORM mutual_funds_refuse('KZ029', format('%s was not there on %s.', wrong.name, wrong.happened_on),
            format('It was founded on %s; nothing is given to it before, or after its end.', wrong.starts_on));
    END IF;
    RETURN NULL;
END $$;

-- A household does not end while it is a member: own money and loans are settled first.
CREATE FUNCTION mutual_funds_judge_household() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mutual_funds_member WHERE household_id = NEW.id AND voided_at IS NULL
            AND (ends_before IS NULL OR ends_before > NEW.ends_before)) THEN
        PERFORM mutual_funds_refuse('KZ025', format('Household %s is a member of a village fund.', NEW.household_no),
            'Record first on the page of the society that it leaves, with its own money returned.');
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
        PERFORM mutual_funds_refuse('KZ025', format('Household %s was dissolved on %s and joins no village fund.',
            wrong.household_no, wrong.ends_before),
            'Members are households that are there.');
    END IF;
    EXECUTE $q$
        SELECT a.id, h.household_no, so.name FROM added a JOIN mutual_funds_society so ON so.id = a.society_id
            JOIN register_household h ON h.id = a.household_id
         WHERE h.village_id <> so.area_id OR h.voided_at IS NOT NULL OR so.voided_at IS NOT NULL
             OR so.starts_on > a.starts_on
            OR so.ends_before <= a.starts_on ORDER BY 1 LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ025',
            format('Household %s is not of the village of %s, or the society was not there.', wrong.household_no,
            wrong.name),
            'A society never reaches beyond its village.');
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
        PERFORM mutual_funds_refuse('KZ028', format('Household %s has contributions or loans.', (SELECT household_no
            FROM register_household WHERE id = NEW.household_id)), 'Void them first.');
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
        PERFORM mutual_funds_refuse('KZ028', format('Something in %s stands on row %s of %s.', child, NEW.id,
            TG_TABLE_NAME), 'Void that first.');
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
        PERFORM mutual_funds_refuse('KZ026', format('Write-off %s is not by the rules.', wrong.id),
            'All that is still owed is written off, by two people, on the pot the rules in force name.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION mutual_funds_check_extensions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT l.society_id FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id) x';
    EXECUTE $q$
    SELECT l.loan_no FROM added a JOIN mutual_funds_loan l ON l.id = a.loan_id JOIN mutual_funds_ruleset r
        ON r.id = l.rule_set_id
     WHERE l.voided_at IS NOT NULL OR a.happened_on < l.happened_on OR a.due_on <= l.due_on
        OR a.due_on > l.happened_on + r.term_cap_days + r.extension_days_max
        OR EXISTS (SELECT FROM mutual_funds_extension e WHERE e.loan_id = l.id AND e.voided_at IS NULL AND e.id <> a.id
            AND e.due_on >= a.due_on)
        OR l.principal_fen <= coalesce((SELECT sum(p.principal_fen) FROM mutual_funds_repayment p WHERE p.loan_id = l.id
            AND p.voided_at IS NULL), 0)
        OR EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL) ORDER BY 1
            LIMIT 1$q$ INTO wrong;
    IF wrong.loan_no IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ026', format('Loan %s cannot be extended so.', wrong.loan_no),
            'An open loan is put off to a later day, within the longest term and the extension the rules allow.');
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
        PERFORM mutual_funds_refuse('KZ02A', 'Who asked for it would also agree to it.',
            'Founding and rules of a society are decided by two people.');
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
        PERFORM mutual_funds_refuse('KZ029', format('%s would be founded on %s.', wrong.name, wrong.starts_on),
            'A society is founded on a day until today.');
    ELSIF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ02A', format('Nobody else agreed to the founding of %s.', wrong.name),
            'A society is founded by two people: on the page of its village, or by a file.');
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
        PERFORM mutual_funds_refuse('KZ029', format('Rules would hold from %s.', wrong.starts_on),
            'Rules are recorded when they hold.');
    ELSIF wrong.id IS NOT NULL THEN
        PERFORM mutual_funds_refuse('KZ02A', format('Nobody else agreed to the rules from %s as they are.',
            wrong.starts_on),
            'Rules of a society are prepared by one person, with the minutes of the members'' meeting, and agreed to by another.');
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
        PERFORM mutual_funds_refuse('KZ027', format('The opening of %s is not what its voucher says.',
            (SELECT name FROM mutual_funds_society WHERE id = wrong.society_id)),
            'An older society opens on the region''s first day with four pots that equal cash, bank and loans.');
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
        PERFORM mutual_funds_refuse('KZ028', format('A record of a village fund stands on voucher %s.',
            NEW.reverses_id),
            'Reverse it on the page of its society: the record goes with its money.');
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
                format('The record on voucher %s is void from %s, its reversal counts from %s.',
                NEW.reverses_id, other, NEW.booking_date), 'Money and record are taken back on the same day.');
        END IF;
    ELSIF NEW.reverses_id IS NULL AND NOT standing THEN
        PERFORM mutual_funds_refuse('KZ028',
            format('Voucher %s was prepared for a record of a village fund, which is missing.', NEW.id),
            'Approve it on the page of its society: the record is made with its money.');
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
        PERFORM mutual_funds_refuse('KZ02A', format('%s would be without rules on a day from %s on.', wrong.name,
            wrong.starts_on),
            'Rules end on the day the next begin, which two people agreed to.');
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
        PERFORM mutual_funds_refuse('KZ02A', format('Nobody else agreed that the founding of %s be taken back.',
            NEW.name),
            'A founding is taken back by two people: on the page of its society, or with the file it came in.');
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
        PERFORM mutual_funds_refuse('KZ028', format('%s has members or money.', NEW.name),
            'A society is wound up before it ends.');
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
CREATE TRIGGER mutual_funds_contribution_rules AFTER INSERT ON mutual_funds_contribution REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_contributions();
CREATE TRIGGER mutual_funds_contribution_money_in AFTER INSERT
    ON mutual_funds_contribution REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_contribution_in();
CREATE TRIGGER mutual_funds_contribution_money_out AFTER INSERT
    ON mutual_funds_contribution REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_contribution_out();
CREATE TRIGGER mutual_funds_grant_there AFTER INSERT ON mutual_funds_grant REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_there();
CREATE TRIGGER mutual_funds_gift_there AFTER INSERT ON mutual_funds_gift REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_there();
CREATE TRIGGER mutual_funds_grant_rules AFTER INSERT ON mutual_funds_grant REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_grants();
CREATE TRIGGER mutual_funds_grant_money AFTER INSERT ON mutual_funds_grant REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_grant();
CREATE TRIGGER mutual_funds_gift_money AFTER INSERT ON mutual_funds_gift REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_gift();
CREATE TRIGGER mutual_funds_loan_rules AFTER INSERT ON mutual_funds_loan REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_loans();
CREATE TRIGGER mutual_funds_loan_money AFTER INSERT ON mutual_funds_loan REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_loan();
CREATE TRIGGER mutual_funds_repayment_rules AFTER INSERT ON mutual_funds_repayment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_repayments();
CREATE TRIGGER mutual_funds_repayment_principal_money AFTER INSERT
    ON mutual_funds_repayment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_repayment_principal();
CREATE TRIGGER mutual_funds_repayment_fee_money AFTER INSERT ON mutual_funds_repayment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_repayment_fee();
CREATE TRIGGER mutual_funds_writeoff_rules AFTER INSERT ON mutual_funds_writeoff REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_writeoffs();
CREATE TRIGGER mutual_funds_writeoff_money AFTER INSERT ON mutual_funds_writeoff REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_money_of_writeoff();
CREATE TRIGGER mutual_funds_extension_rules AFTER INSERT ON mutual_funds_extension REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION mutual_funds_check_extensions();

CREATE CONSTRAINT TRIGGER mutual_funds_repayment_void AFTER UPDATE
    ON mutual_funds_repayment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_void_repayment();
CREATE CONSTRAINT TRIGGER mutual_funds_contribution_void AFTER UPDATE
    ON mutual_funds_contribution DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_void_contribution();
CREATE CONSTRAINT TRIGGER mutual_funds_writeoff_void AFTER UPDATE ON mutual_funds_writeoff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION mutual_funds_judge_void_writeoff();
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
