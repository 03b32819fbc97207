-- Erasing a person for good, at their request. Called by the contact's page; the raw webhooks follow in the background by the jobs worker.
-- Must stay true: afterwards no table tells who the person was or what was said; rows and counts stay; a new message from the same number
-- makes a new contact; what is left in the feed carries no personal data.

-- Feed and notification data without anything but ids, states and numbers.
create or replace function private.impersonal(p_data jsonb)
returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(d.key, d.value), '{}') from jsonb_each(p_data) d
    where d.key in ('old', 'new', 'source', 'fields', 'added', 'removed', 'messages', 'user_id', 'by', 'until', 'merged_id', 'contact_id',
        'conversation_id', 'window_expires_at', 'opportunity_id', 'campaign_id')
$$;

create or replace function public.erase_contact(p_id uuid, p_confirmation text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.trash');
    v_conversation_ids uuid[];
    v_needles text[];
    v_job public.jobs;
begin
    if p_confirmation is distinct from 'ERASE' then
        perform private.raise_error('CONTACT_011');
    end if;
    v_needles := array(select distinct n from unnest(array[ltrim(v_contact.phone, '+'), v_contact.wa_id, v_contact.bsuid]) n where n is not null);
    select coalesce(array_agg(x.id), '{}') into v_conversation_ids from (
        select c.id from public.conversations c where c.org_id = v_contact.org_id and c.contact_id = p_id order by c.id for no key update
    ) x;

    perform m.id from public.messages m where m.conversation_id = any (v_conversation_ids) order by m.id for no key update;
    delete from private.outbox o using public.messages m where m.conversation_id = any (v_conversation_ids) and o.message_id = m.id;
    update public.messages m set
        body = null, payload = null, reactions = '{}', error_message = null,
        -- Meta's ids are made from the number. A late report names an earlier try and brings none back.
        wa_message_id = null, reply_to_wa_message_id = null, send_try = m.send_try + 1, is_uncertain = false,
        status = case when m.status = 'pending' then 'failed' else m.status end,
        error_code = case when m.status = 'pending' then 'CONTACT_010' else m.error_code end,
        failed_at = case when m.status = 'pending' then clock_timestamp() else m.failed_at end
    where m.conversation_id = any (v_conversation_ids);
    update public.conversations c set
        last_message_preview = null, status = 'resolved', snoozed_until = null, window_expires_at = null,
        unread_count = 0, last_read_at = clock_timestamp(), updated_at = now()
    where c.id = any (v_conversation_ids);

    update public.activity_log l set data = private.impersonal(l.data)
    where l.org_id = v_contact.org_id and l.contact_id = p_id and l.data <> private.impersonal(l.data);
    update public.notifications n set data = private.impersonal(n.data)
    where n.org_id = v_contact.org_id and n.data ->> 'contact_id' = p_id::text and n.data <> private.impersonal(n.data);
    update public.whatsapp_events e set payload = jsonb_build_object('erased', e.id)
    where e.org_id = v_contact.org_id and exists (select from unnest(v_needles) n where position(n in e.payload::text) > 0);
    delete from private.parked_statuses s
    where s.phone_number_id in (select a.phone_number_id from public.whatsapp_accounts a
            where a.org_id = v_contact.org_id and a.connected_at is not null)
        and exists (select from unnest(v_needles) n where position(n in s.status::text) > 0);
    update public.contact_consents x set evidence = null where x.org_id = v_contact.org_id and x.contact_id = p_id and x.evidence is not null;
    perform private.erase_recipients(v_contact.org_id, p_id);
    perform private.erase_links(array[p_id]);
    delete from public.contact_tags ct where ct.org_id = v_contact.org_id and ct.contact_id = p_id;
    delete from public.segment_pins p where p.org_id = v_contact.org_id and p.contact_id = p_id;

    update public.contacts c set
        phone = null, wa_id = null, bsuid = null, username = null, full_name = null, email = null, avatar_url = null, company = null,
        job_title = null, address = null, notes = null, birthday = null, custom_fields = '{}', lifecycle_stage = 'lead',
        opt_in_status = 'pending', opt_in_at = null, opt_in_source = null, not_on_whatsapp_at = null, marketing_stopped_at = null,
        deleted_at = coalesce(c.deleted_at, now()), erased_at = now(), updated_at = clock_timestamp()
    where c.id = p_id;

    v_job := private.create_job(v_contact.org_id, 'erasure', jsonb_build_object('contact_id', p_id));
    insert into private.erasures (job_id, org_id, needles, done_id, last_id)
    select v_job.id, v_contact.org_id, v_needles || array(select lower(v_contact.email) where v_contact.email is not null),
        coalesce(min(e.id), 1) - 1, coalesce(max(e.id), 0)
    from private.webhook_events e;
    perform private.record_activity(v_contact.org_id, 'contact.erased', (select auth.uid()), p_id);
    perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    if cardinality(v_conversation_ids) > 0 then
        perform private.broadcast_conversations(v_contact.org_id, v_conversation_ids);
        perform private.broadcast('conversation:' || x, 'messages', '{"all": true}') from unnest(v_conversation_ids) x;
    end if;
end
$$;
comment on function public.erase_contact(uuid, text) is
    'Removes everything personal for good; p_confirmation is the word ERASE. Raw webhooks follow within minutes (a job of kind erasure). Errors: AUTH_003, CONTACT_001, CONTACT_010, CONTACT_011.';

-- Looks through the next p_limit raw webhooks. true: done, and the job is finished; null: there is no such job to do. A webhook that names
-- the person and a number or account of this organisation (others know the person themselves, and nobody but they erases their webhooks) is
-- blanked whole once it has been applied: its messages are rows. What is not applied yet has still to be.
create or replace function worker.blank_webhooks(p_job_id uuid, p_limit integer)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_erasure private.erasures;
    v_own text[];
    v_upto bigint;
    v_blanked integer;
begin
    select e.* into v_erasure from private.erasures e where e.job_id = p_job_id for update;
    if not found then
        return null;
    end if;
    select coalesce(max(x.id), v_erasure.last_id) into v_upto from (
        select e.id from private.webhook_events e where e.id > v_erasure.done_id and e.id <= v_erasure.last_id order by e.id limit p_limit
    ) x;
    v_own := array(
        select n from public.whatsapp_accounts a, unnest(array[a.phone_number_id, a.waba_id]) n
        -- One that was never proven says nothing about whose it is.
        where a.org_id = v_erasure.org_id and a.connected_at is not null);
    update private.webhook_events e set body = ''
    where e.id > v_erasure.done_id and e.id <= v_upto and e.state = 'applied'
        and exists (select from unnest(v_own) n where position(convert_to('"' || n || '"', 'UTF8') in e.body) > 0)
        and exists (select from unnest(v_erasure.needles) n where position(convert_to(n, 'UTF8') in e.body) > 0);
    get diagnostics v_blanked = row_count;
    if v_upto < v_erasure.last_id then
        update private.erasures e set done_id = v_upto, blanked = e.blanked + v_blanked where e.job_id = p_job_id;
        return false;
    end if;
    -- Lines of imports that were refused are kept as they stood in the file.
    update private.import_rows r set cells = '{}'
    from public.jobs j
    where j.id = r.job_id and j.org_id = v_erasure.org_id
        and exists (
            select from unnest(v_erasure.needles) n
            where position(n in lower(r.cells::text)) > 0 or position(n in regexp_replace(r.cells::text, '[ ()+-]', '', 'g')) > 0);
    delete from private.erasures e where e.job_id = p_job_id;
    perform private.finish_job(p_job_id, 'done', jsonb_build_object('webhooks', v_erasure.blanked + v_blanked));
    return true;
end
$$;
comment on function worker.blank_webhooks(uuid, integer) is 'A slice of the background part of an erasure. true: done; false: call again; null: nothing to do.';
