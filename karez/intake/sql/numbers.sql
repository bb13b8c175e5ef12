-- What two spellings of one number typed by people share: of a household, a loan, a payment. Declared here once, for
-- files, forms and indexes. Width, case, blanks, zeros in front and the ".0" of a spreadsheet are left aside, hyphens
-- too except between two digits: 0012, 12, 12.0, １２ are one number, and H 8, H-8, h08 are one; 1-12 and 11-2 are two.
CREATE FUNCTION intake_number_key(p_number text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN p_number ~ '^[1-9][0-9]*$' THEN p_number
        WHEN p_number ~ '^[0-9]+$' THEN coalesce(nullif(ltrim(p_number, '0'), ''), '0')
        ELSE regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            lower(normalize(p_number, NFKC)),
            '[[:space:]\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'),
            '[\u2010-\u2015\u2212\u2043\ufe58_]', '-', 'g'),
            '([^0-9-]|^)-+|-+([^0-9-]|$)', '\1\2', 'g'),
            '^([0-9]+)\.0+$', '\1'),
            '(^|[^0-9])0+([0-9])', '\1\2', 'g') END
$$;
REVOKE ALL ON FUNCTION intake_number_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_number_key(text) TO karez_app;
