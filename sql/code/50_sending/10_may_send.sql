-- The one answer to "may this leave?" (design §3, invariant 5). Asked when a message is queued and again when it is claimed.
-- Must stay true: nobody else decides; null means yes, otherwise a code of the error catalogue.

-- p_template_status, p_template_category: of the template the message is made of, as it is now; null for any other message. Meta may have
-- changed the category since the message was queued: consent follows what holds when it leaves.
create or replace function private.send_refusal(
    p_account_status text,
    p_quality_rating text,
    p_contact_deleted boolean,
    p_opt_in_status text,
    p_window_expires_at timestamptz,
    p_type text,
    p_template_status text,
    p_template_category text,
    p_is_campaign boolean,
    p_now timestamptz
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_account_status is distinct from 'connected' then 'WA_006'
        when p_contact_deleted then 'CONTACT_004'
        when p_type = 'template' and p_template_status is distinct from 'approved' then 'WA_002'
        when p_template_category = 'marketing' and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        -- Who has not opted in is no target of a campaign, whatever its category (PRD §5.6).
        when p_is_campaign and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        when (p_is_campaign or p_template_category = 'marketing') and p_quality_rating = 'RED' then 'WA_007'
        -- Templates are the only door when the window is shut.
        when p_type is distinct from 'template' and (p_window_expires_at is null or p_window_expires_at <= p_now) then 'WA_005'
    end
$$;

-- p_template_id: for type template. A template of another WhatsApp account is unknown to Meta there.
create or replace function private.may_send(p_conversation_id uuid, p_type text, p_template_id uuid default null)
returns text
language sql volatile
set search_path = ''
as $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        t.status, t.category, false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.org_id = c.org_id and t.id = p_template_id and t.waba_id = a.waba_id and t.deleted_at is null
    where c.id = p_conversation_id
$$;
comment on function private.may_send(uuid, text, uuid) is 'null, or the error code that says why not.';
