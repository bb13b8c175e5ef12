-- What the database says to people is a pattern with values, as `kernel/messages.py` reads it: in what it raises (MESSAGE
-- and DETAIL), in what a check found, in what it writes into books. Values are texts, or what these functions gave.

CREATE FUNCTION karez_say(pattern text, VARIADIC parts text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE RETURN jsonb_build_object('say', pattern, 'with', to_jsonb(parts))::text;

-- Fen as people read them: yuan with both decimals, parted as the reader's language does.
CREATE FUNCTION karez_yuan(fen numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '{"number": "' || to_char(fen / 100, 'FM999999999999999990.00') || '"}';

-- What a role is called (`models.Role`).
CREATE FUNCTION access_role_words(role text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE RETURN CASE role
    WHEN 'village_officer' THEN karez_say('Village officer') WHEN 'treasurer' THEN karez_say('Fund treasurer')
    WHEN 'township_officer' THEN karez_say('Township officer') WHEN 'county_officer' THEN karez_say('County officer')
    WHEN 'finance_officer' THEN karez_say('Finance officer') WHEN 'approver' THEN karez_say('Approver')
    WHEN 'auditor' THEN karez_say('Auditor') WHEN 'regional_officer' THEN karez_say('Regional officer')
    WHEN 'statistician' THEN karez_say('Statistician') ELSE karez_say('Administrator') END;

REVOKE ALL ON FUNCTION karez_say(text, text[]), karez_yuan(numeric), access_role_words(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION karez_say(text, text[]), karez_yuan(numeric), access_role_words(text)
    TO karez_app;
