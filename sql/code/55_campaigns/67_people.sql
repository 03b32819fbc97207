-- Contacts as campaigns see them change: numbers that are new, marketing stopped or resumed in WhatsApp, people who are merged or erased.
-- Called by triggers, by the applier of webhooks, and by 30_contacts/70_merge.sql and 80_erase.sql.
-- Must stay true: nobody is a recipient of a campaign twice; the ledger's counts outlive the person; resuming restores a consent that the
-- stop withdrew, and makes none.

create or replace function private.forget_unreachable()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    new.not_on_whatsapp_at := null;
    return new;
end
$$;

create or replace trigger contacts__forget_unreachable before update of phone, wa_id on public.contacts
    for each row when (new.not_on_whatsapp_at is not null and (new.phone is distinct from old.phone or new.wa_id is distinct from old.wa_id))
    execute function private.forget_unreachable();

-- p_events: [{webhook_event_id, phone_number_id, wa_id, user_id, category, value, occurred_at}]. The scope is the organisation whose number it
-- is. Called first of an applier's batch: it locks contacts. Values other than stop and resume are no consent (reference/whatsapp.md §5.8).
create or replace function worker.apply_user_preferences(p_events jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_events jsonb;
    v_org record;
begin
    with last as (
        select distinct on (c.id) c.org_id, c.id as contact_id, e.value, e.occurred_at
        from jsonb_to_recordset(p_events) as e (phone_number_id text, wa_id text, user_id text, category text, value text, occurred_at timestamptz)
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id and a.is_receiving
        join public.contacts c on c.org_id = a.org_id and c.erased_at is null
            and (c.wa_id = e.wa_id or c.bsuid = e.user_id or (c.wa_id is null and c.phone = '+' || e.wa_id))
        where e.category = 'marketing_messages' and e.value in ('stop', 'resume')
        order by c.id, e.occurred_at desc
    )
    select jsonb_agg(jsonb_build_object('org_id', l.org_id, 'contact_id', l.contact_id, 'value', l.value, 'kind', 'stopped_marketing',
        'code', 'user_preferences', 'occurred_at', coalesce(l.occurred_at, clock_timestamp()))) into v_events
    from last l;
    if v_events is null then
        return;
    end if;
    perform c.id from public.contacts c
    where c.id in (select e.contact_id from jsonb_to_recordset(v_events) as e (contact_id uuid)) order by c.id for no key update;
    -- What somebody has put on record since, this person's later word among it, holds.
    select jsonb_agg(e.value) into v_events from jsonb_array_elements(v_events) e
    where not exists (
        select from public.contact_consents x
        where x.org_id = (e.value ->> 'org_id')::uuid and x.contact_id = (e.value ->> 'contact_id')::uuid
            and x.decided_at > (e.value ->> 'occurred_at')::timestamptz);
    perform private.apply_contact_effects(jsonb_path_query_array(v_events, '$[*] ? (@.value == "stop")'));
    for v_org in
        select e.org_id, array_agg(e.contact_id) as ids from jsonb_to_recordset(v_events) as e (org_id uuid, contact_id uuid, value text)
        where e.value = 'resume' group by e.org_id
    loop
        perform private.resume_marketing(v_org.org_id, v_org.ids, v_events);
    end loop;
end
$$;
comment on function worker.apply_user_preferences(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_id, user_id, category, value stop|resume, occurred_at}]: who stopped our marketing inside WhatsApp opts out, who resumes it has the consent back that the stop took.';

-- The contacts are locked. A consent comes back only if the stop is what ended it.
create or replace function private.resume_marketing(p_org_id uuid, p_contact_ids uuid[], p_events jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_back jsonb;
begin
    select jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', 'opted_out', 'new', 'opted_in', 'source', 'whatsapp',
        'evidence', 'Resumed marketing in WhatsApp', 'decided_at', e.occurred_at))
    into v_back
    from public.contacts c
    join jsonb_to_recordset(p_events) as e (contact_id uuid, occurred_at timestamptz) on e.contact_id = c.id
    cross join lateral (
        select x.old_status, x.evidence from public.contact_consents x
        where x.org_id = p_org_id and x.contact_id = c.id order by x.created_at desc, x.id desc limit 1
    ) h
    where c.id = any (p_contact_ids) and c.opt_in_status = 'opted_out' and c.marketing_stopped_at is not null
        and h.old_status = 'opted_in' and h.evidence like 'Stopped marketing in WhatsApp%';
    if v_back is not null then
        perform private.record_consents(p_org_id, null, v_back);
    end if;
    update public.contacts c set
        marketing_stopped_at = null,
        opt_in_status = coalesce(b.new, c.opt_in_status), opt_in_source = coalesce(b.source, c.opt_in_source),
        opt_in_at = coalesce(b.decided_at, c.opt_in_at), updated_at = clock_timestamp()
    from public.contacts o
    left join jsonb_to_recordset(coalesce(v_back, '[]')) as b (contact_id uuid, new text, source text, decided_at timestamptz) on b.contact_id = o.id
    where o.id = c.id and c.id = any (p_contact_ids);
    perform private.broadcast_contacts(p_org_id, p_contact_ids);
end
$$;

-- The ledger of p_from becomes p_to's. Where both were recipients of a campaign the row that got further stays. Both contacts are locked, and
-- their messages have moved.
create or replace function private.move_recipients(p_from uuid, p_to uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_rank text[] := array['excluded', 'held_out', 'waiting', 'failed', 'queued', 'sent', 'delivered', 'read'];
    v_unsent uuid[];
begin
    perform r.contact_id from public.campaign_recipients r
    join public.contacts c on c.id = p_to and c.org_id = r.org_id
    where r.contact_id in (p_from, p_to) order by r.campaign_id, r.contact_id for no key update of r;
    with both_sides as (
        select r.campaign_id, (array_agg(r.contact_id order by array_position(v_rank, r.status), r.contact_id = p_to))[1] as lesser
        from public.campaign_recipients r join public.contacts c on c.id = p_to and c.org_id = r.org_id
        where r.contact_id in (p_from, p_to) group by r.campaign_id having count(*) = 2
    ), gone as (
        delete from public.campaign_recipients r using both_sides b where r.campaign_id = b.campaign_id and r.contact_id = b.lesser returning r.*
    ), answered as (
        -- Whoever of the two answered. Clicks and opportunities follow with their own rows (private.move_links).
        update public.campaign_recipients r set replied_at = least(r.replied_at, g.replied_at)
        from gone g
        where r.campaign_id = g.campaign_id and r.contact_id in (p_from, p_to) and r.contact_id <> g.contact_id
            and g.replied_at < coalesce(r.replied_at, 'infinity')
    )
    select array_agg(g.message_id) into v_unsent from gone g where g.status = 'queued';
    -- Two messages to one person: the one that has not left does not. The merge holds the messages.
    with taken as (
        delete from private.outbox o where o.message_id = any (v_unsent) and o.state = 'ready' returning o.message_id
    )
    update public.messages m set status = 'failed', failed_at = clock_timestamp(), error_code = 'CONTACT_010'
    from taken t where m.id = t.message_id;
    update public.campaign_recipients r set contact_id = p_to
    from public.contacts c where c.id = p_to and r.org_id = c.org_id and r.contact_id = p_from;
    update private.send_effects e set contact_id = p_to where e.contact_id = p_from;
end
$$;

-- The contact is locked, its messages are blanked, and those that had not left have failed. What had left stays counted.
create or replace function private.erase_recipients(p_org_id uuid, p_contact_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform r.contact_id from public.campaign_recipients r
    where r.org_id = p_org_id and r.contact_id = p_contact_id order by r.campaign_id for no key update;
    update public.campaign_recipients r set
        status = case r.status when 'waiting' then 'excluded' when 'queued' then 'failed' else r.status end,
        exclusion_reason = case r.status when 'waiting' then 'erased' else r.exclusion_reason end,
        error_code = case r.status when 'queued' then 'CONTACT_010' when 'waiting' then null else r.error_code end,
        failed_at = case r.status when 'queued' then private.clock() else r.failed_at end,
        ready_at = null, is_uncertain = false, error_message = null
    where r.org_id = p_org_id and r.contact_id = p_contact_id and (r.status in ('waiting', 'queued') or r.error_message is not null);
    delete from private.send_effects e where e.contact_id = p_contact_id;
end
$$;
