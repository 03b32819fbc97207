-- STOP and START: a message that is nothing but one of the organisation's words withdraws or gives consent, and is confirmed once. Called by
-- worker.apply_messages inside its transaction, and by the settings.
-- Must stay true: a redelivered message changes nothing; of two decisions the one that was written later holds, whatever arrived first; who is
-- already in the state gets no confirmation; the message itself stays an ordinary message of the conversation.

create or replace function private.add_default_keywords()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into public.consent_keywords (org_id, kind, word, bare)
    select o.id, k.kind, k.word, k.word from new_organizations o cross join private.default_keywords() k;
    return null;
end
$$;

create or replace function private.default_keywords()
returns table (kind text, word text, language text)
language sql immutable parallel safe
set search_path = ''
as $$
    values ('stop', 'STOP', 'en'), ('stop', 'UNSUBSCRIBE', 'en'), ('stop', 'BERHENTI', 'ms'), ('stop', 'HENTI', 'ms'), ('stop', 'BATAL', 'ms'),
        ('start', 'START', 'en'), ('start', 'SUBSCRIBE', 'en'), ('start', 'MULA', 'ms'), ('start', 'LANGGAN', 'ms')
$$;

create or replace trigger organizations__default_keywords after insert on public.organizations
    referencing new table as new_organizations for each statement execute function private.add_default_keywords();

-- Organisations older than the trigger. One that was given words of its own always has a stop word.
insert into public.consent_keywords (org_id, kind, word, bare)
select o.id, k.kind, k.word, k.word from public.organizations o cross join private.default_keywords() k
where not exists (select from public.consent_keywords x where x.org_id = o.id);

-- What is compared: capitals, without punctuation and blanks, typographic and Chinese ones included.
create or replace function private.bare_word(p_text text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select upper(regexp_replace(p_text, '[[:punct:][:space:]“”‘’«»…–—·!?。，、！？　]', '', 'g')) $$;

create or replace function public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[])
returns setof public.consent_keywords
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_kind text;
    v_words text[];
    v_all text[] := array[]::text[];
    v_stop_words integer;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform from public.organizations o where o.id = p_org_id for no key update;
    foreach v_kind in array array['stop', 'start'] loop
        v_words := array(
            select distinct upper(regexp_replace(btrim(w), '\s+', ' ', 'g'))
            from unnest(case v_kind when 'stop' then p_stop else p_start end) w);
        -- There must be a way out.
        if (v_kind = 'stop' and cardinality(v_words) = 0) or cardinality(v_words) > 20
            or exists (select from unnest(v_words) w where w is null or length(w) > 40 or private.bare_word(w) = '')
            or (select count(distinct private.bare_word(w)) from unnest(v_all || v_words) w) <> cardinality(v_all || v_words) then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_kind));
        end if;
        v_all := v_all || v_words;
        v_stop_words := coalesce(v_stop_words, cardinality(v_words));
    end loop;
    delete from public.consent_keywords k where k.org_id = p_org_id;
    insert into public.consent_keywords (org_id, kind, word, bare)
    select p_org_id, case when x.position <= v_stop_words then 'stop' else 'start' end, x.word, private.bare_word(x.word)
    from unnest(v_all) with ordinality x (word, position);
    return query select k.* from public.consent_keywords k where k.org_id = p_org_id order by k.kind, k.word;
end
$$;
comment on function public.set_consent_keywords(uuid, text[], text[]) is
    'At most 20 words each, at least one to stop, no word twice. Errors: AUTH_003, ORG_001, CONTACT_007 (details.field stop | start).';

-- The confirmation, in the language of the word; in both for a word of the organisation's own.
create or replace function private.consent_reply(p_org_id uuid, p_kind text, p_word text)
returns text
language sql stable
set search_path = ''
as $$
    select string_agg(
        case d.language || p_kind
            when 'enstop' then format('You will get no more promotional messages from %s.', o.name)
            when 'enstart' then format('You will get promotional messages from %s.', o.name)
            when 'msstop' then format('Anda tidak akan menerima mesej promosi daripada %s lagi.', o.name)
            when 'msstart' then format('Anda akan menerima mesej promosi daripada %s.', o.name) end
        || coalesce(case d.language || p_kind
            when 'enstop' then format(' To get them again, reply %s.', d.back)
            when 'enstart' then format(' To stop them, reply %s.', d.back)
            when 'msstop' then format(' Untuk menerimanya semula, balas %s.', d.back)
            when 'msstart' then format(' Untuk berhenti, balas %s.', d.back) end, ''),
        E'\n\n' order by d.language)
    from public.organizations o
    cross join lateral (
        select l.language, (
            select k.word from public.consent_keywords k
            left join private.default_keywords() with ordinality b (kind, word, language, place) on b.word = k.word
            where k.org_id = p_org_id and k.kind <> p_kind order by (b.language = l.language) desc nulls last, b.place, k.word limit 1) as back
        from unnest(array['en', 'ms']) l (language)
        where l.language = coalesce((select b.language from private.default_keywords() b where b.word = p_word), l.language)
    ) d
    where o.id = p_org_id
$$;

-- p_inserted: what worker.apply_messages wrote; contacts and conversations are locked.
create or replace function private.apply_consent_keywords(p_inserted jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_decision record;
    v_status text;
    v_old text;
    v_message public.messages;
    -- These are taken in their order.
    v_batch uuid[] := array(select i.id from jsonb_to_recordset(p_inserted) as i (id uuid));
begin
    for v_decision in
        select i.id, i.org_id, i.conversation_id, i.contact_id, i.occurred_at, k.kind, k.word
        from jsonb_to_recordset(p_inserted) as i (
            id uuid, org_id uuid, conversation_id uuid, contact_id uuid, type text, body text, occurred_at timestamptz, is_new boolean)
        join public.consent_keywords k on k.org_id = i.org_id and k.bare = private.bare_word(i.body)
        -- A button of ours is a word, too.
        where i.is_new and i.type in ('text', 'button', 'interactive') and length(i.body) <= 80
        order by i.occurred_at, i.id
    loop
        v_status := case v_decision.kind when 'stop' then 'opted_out' else 'opted_in' end;
        select c.opt_in_status into v_old from public.contacts c where c.id = v_decision.contact_id;
        continue when v_old = v_status or exists (
            select from public.contact_consents x
            where x.org_id = v_decision.org_id and x.contact_id = v_decision.contact_id
                and case when x.source = 'whatsapp' and x.actor_id is null then x.decided_at > v_decision.occurred_at
                    -- Nor does a word that was held up undo what somebody put on record since. Meta's times are whole seconds.
                    else v_decision.kind = 'start' and x.new_status = 'opted_out' and x.decided_at >= v_decision.occurred_at + interval '1 second' end
        ) or exists (
            -- A later word that changed nothing when it came is on no record.
            select from public.conversations v
            join public.messages m on m.conversation_id = v.id and m.direction = 'inbound' and m.occurred_at > v_decision.occurred_at
            join public.consent_keywords k on k.org_id = v.org_id and k.kind <> v_decision.kind and k.bare = private.bare_word(m.body)
            where v.org_id = v_decision.org_id and v.contact_id = v_decision.contact_id
                and m.type in ('text', 'button', 'interactive') and length(m.body) <= 80 and m.id <> all (v_batch));
        update public.contacts c set opt_in_status = v_status, opt_in_source = 'whatsapp', updated_at = clock_timestamp(),
            opt_in_at = case when v_status = 'opted_in' then v_decision.occurred_at else c.opt_in_at end
        where c.id = v_decision.contact_id;
        perform private.record_consents(v_decision.org_id, null, jsonb_build_array(jsonb_build_object('contact_id', v_decision.contact_id,
            'old', v_old, 'new', v_status, 'source', 'whatsapp', 'evidence', v_decision.word || ', message ' || v_decision.id,
            'decided_at', v_decision.occurred_at)));
        perform private.broadcast_contacts(v_decision.org_id, array[v_decision.contact_id]);

        -- A number that cannot send just now, or a message that took a day to arrive: the decision holds without an answer.
        continue when private.may_send(v_decision.conversation_id, 'text') is not null;
        insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key)
        select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'text',
            private.consent_reply(v_decision.org_id, v_decision.kind, v_decision.word), 'pending', 'consent-' || v_decision.id
        from public.conversations v where v.id = v_decision.conversation_id
        on conflict (org_id, client_key) where client_key is not null do nothing
        returning * into v_message;
        if found then
            perform private.touch_conversation(v_decision.conversation_id, v_message);
            perform private.queue_message(v_message.id, 0);
            perform private.broadcast_messages(v_decision.conversation_id, array[v_message.id]);
        end if;
    end loop;
end
$$;
