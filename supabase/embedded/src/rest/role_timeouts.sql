select r.rolname::text, s.value as setting
from pg_catalog.pg_auth_members as m
join pg_catalog.pg_roles as r on r.oid = m.roleid
join pg_catalog.pg_db_role_setting as d on d.setrole = r.oid
join lateral (
  select split_part(c, '=', 2) as value
  from unnest(d.setconfig) as c
  where split_part(c, '=', 1) = 'statement_timeout'
) as s on true
where m.member = to_regrole('authenticator')
  and d.setdatabase in (0, (select b.oid from pg_catalog.pg_database as b where b.datname = current_database()))
-- What is set for this database wins over what is set for all.
order by d.setdatabase
