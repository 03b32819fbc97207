-- Delivery statuses: whatever the order of arrival, the same end (design §5, invariants 2–4).

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

-- Every order of every subset of what Meta may say.
create temporary table orders on commit drop as
with recursive grown as (
    select array[s] as said from unnest(array['sent', 'delivered', 'read', 'failed']) s
    union all
    select g.said || s from grown g, unnest(array['sent', 'delivered', 'read', 'failed']) s where not (s = any (g.said))
)
select said, array_to_string(said, ', ') as name from grown;
select is((select count(*) from orders), 64::bigint, 'there are 64 orders');

-- What must come out, from the set alone. Meta's clock: sent at 1 s, delivered at 2 s, read at 3 s, failed at 4 s.
create function tests.expected(p_said text[]) returns text language sql as $$
    select row (
        case when 'read' = any (p_said) then 'read' when 'delivered' = any (p_said) then 'delivered' when 'failed' = any (p_said) then 'failed' else 'sent' end,
        case when 'sent' = any (p_said) then 1 when 'delivered' = any (p_said) then 2 when 'read' = any (p_said) then 3 end,
        case when 'delivered' = any (p_said) then 2 when 'read' = any (p_said) then 3 end,
        case when 'read' = any (p_said) then 3 end,
        case when 'failed' = any (p_said) then 4 end,
        case when 'failed' = any (p_said) and not 'delivered' = any (p_said) and not 'read' = any (p_said) then '131026' end,
        false
    )::text
$$;
create function tests.came_out(p_wa_message_id text) returns text language sql security definer as $$
    select row (m.status, extract(epoch from m.sent_at - now())::integer, extract(epoch from m.delivered_at - now())::integer,
        extract(epoch from m.read_at - now())::integer, extract(epoch from m.failed_at - now())::integer, m.error_code, m.is_uncertain)::text
    from public.messages m where m.wa_message_id = p_wa_message_id
$$;
create function tests.said(p_wa_message_id text, p_status text, p_changes jsonb default '{}') returns jsonb language sql as $$
    select tests.status(p_wa_message_id, p_status, jsonb_build_object(
        'occurred_at', now() + make_interval(secs => array_position(array['sent', 'delivered', 'read', 'failed'], p_status)),
        'error_code', case when p_status = 'failed' then '131026' end) || p_changes)
$$;
-- A message handed to Meta, whose answer is not recorded.
create function tests.handed_over(p_conversation text default 'acme.thread') returns uuid language plpgsql security definer set search_path = '' as $$
declare
    v_id uuid;
begin
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status)
    values (tests.id('acme'), tests.id(p_conversation), tests.id('acme.number'), tests.id('acme.siti'), 'outbound', 'text', 'hello', 'pending')
    returning id into v_id;
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, state, attempt, holder, intent_at)
    values (v_id, tests.id('acme'), tests.id('acme.number'), tests.id(p_conversation), 'sending', 1, tests.id('sender'), now());
    return v_id;
end
$$;

create function tests.one_by_one(p_said text[], p_way text) returns text language plpgsql as $$
declare
    v_wa_message_id text := 'wamid.' || p_way || '.' || array_to_string(p_said, '.');
    v_id uuid := tests.handed_over();
    v_status text;
    v_accepted jsonb := jsonb_build_object('wa_message_id', v_wa_message_id);
    -- Our id that travelled with the message, where Meta tells it.
    v_ours jsonb := case when p_way in ('by our id', 'uncertain') then jsonb_build_object('message_id', v_id, 'send_try', 0) else '{}' end;
begin
    if p_way = 'after the answer' then
        perform tests.record(v_id, 'accepted', v_accepted);
    elsif p_way = 'uncertain' then
        perform tests.record(v_id, 'uncertain');
    end if;
    if p_way = 'in one batch' then
        perform tests.record(v_id, 'accepted', v_accepted);
        perform tests.apply_statuses((select jsonb_agg(tests.said(v_wa_message_id, s)) from unnest(p_said) s));
    else
        foreach v_status in array p_said loop
            perform tests.apply_statuses(jsonb_build_array(tests.said(v_wa_message_id, v_status, v_ours)));
            -- Each comes twice.
            perform tests.apply_statuses(jsonb_build_array(tests.said(v_wa_message_id, v_status, v_ours)));
            if p_way = 'half before the answer' and v_status = p_said[1] then
                perform tests.record(v_id, 'accepted', v_accepted);
            end if;
        end loop;
    end if;
    if p_way in ('before the answer', 'by our id') then
        perform tests.record(v_id, 'accepted', v_accepted);
    end if;
    return tests.came_out(v_wa_message_id) || case when exists (select from private.outbox o where o.message_id = v_id) then ' in the outbox' else '' end
        || case when exists (select from private.parked_statuses s where s.wa_message_id = v_wa_message_id) then ' parked' else '' end;
end
$$;

select is(tests.one_by_one(o.said, w.way), tests.expected(o.said), format('%s: %s', w.way, o.name))
from unnest(array['after the answer', 'in one batch', 'before the answer', 'half before the answer', 'by our id', 'uncertain']) as w (way), orders o;

-- Failed, then delivered, as people see it.
select tests.sent('wamid.flip') as flip \gset
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.flip', 'failed', '{"error_message": "not on WhatsApp"}')));
select is((select row (m.status, m.error_code, m.error_message)::text from tests.message(:'flip') m), '(failed,131026,"not on WhatsApp")', 'a failure carries Meta''s code and words');
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.flip', 'delivered')));
select is((select row (m.status, m.error_code, m.error_message)::text from tests.message(:'flip') m), '(delivered,,)', 'a later delivery proves it wrong');
select is(
    tests.error_for('acme.agent', format('select retry_message(%L)', :'flip')), 'MESSAGE_004', 'and what was delivered is not sent again'
);

-- A late status of an earlier try cannot settle a retry.
select tests.sent('wamid.try-0') as tried \gset
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.try-0', 'failed')));
select tests.error_for('acme.agent', format('select retry_message(%L)', :'tried'));
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.try-0', 'delivered', jsonb_build_object('message_id', :'tried', 'send_try', 0))));
select is((tests.message(:'tried')).status, 'pending', 'the second try waits for its own status');
select is((tests.outbox(:'tried')).state, 'ready', 'and is still to be sent');
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.try-1', 'sent', jsonb_build_object('message_id', :'tried', 'send_try', 1))));
select is((select row (m.status, m.wa_message_id)::text from tests.message(:'tried') m), '(sent,wamid.try-1)', 'which names it');
select is(tests.outbox(:'tried'), null, 'and takes it out of the outbox, so that it is not sent after all');

-- A status without our id waits, one with it names the message: then both count.
select tests.handed_over() as both \gset
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.both', 'delivered')));
select is((tests.message(:'both')).status, 'pending', 'a status that names nothing of ours waits');
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.both', 'sent', jsonb_build_object('message_id', :'both', 'send_try', 0))));
select is(tests.came_out('wamid.both'), tests.expected(array['sent', 'delivered']), 'for the one that names it');
select is((select count(*) from private.parked_statuses where wa_message_id = 'wamid.both'), 0::bigint, 'nothing waits any more');

-- What is not ours.
select is(tests.apply_statuses(jsonb_build_array(tests.said('wamid.elsewhere', 'read'))), '{}', 'a status of a message we do not know is no problem');
select is((select count(*) from private.parked_statuses where wa_message_id = 'wamid.elsewhere'), 1::bigint, 'it is parked');
select is(
    tests.apply_statuses(jsonb_build_array(tests.said('wamid.lost', 'read', '{"phone_number_id": "404", "webhook_event_id": 3}'))),
    array['3: no connected number 404'], 'of a number we do not know it is'
);
select is((select count(*) from private.parked_statuses where wa_message_id = 'wamid.lost'), 0::bigint, 'and is not parked');
select tests.handed_over() as mine \gset
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.foreign', 'read',
    jsonb_build_object('phone_number_id', '1002', 'message_id', :'mine', 'send_try', 0))));
select is((tests.message(:'mine')).status, 'pending', 'another organisation''s number cannot settle our message by its id');
select tests.record(:'mine', 'accepted', '{"wa_message_id": "wamid.foreign"}');
select is((tests.message(:'mine')).status, 'pending', 'nor by a status it parked');
select tests.receive('wamid.inbound');
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.inbound', 'read')));
select is((tests.wa_message('wamid.inbound')).status, 'received', 'a received message has no delivery status');
select tests.apply_statuses(jsonb_build_array(tests.said('wamid.flip', 'warning')));
select is((tests.message(:'flip')).status, 'delivered', 'an unknown status changes nothing');

-- Disconnected since.
select tests.sent('wamid.before') as before \gset
select tests.error_for('acme.owner', $$ select disconnect_whatsapp_account(tests.id('acme.number')) $$);
select is(tests.apply_statuses(jsonb_build_array(tests.said('wamid.before', 'read'))), '{}', 'what a number sent before it was disconnected');
select is((tests.message(:'before')).status, 'read', 'still gets its statuses');

select is_empty('select * from tests.wrong_unread_counts()', 'counts are recounts');

select * from finish();
rollback;
