-- Realtime: messages, send and broadcast functions, publications, and what the server needs to judge changes under RLS.
-- Run as supabase_admin inside the bootstrap's transaction, after roles.sql, extensions.sql and auth.sql; idempotent.

create schema if not exists realtime;
alter schema realtime owner to supabase_admin;
grant usage on schema realtime to postgres, anon, authenticated, service_role, supabase_realtime_admin;
grant create on schema realtime to supabase_realtime_admin;

create table if not exists realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp without time zone not null default timezone('utc', now()),
    -- UTC whatever the session's time zone, so that a row always finds the partition of the day.
    inserted_at timestamp without time zone not null default timezone('utc', now()),
    id uuid not null default gen_random_uuid(),
    binary_payload bytea,
    primary key (id, inserted_at)
) partition by range (inserted_at);

-- Serves replay: the latest private broadcasts of one topic.
create index if not exists messages_inserted_at_topic_index
    on realtime.messages (inserted_at desc, topic)
    where extension = 'broadcast' and private is true;

alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
revoke all on realtime.messages from public, anon, authenticated, service_role, postgres;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

-- Makes the daily partitions yesterday..+3 and drops those older than 72 hours. Called by the bootstrap and hourly by the server.
create or replace function realtime.maintain_message_partitions(today date default (timezone('utc', now()))::date)
returns void
language plpgsql
volatile
set search_path = ''
-- Dropping needs an exclusive lock on the parent: give up rather than queue every sender behind a long transaction.
set lock_timeout = '2s'
as $$
declare
    day date;
    partition text;
begin
    for day in select generate_series(today - 1, today + 3, interval '1 day')::date loop
        partition := 'messages_' || to_char(day, 'YYYY_MM_DD');
        if to_regclass(format('realtime.%I', partition)) is null then
            -- Attaching an existing table locks the parent less than "create table … partition of" does.
            execute format('create table realtime.%I (like realtime.messages including defaults)', partition);
            execute format('alter table realtime.%I owner to supabase_realtime_admin', partition);
            execute format('alter table realtime.%I enable row level security', partition);
            execute format('revoke all on realtime.%I from public, anon, authenticated, service_role, postgres', partition);
            execute format('alter table realtime.messages attach partition realtime.%I for values from (%L) to (%L)',
                           partition, day, day + 1);
        end if;
    end loop;

    for partition in
        select c.relname
        from pg_catalog.pg_inherits as i
        join pg_catalog.pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'realtime.messages'::regclass
          and c.relname ~ '^messages_\d{4}_\d{2}_\d{2}$'
          and to_date(right(c.relname, 10), 'YYYY_MM_DD') < today - 3
    loop
        execute format('drop table realtime.%I', partition);
    end loop;
end
$$;
revoke all on function realtime.maintain_message_partitions(date) from public;

do $$
begin
    perform realtime.maintain_message_partitions();
end
$$;

create or replace function realtime.topic()
returns text
language sql
stable
set search_path = ''
as $$
    select nullif(current_setting('realtime.topic', true), '')
$$;
alter function realtime.topic() owner to supabase_realtime_admin;

-- Never fails its caller: a message that cannot be stored is only a warning, exactly as on the real server, so this is no outbox.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    message_id uuid := gen_random_uuid();
begin
    perform set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (
        message_id,
        case
            when send.payload ? 'id' then send.payload
            else jsonb_set(send.payload, '{id}', to_jsonb(message_id))
        end,
        send.event,
        send.topic,
        send.private,
        'broadcast'
    );
exception
    when others then
        raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

create or replace function realtime.broadcast_changes(
    topic_name text,
    event_name text,
    operation text,
    table_name text,
    table_schema text,
    new record,
    old record,
    level text default 'ROW'
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    if level = 'STATEMENT' then
        raise exception 'function can only be triggered for each row, not for each statement';
    end if;
    if operation is null or operation not in ('INSERT', 'UPDATE', 'DELETE') then
        raise exception 'Unexpected operation type: %', operation;
    end if;
    perform realtime.send(
        jsonb_build_object(
            'schema', table_schema,
            'table', table_name,
            'operation', operation,
            'record', new,
            'old_record', old
        ),
        event_name,
        topic_name
    );
end
$$;

-- SQL text that compares one column value (given as an SQL expression) with the value of a filter.
create or replace function realtime.filter_expression(column_value text, type_name text, operator text, value text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if operator = 'in' then
        return format('%s::%s = any (%L::%s[])', column_value, type_name, value, type_name);
    end if;
    return format(
        '%s::%s %s %L::%s',
        column_value,
        type_name,
        case operator
            when 'eq' then '='
            when 'neq' then '!='
            when 'lt' then '<'
            when 'lte' then '<='
            when 'gt' then '>'
            when 'gte' then '>='
        end,
        value,
        type_name
    );
end
$$;
revoke all on function realtime.filter_expression(text, text, text, text) from public;

-- Whether a subscription to changes can be made: null when it can, '' when no published table matches, else the reason.
-- `filters` are [[column, operator, value], …].
create or replace function realtime.check_subscription(
    schema_name text, table_name text, role_name text, filters jsonb
)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
    entity oid;
    wanted jsonb;
    type_name text;
    holds boolean;
    matched boolean := false;
begin
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
        return format('role "%s" does not exist', role_name);
    end if;
    -- Operators of column types may live in these schemas.
    perform set_config('search_path', 'public, extensions', true);
    for entity in
        select format('%I.%I', p.schemaname, p.tablename)::regclass::oid
        from pg_catalog.pg_publication_tables as p
        where p.pubname = 'supabase_realtime'
          and (schema_name = '*' or p.schemaname = schema_name)
          and (table_name = '*' or p.tablename = table_name)
    loop
        matched := true;
        for wanted in select e.value from jsonb_array_elements(filters) as e loop
            select format('%I.%I', n.nspname, t.typname)
            into type_name
            from pg_catalog.pg_attribute as a
            join pg_catalog.pg_type as t on t.oid = a.atttypid
            join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
            where a.attrelid = entity
              and a.attname = wanted ->> 0
              and a.attnum > 0
              and not a.attisdropped
              and has_column_privilege(role_name, entity, a.attnum, 'SELECT');
            if type_name is null then
                return format('invalid column for filter %s', wanted ->> 0);
            end if;
            begin
                execute 'select ' || realtime.filter_expression('null', type_name, wanted ->> 1, wanted ->> 2) into holds;
            exception
                when others then
                    return sqlerrm;
            end;
        end loop;
    end loop;
    return case when matched then null else '' end;
end
$$;
revoke all on function realtime.check_subscription(text, text, text, jsonb) from public;

-- The columns of a row given as text, as jsonb of their own types. Columns that have gone meanwhile are left out.
create or replace function realtime.typed_row(entity oid, names text[], texts text[])
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
    cells text;
    typed jsonb;
begin
    select string_agg(format('(%L, to_jsonb($1[%s]::%I.%I))', c.name, c.position, n.nspname, t.typname), ', ')
    into cells
    from unnest(names) with ordinality as c (name, position)
    join pg_catalog.pg_attribute as a on a.attrelid = entity and a.attname = c.name and not a.attisdropped
    join pg_catalog.pg_type as t on t.oid = a.atttypid
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace;
    if cells is null then
        return '{}';
    end if;
    execute format('select jsonb_object_agg(v.name, v.cell) from (values %s) as v (name, cell)', cells)
        into typed
        using texts;
    return typed;
end
$$;
revoke all on function realtime.typed_row(oid, text[], text[]) from public;

-- Which of the distinct filters hold for a row given as text, keyed by the filter's own text. A filter on a column the row
-- does not carry has no entry.
create or replace function realtime.filter_outcomes(entity oid, filters jsonb, names text[], texts text[])
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
    cells text;
    outcomes jsonb;
begin
    select string_agg(
        format(
            '(%L, coalesce(%s, false))',
            wanted.filter::text,
            realtime.filter_expression(
                format('$1[%s]', array_position(names, wanted.filter ->> 0)),
                format('%I.%I', n.nspname, t.typname),
                wanted.filter ->> 1,
                wanted.filter ->> 2
            )
        ),
        ', '
    )
    into cells
    from (
        select distinct e.value as filter
        from jsonb_array_elements(filters) as s
        cross join jsonb_array_elements(s.value) as e
    ) as wanted
    join pg_catalog.pg_attribute as a
        on a.attrelid = entity and a.attname = wanted.filter ->> 0 and not a.attisdropped
    join pg_catalog.pg_type as t on t.oid = a.atttypid
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
    where wanted.filter ->> 0 = any (names);
    if cells is null then
        return '{}';
    end if;
    -- Operators of column types may live in these schemas.
    perform set_config('search_path', 'public, extensions', true);
    execute format('select jsonb_object_agg(v.filter, v.holds) from (values %s) as v (filter, holds)', cells)
        into outcomes
        using texts;
    return outcomes;
end
$$;
revoke all on function realtime.filter_outcomes(oid, jsonb, text[], text[]) from public;

-- Judges one change of a published table for everybody who subscribed to it, as the real server does: columns the role may
-- not select are cut; with row level security on, an inserted or updated row goes to whoever sees a row of this primary key in
-- the live table now; deletes are not checked and carry the primary key only. One result row per role.
-- A caller is a distinct (role, claims); a subscriber is a position in the callers plus its filters [[column, operator, value], …].
create or replace function realtime.judge_change(
    entity oid,
    action text,
    new_names text[],
    new_texts text[],
    old_names text[],
    old_texts text[],
    caller_roles text[],
    caller_claims text[],
    subscriber_callers integer[],
    subscriber_filters jsonb
)
returns table (role_name text, columns_json text, record_json text, old_record_json text, errors text[], visible integer[])
language plpgsql
volatile
set search_path = ''
as $$
declare
    -- The real server's limits: a change above the first keeps only the values up to the second.
    max_change_bytes constant integer := 1024 * 1024;
    max_kept_value_bytes constant integer := 64;
    is_delete constant boolean := action = 'DELETE';
    rls_on boolean;
    too_large boolean;
    key_names text[];
    readable text[];
    new_row jsonb;
    old_row jsonb;
    outcomes jsonb;
    passing integer[];
    probe text;
    sees_row boolean;
    caller integer;
begin
    select c.relrowsecurity into rls_on from pg_catalog.pg_class as c where c.oid = entity;
    if not found then
        return;
    end if;
    select coalesce(array_agg(a.attname::text), '{}')
    into key_names
    from pg_catalog.pg_index as i
    join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = entity and i.indisprimary;

    new_row := realtime.typed_row(entity, new_names, new_texts);
    old_row := realtime.typed_row(entity, old_names, old_texts);
    select coalesce(sum(octet_length(v.value)), 0) > max_change_bytes
    into too_large
    from unnest(new_texts || old_texts) as v (value);

    outcomes := realtime.filter_outcomes(
        entity,
        subscriber_filters,
        case when is_delete then old_names else new_names end,
        case when is_delete then old_texts else new_texts end
    );
    -- Filters on columns the row does not carry are passed over, but one at least must hold.
    select coalesce(array_agg(s.position), '{}')
    into passing
    from jsonb_array_elements(subscriber_filters) with ordinality as s (filters, position)
    where s.filters = '[]'
       or (
           select bool_and((outcomes ->> (e.value::text))::boolean)
           from jsonb_array_elements(s.filters) as e
           where outcomes ? (e.value::text)
       );

    for role_name in select distinct r.name from unnest(caller_roles) as r (name) loop
        columns_json := '[]';
        record_json := '{}';
        old_record_json := '{}';
        errors := null;
        select coalesce(array_agg(p.position), '{}')
        into visible
        from unnest(subscriber_callers) with ordinality as p (caller, position)
        where caller_roles[p.caller] = judge_change.role_name;

        select
            coalesce(array_agg(a.attname::text), '{}'),
            coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', t.typname) order by a.attnum), '[]')::text
        into readable, columns_json
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_type as t on t.oid = a.atttypid
        where a.attrelid = entity
          and a.attnum > 0
          and not a.attisdropped
          and has_column_privilege(judge_change.role_name, entity, a.attnum, 'SELECT');

        if not is_delete and (key_names = '{}' or not key_names <@ readable) then
            columns_json := '[]';
            errors := array[
                case
                    when key_names = '{}' then 'Error 400: Bad Request, no primary key'
                    else 'Error 401: Unauthorized'
                end
            ];
            return next;
            continue;
        end if;

        -- An unchanged out-of-line value is not in the new row; under replica identity full the old row has it.
        select coalesce(jsonb_object_agg(c.name, c.cell), '{}')::text
        into record_json
        from jsonb_each(case when is_delete then '{}' else old_row || new_row end) as c (name, cell)
        where c.name = any (readable)
          and (not too_large or octet_length(c.cell::text) <= max_kept_value_bytes);
        select coalesce(jsonb_object_agg(c.name, c.cell), '{}')::text
        into old_record_json
        from jsonb_each(old_row) as c (name, cell)
        where c.name = any (readable)
          and (not is_delete or not rls_on or c.name = any (key_names))
          and (not too_large or octet_length(c.cell::text) <= max_kept_value_bytes);
        if too_large then
            errors := array['Error 413: Payload Too Large'];
        end if;

        select coalesce(array_agg(v.position), '{}')
        into visible
        from unnest(visible) as v (position)
        where v.position = any (passing);

        if rls_on and not is_delete and visible <> '{}' then
            if probe is null then
                probe := realtime.prepare_row_probe(entity, new_row, key_names);
            end if;
            perform
                -- Policies of the database's owner expect these schemas.
                set_config('search_path', 'public, extensions', true),
                set_config('role', judge_change.role_name, true);
            for caller in select distinct subscriber_callers[v.position] from unnest(visible) as v (position) loop
                perform set_config('request.jwt.claims', caller_claims[caller], true);
                begin
                    execute probe into sees_row;
                exception
                    when others then
                        -- A policy that fails for one caller must not silence the change for the others.
                        sees_row := false;
                        raise warning 'row level security of % failed for a subscriber: %', entity::regclass, sqlerrm;
                end;
                if not sees_row then
                    select coalesce(array_agg(v.position), '{}')
                    into visible
                    from unnest(visible) as v (position)
                    where subscriber_callers[v.position] <> caller;
                end if;
            end loop;
            perform
                set_config('role', 'none', true),
                set_config('search_path', '', true);
        end if;
        return next;
    end loop;
    if probe is not null then
        deallocate realtime_row_probe;
    end if;
end
$$;
revoke all on function realtime.judge_change(
    oid, text, text[], text[], text[], text[], text[], text[], integer[], jsonb
) from public;

-- Prepares "is there a row of this primary key", so that its plan is kept for all callers of one role, and returns the
-- statement that asks it.
create or replace function realtime.prepare_row_probe(entity oid, row_cells jsonb, key_names text[])
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
    conditions text;
begin
    -- Prepared statements outlive a failed transaction.
    if exists (select from pg_catalog.pg_prepared_statements where name = 'realtime_row_probe') then
        deallocate realtime_row_probe;
    end if;
    select string_agg(format('%I = %L::%I.%I', k.name, row_cells ->> k.name, n.nspname, t.typname), ' and ')
    into conditions
    from unnest(key_names) as k (name)
    join pg_catalog.pg_attribute as a on a.attrelid = entity and a.attname = k.name
    join pg_catalog.pg_type as t on t.oid = a.atttypid
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace;
    execute format('prepare realtime_row_probe as select exists (select from %s where %s)', entity::regclass, conditions);
    return 'execute realtime_row_probe';
end
$$;
revoke all on function realtime.prepare_row_probe(oid, jsonb, text[]) from public;

do $$
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
        alter publication supabase_realtime owner to postgres;
    end if;
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime_messages_publication') then
        create publication supabase_realtime_messages_publication
            for table realtime.messages
            with (publish = 'insert', publish_via_partition_root = true);
    end if;
end
$$;

revoke all on function realtime.topic() from public;
revoke all on function realtime.send(jsonb, text, text, boolean) from public;
revoke all on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) from public;
grant execute on function realtime.topic() to postgres, anon, authenticated, service_role, supabase_realtime_admin;
grant execute on function realtime.send(jsonb, text, text, boolean)
    to postgres, anon, authenticated, service_role, supabase_realtime_admin;
grant execute on function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
    to postgres, anon, authenticated, service_role, supabase_realtime_admin;
