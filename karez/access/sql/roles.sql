-- Roles that exclude each other, on any day, wherever they were granted. The pairs are those of `rules.INCOMPATIBLE`; a test
-- holds the two against each other.

CREATE FUNCTION access_incompatible(one text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (LEAST(one, other), GREATEST(one, other)) IN (
        ('approver', 'treasurer'), ('approver', 'finance_officer'), ('auditor', 'treasurer'), ('auditor', 'finance_officer'),
        ('approver', 'auditor'), ('administrator', 'approver'), ('administrator', 'treasurer'),
        ('administrator', 'finance_officer'), ('administrator', 'county_officer'), ('administrator', 'village_officer'),
        ('administrator', 'township_officer'))
$$;
GRANT EXECUTE ON FUNCTION access_incompatible(text, text) TO karez_app;

-- Judged by the days on which a grant counts. Ends and void marks only shorten those, so inserting is what is judged.
CREATE FUNCTION access_refuse_incompatible() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE wrong record;
BEGIN
    -- Two grants to one person at the same moment follow each other.
    PERFORM FROM access_user u WHERE u.id IN (SELECT user_id FROM added) ORDER BY u.id FOR NO KEY UPDATE;
    SELECT u.username, a.role, h.role AS held, GREATEST(a.counts_from, h.counts_from) AS day INTO wrong
      FROM added a JOIN access_grant h ON h.user_id = a.user_id AND access_incompatible(a.role, h.role)
       AND daterange(h.counts_from, LEAST(h.counts_before, h.void_counts_on))
           && daterange(a.counts_from, LEAST(a.counts_before, a.void_counts_on))
      JOIN access_user u ON u.id = a.user_id ORDER BY a.id, h.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KZ090',
            MESSAGE = format('%s would be %s and %s at once, from %s.', wrong.username, wrong.role, wrong.held, wrong.day),
            DETAIL = 'Who prepares does not approve, who works does not watch.';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER access_grant_compatible AFTER INSERT ON access_grant
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_refuse_incompatible();
