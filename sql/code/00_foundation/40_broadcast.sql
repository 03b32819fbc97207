-- Tells browsers that something changed: private Broadcast topics, ids only; the UI reads what changed under its own rights.
-- Called inside the transaction that made the change. A lost broadcast loses no data: clients refetch when they (re)subscribe.

create or replace function private.broadcast(p_topic text, p_event text, p_payload jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform realtime.send(p_payload, p_event, p_topic, true);
end
$$;

create or replace function private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    -- 100 ids keep an event under 4 kB; above that one refetch of the list is cheaper for the browser anyway.
    perform private.broadcast('org:' || p_org_id, 'inbox', case
        when cardinality(p_conversation_ids) <= 100 then jsonb_build_object('conversation_ids', to_jsonb(p_conversation_ids))
        else '{"all": true}'::jsonb end);
end
$$;

create or replace function private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast('conversation:' || p_conversation_id, 'messages', case
        when cardinality(p_message_ids) <= 100 then jsonb_build_object('message_ids', to_jsonb(p_message_ids))
        else '{"all": true}'::jsonb end);
end
$$;
