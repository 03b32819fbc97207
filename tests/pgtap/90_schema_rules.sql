-- What must be true of every table, function, policy and grant, asked of the catalogue. helpers/rules.sql has the rules.

begin;
\ir helpers/load.sql
\ir helpers/rules.sql
select no_plan();

select is((select array_agg(o order by o) from tests.offenders(r.name) o), null, r.says) from tests.rules r order by r.name;

select * from finish();
rollback;
