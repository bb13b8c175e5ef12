"""What a database is made of beside its rows: roles, grants, functions, triggers, constraints, views, sequences, by
name and text.

Two databases of the same version on the same server say the same; `karez verify` compares one in use with one made
anew. Says nothing about rows, and nothing about staged tables, which come and go.
"""

from typing import Any

# Each: a kind, and SQL of (name, text). Names carry their table; texts are what the server itself would write.
_ASKED = {
    "role": """
SELECT rolname, concat_ws(' ', 'super', rolsuper, 'createrole', rolcreaterole, 'createdb', rolcreatedb, 'login',
    rolcanlogin, 'replication',
       rolreplication, 'bypassrls', rolbypassrls, 'of', (SELECT string_agg(g.rolname, ',' ORDER BY g.rolname)
           FROM pg_auth_members m
       JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)) FROM pg_roles r
           WHERE rolname IN ('karez_owner', 'karez_app')""",
    "settings of roles": """
SELECT coalesce(r.rolname, 'all') || CASE WHEN s.setdatabase = 0 THEN ''
    ELSE ' here' END, array_to_string(s.setconfig, '; ')
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (r.rolname IS NULL OR r.rolname IN ('karez_owner', 'karez_app'))""",
    "database": """
SELECT 'database', pg_get_userbyid(datdba) || ' ' || coalesce((SELECT string_agg(x.said, ' ' ORDER BY x.said)
    FROM {grants}), '')
  FROM pg_database o WHERE datname = current_database()""",
    "schema": """
SELECT nspname, pg_get_userbyid(nspowner) || ' ' || coalesce((SELECT string_agg(x.said, ' ' ORDER BY x.said)
    FROM {grants}), '')
  FROM pg_namespace o WHERE nspname !~ '^pg_(temp|toast)' AND nspname <> 'information_schema'""",
    "relation": """
SELECT relname, relkind::text || ' ' || pg_get_userbyid(relowner) || ' ' || CASE WHEN relrowsecurity THEN 'rls '
    ELSE '' END
       || coalesce((SELECT string_agg(x.said, ' ' ORDER BY x.said) FROM {grants}), '')
  FROM pg_class o WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND {ours}""",
    "column": """
SELECT o.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null'
    ELSE '' END
       || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(a.attidentity::text,
           '') || coalesce(a.attgenerated::text, '')
       || coalesce(' ' || array_to_string(a.attacl, ' '), '')
  FROM pg_class o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = a.attnum
 WHERE o.relnamespace = 'public'::regnamespace AND o.relkind IN ('r', 'p') AND {ours}""",
    "view": (
        "SELECT relname, pg_get_viewdef(oid) FROM pg_class o WHERE relnamespace = 'public'::regnamespace AND "
        "relkind = 'v' AND {ours}"
    ),
    "function": """
SELECT o.oid::regprocedure::text, pg_get_functiondef(o.oid) || ' ' || pg_get_userbyid(proowner) || ' '
       || coalesce((SELECT string_agg(x.said, ' ' ORDER BY x.said) FROM {grants}), '')
  FROM pg_proc o WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p') AND {ours}""",
    "trigger": """
SELECT tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) || ' ' || tgenabled::text
  FROM pg_trigger WHERE NOT tgisinternal""",
    "triggers of keys": """
SELECT conrelid::regclass || '.' || conname, string_agg(tgenabled::text, '' ORDER BY tgtype, tgrelid)
  FROM pg_trigger JOIN pg_constraint c ON c.oid = tgconstraint WHERE tgisinternal GROUP BY conrelid, conname""",
    "constraint": """
SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(o.oid) || CASE WHEN convalidated THEN ''
    ELSE ' not valid' END
  FROM pg_constraint o WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'""",
    "index": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE "
    "' not valid' END FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace",
    "rule": (
        "SELECT ev_class::regclass || '.' || rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename <> "
        "'_RETURN' AND oid >= 16384"
    ),
    "policy": "SELECT polrelid::regclass || '.' || polname, pg_get_expr(polqual, polrelid) FROM pg_policy",
    "cast": (
        "SELECT castsource::regtype || ' to ' || casttarget::regtype, castfunc::regproc || castcontext::text "
        "FROM pg_cast o WHERE oid >= 16384 AND {ours}"
    ),
    "operator": "SELECT o.oid::regoperator::text, oprcode::text FROM pg_operator o WHERE oid >= 16384 AND {ours}",
    "event trigger": "SELECT evtname, evtfoid::regproc || ' ' || evtevent || evtenabled::text FROM pg_event_trigger",
    "default privileges": """
SELECT pg_get_userbyid(defaclrole) || ' ' || defaclobjtype::text || ' ' || coalesce(defaclnamespace::regnamespace::text, ''),
       array_to_string(defaclacl, ' ') FROM pg_default_acl""",
    "extension": "SELECT extname, pg_get_userbyid(extowner) FROM pg_extension",
}
_GRANTS = (
    "(SELECT (CASE a.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(a.grantee) END) || ':' || a.privilege_type"
    " || CASE WHEN a.is_grantable THEN '+' ELSE '' END AS said FROM aclexplode(coalesce(o.{acl}, "
    "acldefault('{kind}', o.{owner}))) a) x"
)
_OF = {
    "database": ("datacl", "d", "datdba"),
    "schema": ("nspacl", "n", "nspowner"),
    "relation": ("relacl", "r", "relowner"),
    "function": ("proacl", "f", "proowner"),
}
_OURS = "NOT EXISTS (SELECT FROM pg_depend dep WHERE dep.objid = o.oid AND dep.deptype = 'e')"


def installed(cursor: Any) -> dict[str, str]:
    """ "kind name" -> text, of all that is installed; `cursor` may read catalogues as anybody, and is at this database."""
    found: dict[str, str] = {}
    for kind, sql in _ASKED.items():
        acl, letter, owner = _OF.get(kind, ("", "", ""))
        asked = sql.replace("{grants}", _GRANTS.format(acl=acl, kind=letter, owner=owner)).replace("{ours}", _OURS)
        cursor.execute(asked)
        found |= {f"{kind} {name}": str(text) for name, text in cursor.fetchall()}
    return found


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """What is missing, more, or another than expected; each by kind and name."""
    missing = [f"missing: {name}" for name in expected.keys() - found.keys()]
    more = [f"not of this version: {name}" for name in found.keys() - expected.keys()]
    other = [f"changed: {name}" for name in expected.keys() & found.keys() if expected[name] != found[name]]
    return sorted([*missing, *more, *other])
