create table public.notes (
  id bigint generated always as identity primary key,
  owner uuid not null default auth.uid(),
  body text not null default ''
);
alter table public.notes enable row level security;
create policy notes_own on public.notes for all to authenticated
  using ((select auth.uid()) = owner) with check ((select auth.uid()) = owner);
grant select, insert, update, delete on public.notes to authenticated;

create table public.closed (id bigint primary key);
alter table public.closed enable row level security;

create table public.many (id bigint primary key);
alter table public.many enable row level security;
create policy many_read on public.many for select to anon, authenticated using (true);
insert into public.many select generate_series(1, 1200);
grant select on public.many to anon;

create function public.slow() returns void
language sql volatile set search_path = '' as $$ select pg_catalog.pg_sleep(60) $$;

create function public.caller() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'user', current_user, 'uid', auth.uid(), 'email', auth.email(), 'role', auth.role(),
    'statement_timeout', current_setting('statement_timeout'), 'path', current_setting('request.path')
  )
$$;

create function public.refuse(details jsonb, status int) returns void
language plpgsql volatile set search_path = '' as $$
begin
  raise sqlstate 'PGRST' using
    message = jsonb_build_object(
      'code', 'CONTACT_002', 'message', 'already there', 'details', details, 'hint', null
    )::text,
    detail = jsonb_build_object('status', status, 'headers', jsonb_build_object('x-reason', 'duplicate'))::text;
end
$$;

create function public.write_under_get() returns void
language sql volatile set search_path = '' as $$ insert into public.notes default values $$;
