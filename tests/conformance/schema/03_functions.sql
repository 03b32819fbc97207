-- Functions called through /rpc: one for each way a function can answer, refuse or misbehave.

create function public.add(a integer, b integer default 10) returns integer
language sql immutable set search_path = '' as $$ select a + b $$;

create function public.greet(who text) returns json
language sql stable set search_path = '' as $$ select json_build_object('greeting', 'hello ' || who) $$;

create function public.do_nothing() returns void
language sql volatile set search_path = '' as $$ select $$;

create function public.rivers_longer_than(km integer) returns setof public.rivers
language sql stable set search_path = '' as $$
  select r.* from public.rivers as r where r.length_km > km order by r.id
$$;

create function public.longest_river() returns public.rivers
language sql stable set search_path = '' as $$
  select r.* from public.rivers as r order by r.length_km desc nulls last limit 1
$$;

create function public.river_names() returns setof text
language sql stable set search_path = '' as $$ select r.name from public.rivers as r order by r.id $$;

create function public.river_lengths() returns table (name text, km integer)
language sql stable set search_path = '' as $$ select r.name, r.length_km from public.rivers as r order by r.id $$;

create function public.many_numbers() returns setof integer
language sql stable set search_path = '' as $$ select n.n from public.numbers as n order by n.n $$;

create function public.many_rows() returns table (n integer, square integer)
language sql stable set search_path = '' as $$ select n.n, n.n * n.n from public.numbers as n order by n.n $$;

create function public.sum_of(numbers integer[]) returns integer
language sql immutable set search_path = '' as $$ select sum(n)::integer from unnest(numbers) as n $$;

create function public.who_am_i() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'uid', auth.uid(), 'role', auth.role(), 'email', auth.email(), 'database_role', current_user,
    'method', current_setting('request.method', true), 'path', current_setting('request.path', true)
  )
$$;

create table public.visits (
  id bigint generated always as identity primary key,
  at timestamptz not null default now()
);
alter table public.visits enable row level security;

-- Writes whatever it says of itself: the volatility decides whether its transaction may.
create function private.record_visit() returns bigint
language sql volatile security definer set search_path = '' as $$
  insert into public.visits default values returning id
$$;
revoke all on function private.record_visit() from public;
grant usage on schema private to anon, service_role;
grant execute on function private.record_visit() to anon, authenticated, service_role;
grant select on public.visits to service_role;

create function public.visit() returns bigint
language sql volatile set search_path = '' as $$ select private.record_visit() $$;

create function public.visit_claiming_stable() returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return private.record_visit();
end
$$;

create function public.raise_app_error(with_details boolean default true) returns void
language plpgsql volatile set search_path = '' as $$
begin
  raise sqlstate 'PGRST' using
    message = json_build_object(
      'code', 'CONTACT_002', 'message', 'A contact with this number exists',
      'details', case when with_details then '{"contact_id": 7}' end, 'hint', 'Open the contact instead')::text,
    detail = json_build_object('status', 409, 'headers', json_build_object('x-app-error', 'CONTACT_002'))::text;
end
$$;

create function public.raise_conflict() returns void
language plpgsql volatile set search_path = '' as $$
begin
  raise sqlstate 'PT409' using message = 'Already there', detail = '{"contact_id": 7}', hint = 'Look it up';
end
$$;

create function public.raise_plain() returns void
language plpgsql volatile set search_path = '' as $$
begin
  raise exception 'plain refusal' using detail = 'more of it', hint = 'do better';
end
$$;

create function public.sleep_too_long() returns void
language sql volatile set search_path = '' set statement_timeout = '300ms' as $$ select pg_catalog.pg_sleep(5) $$;

create function public.sleep(seconds double precision) returns void
language sql volatile set search_path = '' as $$ select pg_catalog.pg_sleep(seconds) $$;

-- How a function of one role alone answers to others.
create function public.for_members_only() returns text
language sql stable set search_path = '' as $$ select 'welcome' $$;

revoke all on all functions in schema public from public;
grant execute on all functions in schema public to anon, authenticated, service_role;
revoke execute on function public.for_members_only() from anon;

create function public.describe_arguments(name text, note text default 'none given', amount integer default 7, extra jsonb default '{}') returns jsonb
    language sql immutable as $$
    select jsonb_build_object('name', name, 'note', note, 'amount', amount, 'extra is null', extra is null)
$$;
