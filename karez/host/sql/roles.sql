-- A role of ours signs in and may do nothing else on the server; only who administers the server may act as one of
-- them.
SELECT format('role %s %s', rolname, concat_ws(', ', CASE WHEN rolsuper THEN 'is a superuser' END, CASE
    WHEN rolcreaterole THEN 'may make roles' END,
         CASE WHEN rolcreatedb THEN 'may make databases' END, CASE WHEN rolreplication THEN 'may replicate' END,
         CASE WHEN rolbypassrls THEN 'passes row security by' END, CASE WHEN NOT rolcanlogin THEN 'cannot sign in' END))
  FROM pg_roles WHERE rolname IN ('karez_owner', 'karez_app')
   AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR NOT rolcanlogin)
UNION ALL
SELECT format('role %s is a member of %s', member::regrole, roleid::regrole)
  FROM pg_auth_members WHERE member::regrole::text IN ('karez_app', 'karez_owner')
UNION ALL
SELECT format('role %s may act as %s', member::regrole, roleid::regrole)
  FROM pg_auth_members JOIN pg_roles r ON r.oid = member
 WHERE roleid::regrole::text IN ('karez_app', 'karez_owner') AND NOT r.rolsuper AND NOT r.rolcreaterole
