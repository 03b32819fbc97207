-- The one answer to "may this leave?" (design §3, invariant 5). Asked when a message is queued and again when it is claimed.
-- Must stay true: nobody else decides; null means yes, otherwise a code of the error catalogue.

create or replace function private.send_refusal(
    p_account_status text,
    p_quality_rating text,
    p_contact_deleted boolean,
    p_opt_in_status text,
    p_window_expires_at timestamptz,
    p_type text,
    p_is_marketing boolean,
    p_now timestamptz
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_account_status is distinct from 'connected' then 'WA_006'
        when p_contact_deleted then 'CONTACT_004'
        when p_is_marketing and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        when p_is_marketing and p_quality_rating = 'RED' then 'WA_007'
        -- Templates are the only door when the window is shut, and none is approved before the templates domain says so.
        when p_type = 'template' then 'WA_002'
        when p_window_expires_at is null or p_window_expires_at <= p_now then 'WA_005'
    end
$$;

create or replace function private.may_send(p_conversation_id uuid, p_type text)
returns text
language sql volatile
set search_path = ''
as $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    where c.id = p_conversation_id
$$;
comment on function private.may_send(uuid, text) is 'null, or the error code that says why not.';
