-- Each foreign key as a statement that counts the rows whose reference leads nowhere: a superuser can write them past
-- the constraint.
SELECT conrelid::regclass::text, conname::text,
    format('SELECT count(*) FROM %s a WHERE %s AND NOT EXISTS (SELECT FROM %s b WHERE %s)', conrelid::regclass,
         string_agg(format('a.%I IS NOT NULL', c.attname), ' AND '), confrelid::regclass,
             string_agg(format('b.%I = a.%I', o.attname, c.attname), ' AND '))
  FROM pg_constraint, unnest(conkey, confkey) AS k (here, there), pg_attribute c, pg_attribute o
 WHERE contype = 'f' AND c.attrelid = conrelid AND c.attnum = here AND o.attrelid = confrelid AND o.attnum = there
 GROUP BY conrelid, conname, confrelid ORDER BY 1, 2
