-- Realtime topics by the probe that Realtime itself makes (reference/supabase.md §1.8), and storage paths.

begin;
\ir ../pgtap/helpers/load.sql
\ir helpers/callers.sql
select no_plan();
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex'), tests.make_callers();

-- Rows are written as the server, then the caller is asked what of them it sees and what it may write; nothing stays.
create function tests.probe(p_caller text, p_topic text) returns text language plpgsql as $$
declare
    v_extension text;
    v_may text[] := '{}';
begin
    begin
        insert into realtime.messages (topic, extension, private, event) values (p_topic, 'broadcast', true, 'probe'), (p_topic, 'presence', true, 'probe');
        perform set_config('realtime.topic', coalesce(p_topic, ''), true);
        perform tests.become(p_caller);
        begin
            v_may := array(select distinct 'hear ' || m.extension from realtime.messages m where m.topic = p_topic and m.event = 'probe' order by 1);
        exception when insufficient_privilege then
            v_may := '{}';
        end;
        foreach v_extension in array array['broadcast', 'presence', 'postgres_changes'] loop
            begin
                insert into realtime.messages (topic, extension, private) values (p_topic, v_extension, true);
                v_may := v_may || ('say ' || v_extension);
            exception when insufficient_privilege then
                null;
            end;
        end loop;
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    perform tests.logout();
    return array_to_string(v_may, ', ');
end
$$;

create temporary table topics on commit drop as
select 'org:' || tests.id('acme') as topic, array['acme'] as orgs, null::uuid as person, 'acme''s topic' as name
union all select 'org:' || tests.id('globex'), array['globex'], null, 'globex''s topic'
union all select 'conversation:' || tests.id('acme.thread'), array['acme'], null, 'a conversation of acme'
union all select 'conversation:' || tests.id('globex.thread'), array['globex'], null, 'a conversation of globex'
union all select 'user:' || tests.id('acme.agent'), '{}', tests.id('acme.agent'), 'acme''s agent''s own topic'
union all select 'user:' || tests.id('stranger'), '{}', tests.id('stranger'), 'the stranger''s own topic'
union all select t, '{}', null, 'a topic nobody has: ' || quote_literal(left(replace(t, E'\n', '\n'), 60)) from unnest(array[
    'org:', 'org:*', 'org:' || tests.id('none'), 'conversation:' || tests.id('none'), 'org:' || upper(tests.id('acme')::text),
    'org:' || tests.id('acme') || ' ', ' org:' || tests.id('acme'), 'ORG:' || tests.id('acme'), 'org:' || tests.id('acme') || ':more',
    'org:' || tests.id('acme') || E'\n', 'realtime:org:' || tests.id('acme'), 'org:' || replace(tests.id('acme')::text, '-', ''),
    'org:{' || tests.id('acme') || '}', 'account:' || tests.id('acme'), 'contact:' || tests.id('acme.siti'), 'room-1', '', repeat('x', 5000)
]) t;

select is(
    tests.probe(c.name, t.topic),
    case when c.role = 'authenticated' and (c.org = any (t.orgs) or c.claims ->> 'sub' = t.person::text)
        then 'hear broadcast, hear presence, say presence' else '' end,
    format('%s: %s', c.name, t.name)
)
from tests.callers c, topics t;
select is(tests.ask(c.name, 'select private.may_hear(null)'), case c.role when 'anon' then '!42501' else 'false' end, format('%s: no topic at all', c.name))
from tests.callers c;

-- Storage: <organisation>/<conversation>/<file> in the bucket media, <organisation>/<upload or job>/<file> in imports, exports and templates.
create temporary table paths on commit drop as
select b as bucket, tests.id(o) || '/' || tests.id(o || '.thread') || '/a.png' as path, o as org
from unnest(array['media', 'imports', 'exports', 'templates']) b, unnest(array['acme', 'globex']) o
union all select b, p, null from unnest(array['media', 'imports', 'exports', 'templates']) b, unnest(array[
    'a.png', '/a.png', '../' || tests.id('acme') || '/a.png', 'x/' || tests.id('acme') || '/a.png', './' || tests.id('acme') || '/a.png',
    '/' || tests.id('acme') || '/a.png', upper(tests.id('acme')::text) || '/a.png', tests.id('acme') || '.png', tests.id('none') || '/a.png', '*/a.png', '%/a.png']) p
union all select 'other', tests.id('acme') || '/x/a.png', null;
insert into storage.buckets (id, name, public) values ('other', 'other', false) on conflict do nothing;

create function tests.touch(p_caller text, p_bucket text, p_path text) returns text language plpgsql as $$
declare
    v_may text[] := '{}';
    v_verb record;
    v_count integer;
begin
    begin
        for v_verb in select * from (values
            ('upload', 1, 'insert into storage.objects (bucket_id, name) values (%1$L, %2$L)'),
            ('read', 2, 'select from storage.objects where bucket_id = %1$L and name = %2$L'),
            ('overwrite', 2, 'update storage.objects set metadata = ''{}'' where bucket_id = %1$L and name = %2$L'),
            ('move', 2, 'update storage.objects set name = name || ''.moved'' where bucket_id = %1$L and name = %2$L'),
            ('delete', 2, 'delete from storage.objects where bucket_id = %1$L and name = %2$L')
        ) v (verb, nth, statement) order by nth loop
            begin
                if v_verb.nth = 2 then
                    perform tests.logout();
                    insert into storage.objects (bucket_id, name) values (p_bucket, p_path);
                end if;
                perform tests.become(p_caller);
                execute format(v_verb.statement, p_bucket, p_path);
                get diagnostics v_count = row_count;
                raise exception sqlstate 'UNDO0';
            exception
                when sqlstate 'UNDO0' then
                    if v_count > 0 then
                        v_may := v_may || v_verb.verb;
                    end if;
                when insufficient_privilege then
                    null;
            end;
        end loop;
    end;
    perform tests.logout();
    return array_to_string(v_may, ', ');
end
$$;
select set_config('storage.allow_delete_query', 'true', true);
select is(
    tests.touch(c.name, p.bucket, p.path),
    case
        when c.org is distinct from p.org or c.org is null then ''
        when p.bucket = 'media' then case when c.member_role in ('owner', 'admin', 'agent') then 'upload, read' else 'read' end
        when p.bucket = 'templates' then case when c.member_role in ('owner', 'admin', 'campaign_manager') then 'upload, read' else 'read' end
        when c.member_role not in ('owner', 'admin', 'campaign_manager') then ''
        when p.bucket = 'imports' then 'upload, read'
        else 'read'
    end,
    format('%s: %s/%s', c.name, p.bucket, replace(replace(p.path, tests.id('acme')::text, '<acme>'), tests.id('globex')::text, '<globex>'))
)
from tests.callers c, paths p;
select is((select bool_or(public) from storage.buckets), false, 'no bucket is public');
select is(tests.ask(c.name, 'select count(*) from storage.buckets'), '0', format('%s sees no bucket', c.name)) from tests.callers c;
select matches(
    tests.ask(c.name, $$ insert into storage.buckets (id, name, public) values ('mine', 'mine', true) returning 'made' $$), '^!42501$', format('%s makes no bucket', c.name)
) from tests.callers c;

select * from finish();
rollback;
