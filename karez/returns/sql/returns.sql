-- The measures that may be returned, and what constraints alone cannot say of a return and its approval.

INSERT INTO returns_measure (code, label, label_zh, unit, is_quotient, numerator_label, denominator_label, scale,
    tolerance, on_region, on_county)
VALUES
 ('land_area', 'land area', '土地面积', 'km2', false, '', '', 1, 0, true, true),
 ('population', 'residents at the end of the year', '年末总人口', 'persons', false, '', '', 1, 0, true, true),
 ('rural_net_income', 'rural net income per head', '农民人均纯收入', 'yuan', true,
  'net income of all rural residents, yuan', 'rural residents it is averaged over', 1, 0.51, true, true),
 ('mutual_fund_repayment_rate', 'repayment rate of village mutual funds, as reported', '互助资金还款率（上报）', 'percent', true,
  'principal repaid as reported, yuan', 'principal due as reported, yuan', 100, 0.051, false, true);

-- Approval names the return's own submitter, so that a plain check can tell two people apart.
ALTER TABLE returns_approval ADD CONSTRAINT returns_approval_of_its_submitter
    FOREIGN KEY (of_id, submitted_by_id) REFERENCES returns_return (id, recorded_by_id);

CREATE FUNCTION returns_judge_return() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE $q$SELECT a.*, m.unit AS expected_unit FROM added a JOIN returns_measure m ON m.code = a.measure_id
     WHERE a.unit <> m.unit OR m.is_quotient <> (a.denominator IS NOT NULL) LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ050',
            MESSAGE = karez_say('A return of {1} must be in {2}, with numerator and denominator where it is a quotient.', wrong.measure_id::text, wrong.expected_unit::text),
            DETAIL = karez_say('found unit {1}, denominator {2}', wrong.unit::text, coalesce(wrong.denominator::text,
                karez_say('none')));
    END IF;
    EXECUTE $q$SELECT a.* FROM added a WHERE 'NaN' IN (a.value, a.numerator, a.denominator)
        LIMIT 1$q$ INTO wrong;  -- NaN passes every "at least"
    IF wrong.id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ051', MESSAGE = karez_say('A return of {1} is not a number.',
            wrong.measure_id::text);
    END IF;
    EXECUTE $q$SELECT a.* FROM added a JOIN returns_measure m ON m.code = a.measure_id
     WHERE m.is_quotient AND abs(a.value * a.denominator - m.scale * a.numerator) > m.tolerance * a.denominator
         LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ051',
            MESSAGE = karez_say('The value {1} is not its numerator by its denominator.', wrong.value::text),
            DETAIL = karez_say('found {1} / {2}', wrong.numerator::text, wrong.denominator::text);
    END IF;
    EXECUTE $q$SELECT a.* FROM added a JOIN returns_measure m ON m.code = a.measure_id
     WHERE NOT EXISTS (SELECT FROM places_areaspell s WHERE s.area_id = a.area_id AND s.voided_at IS NULL
                        AND ((m.on_region AND s.level = 'region') OR (m.on_county AND s.level = 'county')))
                            LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ052', MESSAGE = karez_say('{1} is not returned at the level of area {2}.',
            wrong.measure_id::text, wrong.area_id::text);
    END IF;
    EXECUTE $q$SELECT a.* FROM added a LEFT JOIN returns_return o ON o.id = a.replaces_id
     WHERE a.replaces_id IS NOT NULL
       AND (o.voided_at IS NULL OR (o.measure_id, o.area_id, o.year) IS DISTINCT FROM (a.measure_id, a.area_id, a.year))
           LIMIT 1$q$ INTO wrong;
    IF wrong.id IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ053', MESSAGE = karez_say('Return {1} is locked.', wrong.replaces_id::text),
            DETAIL = karez_say('A revision replaces a return of the same measure, place and year that was sent back.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER returns_return_judged AFTER INSERT ON returns_return
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION returns_judge_return();

-- What was sent back is not approved. The lock lets an approval and a sending back at the same moment follow each
-- other.
CREATE FUNCTION returns_judge_approval() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong bigint;
BEGIN
    PERFORM periods_plan_for((SELECT count(*) FROM added));
    EXECUTE 'SELECT count(*) FROM (SELECT FROM returns_return r WHERE r.id IN (SELECT of_id FROM added) ORDER BY r.id FOR UPDATE) held';
    EXECUTE 'SELECT r.id FROM added a JOIN returns_return r ON r.id = a.of_id
     WHERE r.voided_at IS NOT NULL OR a.happened_on <> r.happened_on LIMIT 1' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ054', MESSAGE = karez_say('Return {1} cannot be approved.', wrong::text),
            DETAIL = karez_say('It was sent back, or the approval speaks of another day.');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER returns_approval_judged AFTER INSERT ON returns_approval
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION returns_judge_approval();
