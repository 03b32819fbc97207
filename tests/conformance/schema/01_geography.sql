-- Reference data that everyone may read and nobody changes: filters, embedding, ranges and counts are tried on it.

create table public.countries (
  code text primary key,
  name text not null,
  continent text not null,
  founded_on date
);

create table public.rivers (
  id integer primary key,
  name text not null,
  length_km integer,
  navigable boolean,
  source_country text not null references public.countries (code),
  uses text[] not null default '{}',
  facts jsonb not null default '{}',
  flood_season int4range,
  surveyed_at timestamptz,
  description tsvector
);

create index rivers_source_country on public.rivers (source_country);

-- Which countries a river runs through, in order from its source.
create table public.river_countries (
  river_id integer not null references public.rivers (id),
  country_code text not null references public.countries (code),
  leg integer not null,
  primary key (river_id, country_code)
);

create index river_countries_country on public.river_countries (country_code);

create table public.ports (
  id integer primary key,
  river_id integer not null references public.rivers (id),
  name text not null,
  berths integer not null
);

create index ports_river on public.ports (river_id);

-- One row for one river: embedding it gives an object, not a list.
create table public.river_deltas (
  river_id integer primary key references public.rivers (id),
  area_km2 integer not null
);

-- More rows than one answer may hold.
create table public.numbers (
  n integer primary key
);

create view public.long_rivers with (security_invoker = true) as
select r.id, r.name, r.length_km, r.source_country
from public.rivers as r
where r.length_km > 4000;

insert into public.countries (code, name, continent, founded_on) values
  ('BR', 'Brazil', 'South America', '1822-09-07'),
  ('CN', 'China', 'Asia', '1949-10-01'),
  ('DE', 'Germany', 'Europe', '1871-01-18'),
  ('EG', 'Egypt', 'Africa', '1922-02-28'),
  ('NL', 'Netherlands', 'Europe', '1581-07-26'),
  ('PE', 'Peru', 'South America', '1821-07-28'),
  ('UG', 'Uganda', 'Africa', '1962-10-09'),
  ('XA', 'Atlantis', 'Ocean', null);

insert into public.rivers
  (id, name, length_km, navigable, source_country, uses, facts, flood_season, surveyed_at, description)
values
  (1, 'Amazon', 6400, true, 'PE', '{fishing,transport}', '{"fish": {"count": 2200}, "colour": "brown", "tags": ["wide", "warm"]}',
   '[3,7)', '2020-01-02 03:04:05.678+00', to_tsvector('english', 'the widest river, fish swimming in warm water')),
  (2, 'Nile', 6650, true, 'UG', '{irrigation,transport}', '{"fish": {"count": 128}, "colour": "blue", "tags": ["long"]}',
   '[6,10)', '2021-01-02 03:04:05+00', to_tsvector('english', 'the longest river through a desert')),
  (3, 'Rhine', 1233, true, 'DE', '{transport}', '{"fish": {"count": 63}, "colour": "green"}',
   '[1,4)', null, to_tsvector('english', 'ships carry coal')),
  (4, 'Yangtze', 6300, null, 'CN', '{transport,power}', '{"fish": {"count": 350}, "colour": "brown"}',
   '[5,9)', '2022-01-02 03:04:05+00', to_tsvector('english', 'a dam gives power, ships swim slowly')),
  (5, 'Lost River, (dry)', null, false, 'XA', '{}', '{"colour": null}', null, null, null);

insert into public.river_countries (river_id, country_code, leg) values
  (1, 'PE', 1), (1, 'BR', 2), (2, 'UG', 1), (2, 'EG', 2), (3, 'DE', 1), (3, 'NL', 2), (4, 'CN', 1);

insert into public.ports (id, river_id, name, berths) values
  (1, 1, 'Manaus', 12), (2, 1, 'Iquitos', 4), (3, 2, 'Cairo', 8), (4, 3, 'Duisburg', 60), (5, 3, 'Rotterdam', 400), (6, 4, 'Wuhan', 90);

insert into public.river_deltas (river_id, area_km2) values (2, 24000), (3, 25000);

insert into public.numbers (n) select g from generate_series(1, 1250) as g;

do $$
declare
  table_name text;
begin
  foreach table_name in array array['countries', 'rivers', 'river_countries', 'ports', 'river_deltas', 'numbers'] loop
    execute format('alter table public.%I enable row level security', table_name);
    execute format('create policy everyone_reads on public.%I for select to anon, authenticated using (true)', table_name);
    execute format('grant select on public.%I to anon, authenticated, service_role', table_name);
  end loop;
end
$$;
grant select on public.long_rivers to anon, authenticated, service_role;

-- Of which clients may read one nothing and the other not even the name.
create table public.vault_door (
  id integer primary key
);
alter table public.vault_door enable row level security;
grant select on public.vault_door to service_role;

create table public.walled_in (
  id integer primary key
);
alter table public.walled_in enable row level security;

analyze public.countries, public.rivers, public.numbers;
