-- The timeline of a contact (PRD §5.7): complete, in order, page by page.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
insert into public.tags (id, org_id, name) values (tests.id('vip'), tests.id('acme'), 'VIP');

create function tests.timeline(p_limit integer default 100, p_before text default null, p_user text default 'acme.viewer') returns jsonb language plpgsql as $$
declare
    v_page jsonb;
begin
    perform tests.login_as(p_user);
    v_page := contact_timeline(tests.id('acme.siti'), p_limit, p_before);
    perform tests.logout();
    return v_page;
end
$$;
create function tests.kinds(p_page jsonb) returns text[] language sql as $$
    select array(select e ->> 'kind' from jsonb_array_elements(p_page -> 'events') with ordinality x (e, n) order by n)
$$;

select is(tests.timeline(), '{"events": [], "next": null}', 'nothing has happened yet');
select tests.receive('w.1', '{"body": "hello there"}');
select tests.queue('and hello to you');
select tests.error_for('acme.agent', $$ select add_note(tests.id('acme.thread'), 'a note', 'note-key-1') $$);
select tests.error_for('acme.agent', format('select set_contact_tags(%L, %L)', tests.id('acme.siti'), array[tests.id('vip')]));
select tests.error_for('acme.agent', $$ select set_contact_consent(tests.id('acme.siti'), 'opted_in', 'form', 'Fair') $$);
select tests.error_for('acme.agent', format('select update_contact(%L, %L, %L)', tests.id('acme.siti'), '{"company": "Acme"}', (tests.contact('acme.siti')).updated_at));
select tests.error_for('acme.admin', $$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.agent')) $$);
-- Meta's seconds lie behind our clock; the rest is in the order it was done.
update public.messages set occurred_at = now() - interval '1 minute' where wa_message_id = 'w.1';

select is(tests.kinds(tests.timeline()),
    '{conversation.assigned,contact.updated,consent.changed,contact.tags_changed,note.added,message.sent,message.received}', 'everything is there once, the newest first');
select results_eq(
    $$ select e ->> 'actor_name', e -> 'data' from jsonb_array_elements(tests.timeline() -> 'events') e where e ->> 'kind' <> 'conversation.assigned' $$,
    $$ values
        ('Acme.Agent', '{"fields": ["company"]}'::jsonb),
        ('Acme.Agent', '{"old": "pending", "new": "opted_in", "source": "form", "evidence": "Fair"}'),
        ('Acme.Agent', jsonb_build_object('added', jsonb_build_array(jsonb_build_object('id', tests.id('vip'), 'name', 'VIP', 'color', '#868e96')), 'removed', '[]'::jsonb)),
        ('Acme.Agent', jsonb_build_object('conversation_id', tests.id('acme.thread'), 'type', 'note', 'preview', 'a note')),
        ('Acme.Agent', jsonb_build_object('conversation_id', tests.id('acme.thread'), 'type', 'text', 'preview', 'and hello to you', 'status', 'pending')),
        (null, jsonb_build_object('conversation_id', tests.id('acme.thread'), 'type', 'text', 'preview', 'hello there')) $$,
    'with who did it and what it was'
);

-- Pages: each event once, whatever the size of a page and however many share a time.
insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, occurred_at)
select tests.id('acme'), tests.id('acme.thread'), tests.id('acme.number'), tests.id('acme.siti'), 'inbound', 'text', 'm' || i, 'received', now() - interval '1 hour' * (i / 10)
from generate_series(1, 100) i;
insert into public.activity_log (org_id, kind, contact_id, created_at)
select tests.id('acme'), 'contact.updated', tests.id('acme.siti'), now() - interval '1 hour' * (i / 5) from generate_series(1, 50) i;
insert into public.contact_consents (org_id, contact_id, new_status, source, created_at)
select tests.id('acme'), tests.id('acme.siti'), 'pending', 'manual', now() - interval '1 hour' * i from generate_series(1, 10) i;
create function tests.all_pages(p_limit integer) returns text[] language plpgsql as $$
declare
    v_page jsonb;
    v_ids text[] := '{}';
    v_before text;
begin
    for i in 1..1000 loop
        v_page := tests.timeline(p_limit, v_before);
        v_ids := v_ids || array(select e ->> 'id' from jsonb_array_elements(v_page -> 'events') with ordinality x (e, n) order by n);
        v_before := v_page ->> 'next';
        exit when v_before is null;
        if jsonb_array_length(v_page -> 'events') <> p_limit then
            raise exception 'a page that is not the last is short';
        end if;
    end loop;
    return v_ids;
end
$$;
select is(cardinality(tests.all_pages(20)), 167, 'all pages together are complete');
select is(tests.all_pages(s), tests.all_pages(20), format('by %s', s)) from unnest(array[1, 7, 100]) s;
select is((select count(distinct x) from unnest(tests.all_pages(7)) x), 167::bigint, 'and nothing comes twice');

select is(tests.error_for('acme.viewer', $$ select contact_timeline(tests.id('acme.siti'), 20, 'yesterday') $$), 'CONTACT_007', 'a cursor that is none');
select is(tests.error_for('acme.viewer', $$ select contact_timeline(tests.id('acme.siti'), 20, '2026-01-01 x') $$), 'CONTACT_007', 'nor this');
select is(tests.error_for('globex.owner', $$ select contact_timeline(tests.id('acme.siti')) $$), 'CONTACT_001', 'strangers have no contact here');
update public.contacts set deleted_at = now() where id = tests.id('acme.siti');
select is(tests.error_for('acme.agent', $$ select contact_timeline(tests.id('acme.siti')) $$), 'AUTH_003', 'of the trash only for who may open it');
select is(jsonb_array_length(tests.timeline(5, null, 'acme.admin') -> 'events'), 5, 'who reads it there');

select * from finish();
rollback;
