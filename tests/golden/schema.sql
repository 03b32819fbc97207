
CREATE SCHEMA private;

COMMENT ON SCHEMA private IS 'Helpers of row-level security, queues, leases and raw webhooks. Not reachable through the API.';

CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA worker;

COMMENT ON SCHEMA worker IS 'The verbs of the workers: security definer functions, executable by octopush_worker only.';

CREATE TYPE private.contact_filter AS (
	source text,
	condition text,
	rule_values text[],
	patterns text[]
);

CREATE TYPE private.import_line AS (
	line bigint,
	cells text[],
	problem text,
	phone text,
	full_name text,
	email text,
	company text,
	job_title text,
	notes text,
	birthday date,
	lifecycle_stage text,
	address jsonb,
	custom_fields jsonb,
	tags text[],
	also jsonb
);

CREATE TYPE private.opportunity_fields AS (
	problem text,
	amount numeric,
	currency text,
	external_id text,
	note text,
	campaign_id uuid,
	occurred_at timestamp with time zone
);

CREATE FUNCTION private.add_default_keywords() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into public.consent_keywords (org_id, kind, word, bare)
    select o.id, k.kind, k.word, k.word from new_organizations o cross join private.default_keywords() k;
    return null;
end
$$;

CREATE TABLE public.conversations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    is_quiet boolean DEFAULT false NOT NULL,
    folder text GENERATED ALWAYS AS (
CASE
    WHEN (status = 'resolved'::text) THEN 'resolved'::text
    WHEN is_quiet THEN 'quiet'::text
    ELSE 'active'::text
END) STORED NOT NULL,
    assigned_to uuid,
    window_expires_at timestamp with time zone,
    window_warned_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    unread_count integer DEFAULT 0 NOT NULL,
    last_read_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    last_inbound_at timestamp with time zone,
    last_message_id uuid,
    last_message_at timestamp with time zone DEFAULT now() NOT NULL,
    last_message_preview text,
    last_message_type text,
    last_message_direction text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT conversations_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'resolved'::text, 'expired'::text]))),
    CONSTRAINT conversations_unread_count_check CHECK ((unread_count >= 0))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.conversations IS 'The thread of a contact with one of our numbers. Read it through the view conversation_list.';

COMMENT ON COLUMN public.conversations.folder IS 'active | resolved | quiet: the list a conversation is shown in; leads every list index.';

COMMENT ON COLUMN public.conversations.window_expires_at IS 'Free-form messages may be sent until then: Meta''s time of the contact''s last message + 24 h.';

CREATE FUNCTION private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_id uuid;
begin
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, payload, status, sent_by)
    values (p_conversation.org_id, p_conversation.id, p_conversation.whatsapp_account_id, p_conversation.contact_id, 'internal', 'system',
        jsonb_build_object('event', p_event) || p_payload, 'received', (select auth.uid()))
    returning id into v_id;
    perform private.broadcast_messages(p_conversation.id, array[v_id]);
end
$$;

CREATE TABLE public.templates (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    waba_id text NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    category text NOT NULL,
    parameter_format text DEFAULT 'positional'::text NOT NULL,
    components jsonb DEFAULT '[]'::jsonb NOT NULL,
    links jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    meta_status text,
    meta_status_at timestamp with time zone,
    status_reason text,
    rejected_reason text,
    quality text DEFAULT 'UNKNOWN'::text NOT NULL,
    wa_template_id text,
    previous_category text,
    correct_category text,
    category_changes_at timestamp with time zone,
    problem text,
    has_changes boolean DEFAULT false NOT NULL,
    created_by uuid,
    submitted_at timestamp with time zone,
    reviewed_at timestamp with time zone,
    synced_at timestamp with time zone,
    sent_count bigint DEFAULT 0 NOT NULL,
    delivered_count bigint DEFAULT 0 NOT NULL,
    read_count bigint DEFAULT 0 NOT NULL,
    last_used_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT templates_category_check CHECK ((category = ANY (ARRAY['marketing'::text, 'utility'::text, 'authentication'::text]))),
    CONSTRAINT templates_components_check CHECK ((jsonb_typeof(components) = 'array'::text)),
    CONSTRAINT templates_language_check CHECK ((language ~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$'::text)),
    CONSTRAINT templates_links_check CHECK ((jsonb_typeof(links) = 'object'::text)),
    CONSTRAINT templates_name_check CHECK (((name ~ '^[a-z0-9_]+$'::text) AND (length(name) <= 512))),
    CONSTRAINT templates_parameter_format_check CHECK ((parameter_format = ANY (ARRAY['positional'::text, 'named'::text]))),
    CONSTRAINT templates_quality_check CHECK ((quality = ANY (ARRAY['GREEN'::text, 'YELLOW'::text, 'RED'::text, 'UNKNOWN'::text]))),
    CONSTRAINT templates_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'pending'::text, 'approved'::text, 'rejected'::text, 'disabled'::text]))),
    CONSTRAINT templates_waba_id_check CHECK ((waba_id ~ '^[0-9]{1,32}$'::text))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE public.templates IS 'Message templates as Meta knows them, and drafts Meta has not seen. Only status approved may be sent.';

COMMENT ON COLUMN public.templates.components IS 'As Meta takes and returns them; "media" beside a header is our own file in the bucket templates.';

COMMENT ON COLUMN public.templates.links IS 'Tracked buttons: {"<button index>": "https://destination"}. At Meta such a button leads to our own /t/{{1}}.';

COMMENT ON COLUMN public.templates.meta_status IS 'Meta''s own word, kept as it came; status is what we make of it.';

COMMENT ON COLUMN public.templates.meta_status_at IS 'Meta''s time of that word: an older one that comes late changes nothing.';

COMMENT ON COLUMN public.templates.rejected_reason IS 'Meta''s word for why, with its explanation in status_reason.';

COMMENT ON COLUMN public.templates.correct_category IS 'What Meta will make or would make of the category; category itself is what holds now.';

COMMENT ON COLUMN public.templates.problem IS 'Why what was asked of Meta last did not happen: a code of the error catalogue or Meta''s words.';

COMMENT ON COLUMN public.templates.has_changes IS 'Reworked here after a rejection and not submitted yet: Meta''s list does not overwrite it.';

COMMENT ON COLUMN public.templates.sent_count IS 'Messages Meta has taken; private.template_deltas holds what is not added yet.';

CREATE FUNCTION private.add_template_work(p_template public.templates, p_action text, p_before jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into private.template_work (template_id, org_id, action, before, run_after)
    values (p_template.id, p_template.org_id, p_action, p_before, private.clock());
    perform private.wake_template_workers();
end
$$;

CREATE FUNCTION private.add_to_search() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_search (org_id, contact_id, created_at, search_text)
    select c.org_id, c.id, c.created_at, private.contact_search_text(c.search_text, c.wa_id) from new_contacts c where c.deleted_at is null;
    return null;
end
$$;

CREATE FUNCTION private.advance_segment_clock(p_org_id uuid, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_clock private.segment_clocks;
    v_today date;
begin
    select k.* into v_clock from private.segment_clocks k where k.org_id = p_org_id;
    if v_clock.library is distinct from octopush.version() then
        perform private.compile_programs(p_org_id, p_now);
    end if;
    -- Another day also by another time zone: it is the present zone's midnight that must not be missed.
    v_today := (select (p_now at time zone o.time_zone)::date from public.organizations o where o.id = p_org_id);
    if not v_clock.has_horizons
        or v_today = v_clock.local_date and p_now >= v_clock.judged_at and p_now < v_clock.evaluated_until + interval '1 second'
    then
        return;
    end if;
    -- Backwards: whoever has a boundary in the time that is yet to come again.
    perform private.queue_time_boundaries(p_org_id, least(v_clock.evaluated_until, p_now), greatest(v_clock.evaluated_until, v_clock.judged_at, p_now));
    if v_today <> v_clock.local_date then
        perform private.request_rebuilds(p_org_id,
            array(select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.is_calendar), 'time');
    end if;
    update private.segment_clocks k set evaluated_until = p_now, judged_at = p_now, local_date = v_today where k.org_id = p_org_id;
end
$$;

CREATE TABLE public.campaigns (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    status text DEFAULT 'draft'::text NOT NULL,
    status_reason text,
    waiting_for text,
    resumes_at timestamp with time zone,
    whatsapp_account_id uuid,
    audience jsonb,
    scheduled_at timestamp with time zone,
    time_zone text,
    quiet_hours jsonb,
    uncertain_policy text DEFAULT 'miss'::text NOT NULL,
    uncertain_hours integer DEFAULT 24 NOT NULL,
    holdout_percent integer DEFAULT 0 NOT NULL,
    test jsonb,
    winner integer,
    attribution_days integer DEFAULT 7 NOT NULL,
    planned_cost jsonb,
    is_marketing boolean DEFAULT false NOT NULL,
    tested_at timestamp with time zone,
    launched_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT campaigns_attribution_days_check CHECK (((attribution_days >= 1) AND (attribution_days <= 90))),
    CONSTRAINT campaigns_audience_check CHECK ((jsonb_typeof(audience) = 'object'::text)),
    CONSTRAINT campaigns_description_check CHECK ((length(description) <= 1000)),
    CONSTRAINT campaigns_holdout_percent_check CHECK (((holdout_percent >= 0) AND (holdout_percent <= 50))),
    CONSTRAINT campaigns_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 100)) AND (name = btrim(name)))),
    CONSTRAINT campaigns_quiet_hours_check CHECK ((jsonb_typeof(quiet_hours) = 'object'::text)),
    CONSTRAINT campaigns_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'scheduled'::text, 'sending'::text, 'paused'::text, 'completed'::text, 'cancelled'::text, 'failed'::text]))),
    CONSTRAINT campaigns_status_reason_check CHECK ((length(status_reason) <= 500)),
    CONSTRAINT campaigns_test_check CHECK ((jsonb_typeof(test) = 'object'::text)),
    CONSTRAINT campaigns_uncertain_hours_check CHECK (((uncertain_hours >= 1) AND (uncertain_hours <= 168))),
    CONSTRAINT campaigns_uncertain_policy_check CHECK ((uncertain_policy = ANY (ARRAY['miss'::text, 'repeat'::text]))),
    CONSTRAINT campaigns_waiting_for_check CHECK ((waiting_for = ANY (ARRAY['tier'::text, 'quiet_hours'::text, 'quality'::text, 'account'::text, 'test'::text]))),
    CONSTRAINT campaigns_winner_check CHECK (((winner >= 1) AND (winner <= 3)))
);

COMMENT ON TABLE public.campaigns IS 'One message, or two or three variants of it, to many people at once. docs/state-machines.md has its life cycle.';

COMMENT ON COLUMN public.campaigns.status_reason IS 'Why it failed or was paused by itself: a code of the error catalogue or Meta''s.';

COMMENT ON COLUMN public.campaigns.waiting_for IS 'Why a campaign that is sending hands nothing over at the moment; resumes_at says until when, if that is known.';

COMMENT ON COLUMN public.campaigns.audience IS '{"segment_id"}, or a selection of contacts as in docs/contacts-and-segments.md.';

COMMENT ON COLUMN public.campaigns.uncertain_policy IS 'What becomes of a message of which nobody knows whether it was sent: miss = rather none, repeat = rather two.';

CREATE FUNCTION private.advance_test(p_campaign public.campaigns, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_comparison jsonb;
    v_hours integer := (p_campaign.test ->> 'hours')::integer;
begin
    if p_campaign.tested_at is null then
        -- People whom Meta lets wait for a day do not hold the test up.
        if not exists (
                select from public.campaign_recipients r
                where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now)
            and (select s.queued = s.uncertain and s.waiting > 0 from private.campaign_stats s where s.campaign_id = p_campaign.id)
        then
            update public.campaigns c set tested_at = p_now, waiting_for = 'test', resumes_at = p_now + make_interval(hours => v_hours)
            where c.id = p_campaign.id;
            perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
        end if;
        return false;
    end if;
    -- What holds it up is told; the test speaks afterwards.
    if private.is_held(p_campaign) then
        return false;
    end if;
    if p_now < p_campaign.tested_at + make_interval(hours => v_hours) then
        perform private.hold_campaign(p_campaign, 'test', p_campaign.tested_at + make_interval(hours => v_hours));
        return false;
    end if;
    if p_campaign.test ->> 'choose' = 'manual' then
        if p_campaign.waiting_for is null or p_campaign.resumes_at is not null then
            perform private.hold_campaign(p_campaign, 'test', null);
            perform private.notify_of_campaign(p_campaign, 'campaign.test_ended', 'high');
        end if;
        return false;
    end if;
    v_comparison := private.test_comparison(p_campaign);
    perform private.set_winner(p_campaign, coalesce((v_comparison ->> 'winner')::integer, (
        -- The test could not tell: then the better of those that may be equal, and the first of those that are.
        select (r.value ->> 'variant')::integer from jsonb_array_elements(v_comparison -> 'rates') r
        order by (r.value ->> 'rate')::numeric desc nulls last, (r.value ->> 'variant')::integer limit 1)));
    return true;
end
$$;

CREATE FUNCTION private.all_components(p_components jsonb) RETURNS TABLE(path text, component jsonb)
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    with own as (
        select '/components/' || (c.position - 1) as path, c.value as component
        from jsonb_array_elements(case when jsonb_typeof(p_components) = 'array' then p_components else '[]' end) with ordinality c (value, position)
        where jsonb_typeof(c.value) = 'object'
    )
    select o.path, o.component from own o
    union all
    select o.path || '/cards/' || (k.position - 1) || '/components/' || (c.position - 1), c.value
    from own o
    cross join jsonb_array_elements(case when jsonb_typeof(o.component -> 'cards') = 'array' then o.component -> 'cards' else '[]' end)
        with ordinality k (value, position)
    cross join jsonb_array_elements(case when jsonb_typeof(k.value -> 'components') = 'array' then k.value -> 'components' else '[]' end)
        with ordinality c (value, position)
    where jsonb_typeof(c.value) = 'object'
$$;

CREATE FUNCTION private.analyze_ledger(p_rows bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if p_rows >= 1000 and (select k.reltuples < 10 * p_rows from pg_catalog.pg_class k where k.oid = 'public.campaign_recipients'::regclass) then
        analyze public.campaign_recipients;
    end if;
end
$$;

CREATE FUNCTION private.apply_consent_keywords(p_inserted jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.apply_contact_change(p_org_id uuid, p_contact_ids uuid[], p_change jsonb, p_actor uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_action text := p_change ->> 'action';
    v_ids uuid[];
    v_changed uuid[];
    v_tag_ids uuid[];
    v_consents jsonb;
    v_kind text := case v_action when 'delete' then 'contact.deleted' when 'restore' then 'contact.restored' when 'set_lifecycle_stage' then 'contact.updated' end;
begin
    select coalesce(array_agg(x.id), '{}') into v_ids from (
        select c.id from public.contacts c
        where c.org_id = p_org_id and c.id = any (p_contact_ids) and c.erased_at is null and (c.deleted_at is not null) = (v_action = 'restore')
        order by c.id for no key update
    ) x;
    if v_action in ('add_tags', 'remove_tags') then
        -- A tag may have been deleted since a job was queued: the others are still meant.
        v_tag_ids := array(
            select t.id from public.tags t
            where t.org_id = p_org_id and t.id in (select x.value::uuid from jsonb_array_elements_text(p_change -> 'tag_ids') x)
            order by t.id for key share);
    end if;

    case v_action
    when 'add_tags' then
        with made as (
            insert into public.contact_tags (org_id, contact_id, tag_id)
            select p_org_id, c, t from unnest(v_ids) c cross join unnest(v_tag_ids) t
            on conflict do nothing returning contact_id, tag_id
        ), told as (
            insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
            select p_org_id, 'contact.tags_changed', p_actor, m.contact_id,
                jsonb_build_object('added', jsonb_agg(m.tag_id), 'removed', '[]'::jsonb)
            from made m group by m.contact_id returning contact_id
        )
        select array_agg(t.contact_id) into v_changed from told t;
    when 'remove_tags' then
        with gone as (
            delete from public.contact_tags ct
            where ct.org_id = p_org_id and ct.contact_id = any (v_ids) and ct.tag_id = any (v_tag_ids)
            returning ct.contact_id, ct.tag_id
        ), told as (
            insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
            select p_org_id, 'contact.tags_changed', p_actor, g.contact_id,
                jsonb_build_object('added', '[]'::jsonb, 'removed', jsonb_agg(g.tag_id))
            from gone g group by g.contact_id returning contact_id
        )
        select array_agg(t.contact_id) into v_changed from told t;
    when 'set_consent' then
        with changed as (
            update public.contacts c set
                opt_in_status = p_change ->> 'status', opt_in_source = coalesce(p_change ->> 'source', 'manual'), updated_at = clock_timestamp(),
                opt_in_at = case when p_change ->> 'status' = 'opted_in' then now() else c.opt_in_at end
            from (select o.id, o.opt_in_status from public.contacts o where o.id = any (v_ids)) o
            where c.id = o.id and o.opt_in_status <> p_change ->> 'status'
            returning c.id, o.opt_in_status as old
        )
        select array_agg(c.id), jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.old, 'new', p_change ->> 'status',
            'source', coalesce(p_change ->> 'source', 'manual'), 'evidence', nullif(btrim(p_change ->> 'evidence'), '')))
        into v_changed, v_consents from changed c;
        if v_consents is not null then
            perform private.record_consents(p_org_id, p_actor, v_consents);
        end if;
    when 'set_lifecycle_stage' then
        with changed as (
            update public.contacts c set lifecycle_stage = p_change ->> 'stage', updated_at = clock_timestamp()
            where c.id = any (v_ids) and c.lifecycle_stage <> p_change ->> 'stage' returning c.id
        )
        select array_agg(c.id) into v_changed from changed c;
    else
        with changed as (
            update public.contacts c set deleted_at = case when v_action = 'delete' then now() end, updated_at = clock_timestamp()
            where c.id = any (v_ids) returning c.id
        )
        select array_agg(c.id) into v_changed from changed c;
    end case;

    if v_changed is null then
        return 0;
    end if;
    if v_kind is not null then
        insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
        select p_org_id, v_kind, p_actor, x,
            case when v_action = 'set_lifecycle_stage' then '{"fields": ["lifecycle_stage"]}'::jsonb else '{}'::jsonb end
        from unnest(v_changed) x;
    end if;
    perform private.broadcast('org:' || p_org_id, 'activity', '{}');
    perform private.broadcast_contacts(p_org_id, v_changed);
    return cardinality(v_changed);
end
$$;

CREATE FUNCTION private.apply_contact_effects(p_effects jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_org record;
begin
    perform c.id from public.contacts c
    where c.id in (select e.contact_id from jsonb_to_recordset(p_effects) as e (contact_id uuid))
    order by c.id for no key update;
    for v_org in
        select c.org_id, array_agg(c.id) as ids, jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', 'opted_out',
            'source', 'whatsapp', 'evidence', 'Stopped marketing in WhatsApp (' || e.code || ')', 'decided_at', e.occurred_at))
                filter (where e.kind = 'stopped_marketing' and c.opt_in_status <> 'opted_out') as consents
        from (
            select distinct on (x.contact_id, x.kind) x.* from jsonb_to_recordset(p_effects) as x (
                org_id uuid, contact_id uuid, kind text, code text, occurred_at timestamptz)
            order by x.contact_id, x.kind, x.occurred_at
        ) e
        join public.contacts c on c.id = e.contact_id and c.erased_at is null
        group by c.org_id
    loop
        if v_org.consents is not null then
            perform private.record_consents(v_org.org_id, null, v_org.consents);
        end if;
        update public.contacts c set
            opt_in_status = case when e.stopped_at is not null then 'opted_out' else c.opt_in_status end,
            opt_in_source = case when e.stopped_at is not null and c.opt_in_status <> 'opted_out' then 'whatsapp' else c.opt_in_source end,
            marketing_stopped_at = coalesce(c.marketing_stopped_at, e.stopped_at),
            -- One that wrote since is on WhatsApp.
            not_on_whatsapp_at = case when e.missing_at > coalesce(c.last_inbound_at, '-infinity') then e.missing_at else c.not_on_whatsapp_at end,
            updated_at = clock_timestamp()
        from (
            select x.contact_id, max(x.occurred_at) filter (where x.kind = 'stopped_marketing') as stopped_at,
                max(x.occurred_at) filter (where x.kind = 'not_on_whatsapp') as missing_at
            from jsonb_to_recordset(p_effects) as x (contact_id uuid, kind text, occurred_at timestamptz) group by x.contact_id
        ) e
        where c.id = e.contact_id and c.id = any (v_org.ids);
        perform private.broadcast_contacts(v_org.org_id, v_org.ids);
    end loop;
end
$$;

CREATE FUNCTION private.apply_reactions(p_reactions jsonb) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_conversation_ids uuid[];
begin
    perform m.id from public.messages m
    where (m.whatsapp_account_id, m.wa_message_id) in (
        select r.whatsapp_account_id, r.target from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text))
    order by m.id for no key update;

    with newest as (
        select distinct on (r.whatsapp_account_id, r.target) r.*
        from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text, emoji text, occurred_at timestamptz)
        order by r.whatsapp_account_id, r.target, r.occurred_at desc
    ), changed as (
        update public.messages m
        set reactions = m.reactions || jsonb_build_object('contact', jsonb_build_object('emoji', n.emoji, 'at', n.occurred_at))
        from newest n
        where m.whatsapp_account_id = n.whatsapp_account_id and m.wa_message_id = n.target
            -- Meta's times have seconds: within one the later arrival wins.
            and coalesce((m.reactions #>> '{contact,at}')::timestamptz <= n.occurred_at, true)
        returning m.id, m.conversation_id
    ), told as (
        select private.broadcast_messages(c.conversation_id, array_agg(c.id)) from changed c group by c.conversation_id
    )
    select array_agg(distinct c.conversation_id) into v_conversation_ids from changed c, (select count(*) from told) t;
    return v_conversation_ids;
end
$$;

CREATE FUNCTION private.apply_replies(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_replies jsonb;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind = 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_replies from taken t;
    if v_replies is null then
        return 0;
    end if;
    with wrote as materialized (
        select w.* from jsonb_to_recordset(v_replies) as w (
            org_id uuid, contact_id uuid, campaign_id uuid, whatsapp_account_id uuid, occurred_at timestamptz)
    ), answered as materialized (
        select distinct on (w.contact_id, w.campaign_id, w.whatsapp_account_id) r.campaign_id, r.contact_id, w.occurred_at as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id
        join public.campaigns c on c.id = r.campaign_id and c.whatsapp_account_id = w.whatsapp_account_id
        where r.status in ('queued', 'sent', 'delivered', 'read')
            and (r.campaign_id = w.campaign_id
                -- Meta's times have whole seconds.
                or (w.campaign_id is null
                    and w.occurred_at between date_trunc('second', r.queued_at) and r.queued_at + make_interval(days => c.attribution_days)))
        order by w.contact_id, w.campaign_id, w.whatsapp_account_id, r.queued_at desc, r.message_id desc, w.occurred_at
    ), held_out as materialized (
        select r.campaign_id, r.contact_id, min(w.occurred_at) as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id and r.status = 'held_out'
        join public.campaigns c on c.id = r.campaign_id
            and w.occurred_at between date_trunc('second', c.launched_at) and c.launched_at + make_interval(days => c.attribution_days)
        group by r.campaign_id, r.contact_id
    ), wanted as materialized (
        select y.campaign_id, y.contact_id, min(y.at) as at
        from (select a.* from answered a union all select h.* from held_out h) y group by y.campaign_id, y.contact_id
    ), held as materialized (
        select r.campaign_id, r.contact_id, w.at from public.campaign_recipients r
        join wanted w on w.campaign_id = r.campaign_id and w.contact_id = r.contact_id
        -- Whoever settles messages takes their rows in several goes: to wait for one while holding others could be for ever.
        order by r.campaign_id, r.contact_id for no key update of r skip locked
    ), marked as (
        update public.campaign_recipients r set replied_at = h.at
        from held h
        where r.campaign_id = h.campaign_id and r.contact_id = h.contact_id and (r.replied_at is null or r.replied_at > h.at)
    )
    -- The others a second later.
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select c.org_id, 'replied', w.contact_id, w.campaign_id, c.whatsapp_account_id, w.at
    from wanted w join public.campaigns c on c.id = w.campaign_id
    where not exists (select from held h where h.campaign_id = w.campaign_id and h.contact_id = w.contact_id)
        -- Merged meanwhile: the row is gone for good.
        and exists (select from public.campaign_recipients r where r.campaign_id = w.campaign_id and r.contact_id = w.contact_id);
    return jsonb_array_length(v_replies);
end
$$;

CREATE TABLE public.segments (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL,
    rules jsonb,
    member_count integer DEFAULT 0 NOT NULL,
    evaluated_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT segments__kind_rules__check CHECK (((kind = 'dynamic'::text) = (rules IS NOT NULL))),
    CONSTRAINT segments_description_check CHECK ((length(description) <= 1000)),
    CONSTRAINT segments_kind_check CHECK ((kind = ANY (ARRAY['dynamic'::text, 'static'::text]))),
    CONSTRAINT segments_member_count_check CHECK ((member_count >= 0)),
    CONSTRAINT segments_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 100)) AND (name = btrim(name)))),
    CONSTRAINT segments_rules_check CHECK ((jsonb_typeof(rules) = 'object'::text))
)
WITH (fillfactor='60');

COMMENT ON TABLE public.segments IS 'A saved set of contacts: dynamic by rules, kept up to date by itself, or static, a list. At most 200 an organisation.';

COMMENT ON COLUMN public.segments.evaluated_at IS 'When its members were last worked out as a whole; null while that is still to be done.';

COMMENT ON COLUMN public.segments.updated_at IS 'The last edit by a person; members that come and go leave it alone.';

CREATE FUNCTION private.apply_segment_rules(p_segment public.segments, p_cause text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := private.clock();
    v_next uuid;
begin
    perform private.set_segment_edges(p_segment);
    perform private.compile_program(p_segment, private.segment_context(p_segment.org_id));
    update private.segment_programs p set rebuild = 'created' where p.segment_id = p_segment.id and p_cause = 'created';
    perform private.request_rebuilds(p_segment.org_id, array[p_segment.id], p_cause);
    perform private.arrange_programs(p_segment.org_id);
    -- Each level is a statement of every batch.
    if exists (select from private.segment_programs p where p.org_id = p_segment.org_id and p.level > 8) then
        perform private.refuse_segment('', 'too_deep', 'Segments within segments go at most 8 deep');
    end if;
    perform private.set_segment_clock(p_segment.org_id, v_now);
    if not private.is_small_organization(p_segment.org_id) then
        return;
    end if;
    loop
        v_next := private.next_rebuild(p_segment.org_id);
        exit when v_next is null;
        perform private.rebuild_segment(v_next, v_now);
    end loop;
end
$$;

CREATE FUNCTION private.apply_send_effects(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_effects jsonb;
    v_count integer;
    v_campaign public.campaigns;
    v_code text;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind <> 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_effects from taken t;
    if v_effects is null then
        return 0;
    end if;
    -- Nobody who holds a campaign waits for a contact, so that contacts may come first.
    perform private.apply_contact_effects((
        select jsonb_agg(e.value) from jsonb_array_elements(v_effects) e where e.value ->> 'contact_id' is not null));
    v_count := jsonb_array_length(v_effects);
    v_effects := jsonb_path_query_array(v_effects, '$[*] ? (@.kind == "pause")');
    for v_campaign in
        select c.* from public.campaigns c
        where c.status in ('sending', 'completed') and (
            c.id in (select e.campaign_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid))
            -- Meta limits the number: everything it sends for campaigns stops until a person has looked.
            or (c.status = 'sending' and c.whatsapp_account_id in (
                select o.whatsapp_account_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text)
                join public.campaigns o on o.id = e.campaign_id where e.code in ('131048', '131064'))))
        order by c.id for no key update
    loop
        select coalesce(min(e.code) filter (where e.campaign_id = v_campaign.id), min(e.code) filter (where e.code in ('131048', '131064'))) into v_code
        from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text);
        perform private.pause(v_campaign, v_code);
    end loop;
    return v_count;
end
$_$;

CREATE FUNCTION private.apply_template_event(p_template public.templates, p_field text, p_value jsonb, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_word text := upper(p_value ->> 'event');
    v_quality text := upper(p_value ->> 'new_quality_score');
begin
    -- By what is in it: Meta's own examples name the wrong field (§5.2).
    if v_word is not null then
        perform private.set_meta_status(p_template.id, jsonb_build_object('status', v_word, 'reason', p_value ->> 'reason', 'words', coalesce(
            nullif(concat_ws(' ', p_value #>> '{rejection_info,reason}', p_value #>> '{rejection_info,recommendation}'), ''),
            p_value #>> '{other_info,description}', p_value #>> '{other_info,title}', p_value #>> '{disable_info,disable_date}')), p_at);
        if private.status_of_meta(v_word) is null and v_word <> 'DELETED' then
            perform private.request_template_sync(p_template.org_id, p_template.waba_id);
        end if;
    elsif v_quality is not null then
        update public.templates t set quality = v_quality
        where t.id = p_template.id and t.quality <> v_quality and v_quality in ('GREEN', 'YELLOW', 'RED', 'UNKNOWN');
        if found then
            perform private.broadcast_templates(p_template.org_id, array[p_template.id]);
        end if;
    elsif p_field = 'template_category_update' and p_value ? 'previous_category' then
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'new_category'), null, null);
    elsif p_field = 'template_category_update' and p_value ? 'correct_category' then
        -- Announced only: new_category is the one that still holds (§5.3).
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'new_category'),
            private.category_of_meta(p_value ->> 'correct_category'),
            to_timestamp(substring(p_value ->> 'category_update_timestamp' from '^[0-9]{1,11}')::double precision));
    elsif p_field = 'template_correct_category_detection' then
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'category'),
            private.category_of_meta(p_value ->> 'correct_category'), null);
    else
        perform private.request_template_sync(p_template.org_id, p_template.waba_id);
    end if;
end
$$;

CREATE FUNCTION private.arrange_programs(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    update private.segment_programs p set level = 0
    where p.org_id = p_org_id and p.level <> 0 and not exists (select from private.segment_edges e where e.segment_id = p.segment_id);
    -- Each round settles at least one more level.
    for v_round in 1..200 loop
        update private.segment_programs p set level = w.level
        from (
            select e.segment_id, 1 + max(coalesce(u.level, 0)) as level
            from private.segment_edges e left join private.segment_programs u on u.segment_id = e.uses_id
            where e.org_id = p_org_id group by e.segment_id
        ) w
        where p.segment_id = w.segment_id and p.level <> w.level;
        exit when not found;
    end loop;
    delete from private.segment_statements s where s.org_id = p_org_id;
end
$$;

CREATE FUNCTION private.attribute_opportunity(p_org_id uuid, p_contact_id uuid, p_at timestamp with time zone, p_campaign_id uuid, OUT campaign_id uuid, OUT held_out_campaign_id uuid) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with touches as (
        select r.campaign_id, r.status = 'held_out' as is_held_out, t.at, p_campaign_id is null as is_free
        from public.campaign_recipients r
        join public.campaigns c on c.id = r.campaign_id
        -- Reports overtake one another: whoever read, answered or followed it has received it.
        cross join lateral (
            select case when r.status = 'held_out' then c.launched_at else least(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) end as at
        ) t
        where r.org_id = p_org_id and r.contact_id = p_contact_id
            and t.at <= p_at and (t.at > p_at - make_interval(days => c.attribution_days) or r.campaign_id = p_campaign_id)
    ), received as (
        select t.campaign_id, t.at from touches t where not t.is_held_out and (t.is_free or t.campaign_id = p_campaign_id)
        order by t.at desc, t.campaign_id desc limit 1
    )
    select coalesce(p_campaign_id, (select r.campaign_id from received r)), (
        select t.campaign_id from touches t
        where t.is_held_out and t.campaign_id is distinct from p_campaign_id and coalesce(t.at > (select r.at from received r), true)
        order by t.at desc, t.campaign_id desc limit 1)
$$;

CREATE FUNCTION private.audience_contacts(p_org_id uuid, p_audience jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 100000
    SET search_path TO ''
    AS $$
begin
    if p_audience ? 'segment_id' then
        return query select m.contact_id from public.segment_members m
        where m.org_id = p_org_id and m.segment_id = (p_audience ->> 'segment_id')::uuid;
    else
        return query select s from private.selected_contacts(p_org_id, p_audience) s;
    end if;
end
$$;

CREATE FUNCTION private.audience_name(p_campaign public.campaigns) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select case
        when p_campaign.audience is null then null
        when p_campaign.audience ? 'segment_id' then (
            select s.name from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id')
        when p_campaign.audience ? 'ids' then case jsonb_array_length(p_campaign.audience -> 'ids') when 1 then '1 contact'
            else jsonb_array_length(p_campaign.audience -> 'ids') || ' contacts' end
        when coalesce(btrim(p_campaign.audience ->> 'search'), '') = '' and coalesce(p_campaign.audience -> 'rules', 'null') = 'null' then 'All contacts'
        else 'Chosen contacts' end
$$;

CREATE FUNCTION private.bare_word(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select upper(regexp_replace(p_text, '[[:punct:][:space:]“”‘’«»…–—·!?。，、！？　]', '', 'g')) $$;

CREATE FUNCTION private.broadcast(p_topic text, p_event text, p_payload jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform realtime.send(p_payload, p_event, p_topic, true);
end
$$;

CREATE FUNCTION private.broadcast_campaigns(p_org_id uuid, p_campaign_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.broadcast('org:' || p_org_id, 'campaigns', jsonb_build_object('campaign_ids', to_jsonb(p_campaign_ids[1:100]))) $$;

CREATE FUNCTION private.broadcast_contacts(p_org_id uuid, p_contact_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast('org:' || p_org_id, 'contacts', case
        when cardinality(p_contact_ids) <= 100 then jsonb_build_object('contact_ids', to_jsonb(p_contact_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE FUNCTION private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- 100 ids keep an event under 4 kB; above that one refetch of the list is cheaper for the browser anyway.
    perform private.broadcast('org:' || p_org_id, 'inbox', case
        when cardinality(p_conversation_ids) <= 100 then jsonb_build_object('conversation_ids', to_jsonb(p_conversation_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE TABLE public.jobs (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    input jsonb DEFAULT '{}'::jsonb NOT NULL,
    result jsonb,
    problem text,
    done_count integer DEFAULT 0 NOT NULL,
    total_count integer,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    expires_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    CONSTRAINT jobs__finished__check CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text])))),
    CONSTRAINT jobs_done_count_check CHECK ((done_count >= 0)),
    CONSTRAINT jobs_input_check CHECK ((jsonb_typeof(input) = 'object'::text)),
    CONSTRAINT jobs_kind_check CHECK ((kind = ANY (ARRAY['import'::text, 'export'::text, 'bulk_change'::text, 'erasure'::text]))),
    CONSTRAINT jobs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'done'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT jobs_total_count_check CHECK ((total_count >= 0))
);

COMMENT ON TABLE public.jobs IS 'Imports, exports, bulk changes and erasures. waiting: an import whose columns a person still has to map.';

COMMENT ON COLUMN public.jobs.problem IS 'Why a failed job failed, in words for people.';

COMMENT ON COLUMN public.jobs.total_count IS 'Lines or contacts in all; an estimate while an import is still reading its file.';

CREATE FUNCTION private.broadcast_job(p_job public.jobs) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.broadcast('org:' || p_job.org_id, 'job', jsonb_build_object('job_id', p_job.id)) $$;

CREATE FUNCTION private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast('conversation:' || p_conversation_id, 'messages', case
        when cardinality(p_message_ids) <= 100 then jsonb_build_object('message_ids', to_jsonb(p_message_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE FUNCTION private.broadcast_outcomes(p_changed jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(p_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet
    group by c.conversation_id;
end
$$;

CREATE FUNCTION private.broadcast_segments(p_org_id uuid, p_segment_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if cardinality(p_segment_ids) > 0 then
        perform private.broadcast('org:' || p_org_id, 'segments', case
            when cardinality(p_segment_ids) <= 100 then jsonb_build_object('segment_ids', to_jsonb(p_segment_ids))
            else '{"all": true}'::jsonb end);
    end if;
end
$$;

CREATE FUNCTION private.broadcast_templates(p_org_id uuid, p_template_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast('org:' || p_org_id, 'templates', case
        when cardinality(p_template_ids) <= 100 then jsonb_build_object('template_ids', to_jsonb(p_template_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE FUNCTION private.calling_codes() RETURNS TABLE(country text, code text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select split_part(x, ' ', 1), split_part(x, ' ', 2) from unnest(string_to_array(
        'AE 971,AF 93,AG 1268,AI 1264,AL 355,AM 374,AO 244,AR 54,AS 1684,AT 43,AU 61,AW 297,AZ 994,BA 387,BB 1246,BD 880,BE 32,BF 226,BG 359,BH 973,'
        'BI 257,BJ 229,BM 1441,BN 673,BO 591,BR 55,BS 1242,BT 975,BW 267,BY 375,BZ 501,CA 1,CD 243,CF 236,CG 242,CH 41,CI 225,CK 682,CL 56,CM 237,'
        'CN 86,CO 57,CR 506,CU 53,CV 238,CW 599,CY 357,CZ 420,DE 49,DJ 253,DK 45,DM 1767,DO 1809,DZ 213,EC 593,EE 372,EG 20,ER 291,ES 34,ET 251,'
        'FI 358,FJ 679,FK 500,FM 691,FO 298,FR 33,GA 241,GB 44,GD 1473,GE 995,GF 594,GH 233,GI 350,GL 299,GM 220,GN 224,GP 590,GQ 240,GR 30,GT 502,'
        'GU 1671,GW 245,GY 592,HK 852,HN 504,HR 385,HT 509,HU 36,ID 62,IE 353,IL 972,IN 91,IO 246,IQ 964,IR 98,IS 354,IT 39,JM 1876,JO 962,JP 81,'
        'KE 254,KG 996,KH 855,KI 686,KM 269,KN 1869,KP 850,KR 82,KW 965,KY 1345,KZ 77,LA 856,LB 961,LC 1758,LI 423,LK 94,LR 231,LS 266,LT 370,LU 352,'
        'LV 371,LY 218,MA 212,MC 377,MD 373,ME 382,MG 261,MH 692,MK 389,ML 223,MM 95,MN 976,MO 853,MP 1670,MQ 596,MR 222,MS 1664,MT 356,MU 230,MV 960,'
        'MW 265,MX 52,MY 60,MZ 258,NA 264,NC 687,NE 227,NG 234,NI 505,NL 31,NO 47,NP 977,NR 674,NU 683,NZ 64,OM 968,PA 507,PE 51,PF 689,PG 675,PH 63,'
        'PK 92,PL 48,PM 508,PR 1787,PS 970,PT 351,PW 680,PY 595,QA 974,RE 262,RO 40,RS 381,RU 7,RW 250,SA 966,SB 677,SC 248,SD 249,SE 46,SG 65,SH 290,'
        'SI 386,SK 421,SL 232,SM 378,SN 221,SO 252,SR 597,SS 211,ST 239,SV 503,SX 1721,SY 963,SZ 268,TC 1649,TD 235,TG 228,TH 66,TJ 992,TK 690,TL 670,'
        'TM 993,TN 216,TO 676,TR 90,TT 1868,TV 688,TW 886,TZ 255,UA 380,UG 256,US 1,UY 598,UZ 998,VC 1784,VE 58,VG 1284,VI 1340,VN 84,VU 678,WF 681,'
        'WS 685,XK 383,YE 967,ZA 27,ZM 260,ZW 263', ',')) x
$$;

CREATE FUNCTION private.campaign_conflicts(p_campaign public.campaigns, p_starts_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_other public.campaigns;
    v_count bigint;
    v_result jsonb := '[]'::jsonb;
begin
    for v_other in
        select c.* from public.campaigns c
        where c.org_id = p_campaign.org_id and c.id <> p_campaign.id and (c.status in ('sending', 'paused')
            or (c.status = 'scheduled' and c.scheduled_at between p_starts_at - interval '1 day' and p_starts_at + interval '1 day'))
        order by coalesce(c.scheduled_at, c.started_at) desc limit 5
    loop
        if v_other.status = 'scheduled' then
            select count(*) into v_count from private.audience_contacts(v_other.org_id, v_other.audience) a (id)
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = a.id and r.ready_at is not null;
        else
            select count(*) into v_count from public.campaign_recipients o
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = o.contact_id and r.ready_at is not null
            where o.campaign_id = v_other.id and (o.ready_at is not null or o.queued_at > p_starts_at - interval '1 day');
        end if;
        if v_count > 0 then
            v_result := v_result || jsonb_build_object('kind', 'campaign', 'campaign_id', v_other.id, 'name', v_other.name, 'status', v_other.status,
                'scheduled_at', v_other.scheduled_at, 'contacts', v_count);
        end if;
    end loop;
    return v_result;
end
$$;

CREATE FUNCTION private.campaign_finishes_at(p_campaign public.campaigns, p_from timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_account public.whatsapp_accounts;
    v_tier record;
    v_zone text := private.campaign_zone(p_campaign);
    v_waiting bigint;
    v_rest bigint;
    v_at timestamptz := p_from;
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_from) t;
    select coalesce(sum(s.waiting) filter (where s.variant > 0 or p_campaign.winner is not null), 0)::bigint + coalesce(sum(s.queued - s.uncertain), 0)::bigint,
        coalesce(sum(s.waiting) filter (where s.variant = 0 and p_campaign.winner is null), 0)::bigint
    into v_waiting, v_rest from private.campaign_variant_stats s where s.campaign_id = p_campaign.id;
    v_at := private.finish_estimate(v_waiting, v_at, v_account.messages_per_second, p_campaign.quiet_hours, v_zone, v_tier.tier_limit, v_tier.portfolio);
    if v_rest > 0 then
        v_at := coalesce(p_campaign.tested_at, v_at) + make_interval(hours => (p_campaign.test ->> 'hours')::integer);
        v_at := private.finish_estimate(v_waiting + v_rest, greatest(v_at, p_from), v_account.messages_per_second, p_campaign.quiet_hours, v_zone,
            v_tier.tier_limit, v_tier.portfolio);
    end if;
    return v_at;
end
$$;

CREATE FUNCTION private.campaign_lift(p_campaign public.campaigns, p_stats jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with measured as (
        select x.measure, x.treated, x.held_out, octopush.compare_variants(jsonb_build_array(
            jsonb_build_object('variant', 1, 'delivered', n.treated, 'successes', x.treated),
            jsonb_build_object('variant', 2, 'delivered', n.held_out, 'successes', x.held_out))) as comparison, n.treated as of_treated, n.held_out as of_held_out
        from (select (p_stats ->> 'delivered')::numeric as treated, (p_stats ->> 'held_out')::numeric as held_out) n,
            (values ('opportunities', (p_stats ->> 'opportunities')::numeric, (p_stats ->> 'held_out_opportunities')::numeric),
                ('replies', (p_stats ->> 'replied')::numeric, (p_stats ->> 'held_out_replied')::numeric)) x (measure, treated, held_out)
        where n.held_out > 0
    ), said as (
        select m.*, round(100 * m.treated / nullif(m.of_treated, 0), 1) as treated_percent, round(100 * m.held_out / m.of_held_out, 1) as held_out_percent
        from measured m
    )
    select jsonb_object_agg(s.measure, jsonb_build_object('treated', s.treated, 'held_out', s.held_out, 'treated_percent', s.treated_percent,
            'held_out_percent', s.held_out_percent, 'is_certain', s.comparison -> 'winner' <> 'null', 'p_value', s.comparison -> 'p_value'))
        || jsonb_build_object('treated', max(s.of_treated), 'held_out', max(s.of_held_out), 'sentence', string_agg(
            case s.measure when 'opportunities' then 'Opportunities' else 'Replies' end || ': ' || coalesce(s.treated_percent::text, '0.0')
                || ' % of those who got it, ' || s.held_out_percent || ' % of those held out; '
                || case when s.comparison -> 'winner' <> 'null' then 'more than chance would explain.' else 'chance alone may explain that.' end, ' ' order by s.measure))
    from said s having count(*) > 0
$$;

CREATE FUNCTION private.campaign_problem(p_field text, p_code text, p_message text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select jsonb_build_object('field', p_field, 'code', p_code, 'message', p_message) $$;

CREATE FUNCTION private.campaign_problems(p_campaign public.campaigns) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_problems jsonb := '[]'::jsonb;
    v_account public.whatsapp_accounts;
    v_context jsonb := private.segment_context(p_campaign.org_id);
    v_found jsonb;
    v_variant record;
    v_count integer := 0;
begin
    if p_campaign.audience is null then
        v_problems := v_problems || private.campaign_problem('audience', 'missing', 'Choose who gets the campaign');
    elsif p_campaign.audience ? 'segment_id' then
        if not exists (select from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id') then
            v_problems := v_problems || private.campaign_problem('audience', 'unknown_segment', 'The segment does not exist any more');
        elsif exists (select from public.segments s
            where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id' and s.evaluated_at is null)
        then
            v_problems := v_problems || private.campaign_problem('audience', 'segment_not_ready', 'The segment is still being worked out');
        end if;
    end if;
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    if not found then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'missing', 'Choose the number that sends it');
    elsif v_account.status <> 'connected' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_006', 'The number is not connected');
    elsif v_account.quality_rating = 'RED' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_007', 'The quality rating of the number is too low');
    end if;
    for v_variant in
        select v.position, v.variables, v.links, t.status, t.category, t.waba_id, t.deleted_at, t.links as template_links, t.id as template_id,
            private.template_shape(t) as content
        from public.campaign_variants v left join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id order by v.position
    loop
        v_count := v_count + 1;
        if v_variant.template_id is null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'missing', 'Choose a template');
        elsif v_variant.status <> 'approved' or v_variant.deleted_at is not null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'WA_002', 'The template is not approved');
        elsif v_variant.waba_id <> v_account.waba_id then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'other_account', 'The template belongs to another WhatsApp account');
        elsif v_variant.category = 'authentication' then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'one_time_code', 'A one-time code is sent to one person, when they ask for it');
        else
            v_found := octopush.check_campaign_variables(v_variant.content, v_variant.variables, v_context);
            if v_found = '[]' then
                v_found := coalesce(octopush.template_message(v_variant.content, octopush.campaign_values(v_variant.variables, '{}'),
                    (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(v_variant.template_links) l (key))) -> 'problems', '[]');
            end if;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.variables.' || (p.value ->> 'key'),
                coalesce(p.value ->> 'code', 'refused'), p.value ->> 'message')), '[]')
            into v_problems from jsonb_array_elements(v_found) p;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.links.' || l.key, 'missing',
                'Write where the button leads')), '[]')
            into v_problems from jsonb_object_keys(v_variant.template_links) l (key) where not v_variant.links ? l.key;
        end if;
    end loop;
    if v_count = 0 then
        v_problems := v_problems || private.campaign_problem('variants', 'missing', 'Choose a template');
    elsif v_count = 1 and p_campaign.test is not null then
        v_problems := v_problems || private.campaign_problem('test', 'one_variant', 'A test needs two variants');
    end if;
    return v_problems;
end
$$;

CREATE FUNCTION private.campaign_to_change(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c where c.id = p_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    perform private.require_permission(v_campaign.org_id, 'campaigns.manage');
    select c.* into v_campaign from public.campaigns c where c.id = p_id for no key update;
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

CREATE FUNCTION private.campaign_to_read(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c
    where c.id = p_id and (c.org_id = any (private.my_org_ids()) or private.is_database_admin());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

CREATE FUNCTION private.campaign_zone(p_campaign public.campaigns) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select coalesce(p_campaign.time_zone, (select o.time_zone from public.organizations o where o.id = p_campaign.org_id)) $$;

CREATE FUNCTION private.capped_contacts(p_org_id uuid, p_contact_ids uuid[], p_now timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 10000
    SET search_path TO ''
    AS $$
declare
    v_cap jsonb := (select s.marketing_cap from public.campaign_settings s where s.org_id = p_org_id);
    v_since timestamptz;
    v_campaign_ids uuid[];
begin
    if v_cap is null then
        return;
    end if;
    v_since := p_now - make_interval(days => (v_cap ->> 'days')::integer);
    v_campaign_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and c.is_marketing and c.launched_at is not null and coalesce(c.finished_at, 'infinity') >= v_since);
    if p_contact_ids is null then
        return query
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    else
        return query
        select r.contact_id from public.campaign_recipients r
        where r.org_id = p_org_id and r.contact_id = any (p_contact_ids)
            and r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    end if;
end
$$;

CREATE FUNCTION private.category_of_meta(p_category text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select c from unnest(array['marketing', 'utility', 'authentication']) c where c = lower(p_category) $$;

CREATE FUNCTION private.change_custom_values(p_org_id uuid, p_present jsonb, p_given jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_value record;
    v_checked jsonb;
begin
    if jsonb_typeof(p_given) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": "custom_fields"}');
    end if;
    for v_value in
        select g.key, g.value, d.id, d.archived_at,
            jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) as definition
        from jsonb_each(p_given) g
        left join public.custom_field_definitions d on d.org_id = p_org_id and d.key = g.key
    loop
        if v_value.value = 'null' then
            p_present := p_present - v_value.key;
            continue;
        end if;
        v_checked := case
            when v_value.id is null then '{"problem": "There is no such field."}'
            when v_value.archived_at is null then octopush.check_custom_value(v_value.definition, v_value.value)
            -- A form may send back what it was shown.
            when p_present -> v_value.key is distinct from v_value.value then '{"problem": "The field is archived."}'
            else jsonb_build_object('value', v_value.value) end;
        if v_checked ? 'problem' then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', 'custom.' || v_value.key, 'problem', v_checked -> 'problem'));
        end if;
        p_present := case when v_checked -> 'value' = 'null' then p_present - v_value.key
            else p_present || jsonb_build_object(v_value.key, v_checked -> 'value') end;
    end loop;
    return p_present;
end
$$;

CREATE FUNCTION private.check_audience(p_org_id uuid, p_audience jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_audience is null then
        return;
    end if;
    if p_audience ? 'segment_id' then
        if (select count(*) from jsonb_object_keys(p_audience)) > 1 or not exists (
            select from public.segments s where s.org_id = p_org_id and s.id::text = p_audience ->> 'segment_id')
        then
            perform private.refuse_campaign_field('audience', 'unknown_segment', 'There is no such segment');
        end if;
        return;
    end if;
    if p_audience -> 'trash' = 'true' then
        perform private.refuse_campaign_field('audience', 'wrong_value', 'Contacts in the trash get no campaigns');
    end if;
    if jsonb_typeof(p_audience -> 'rules') = 'object' and octopush.check_segment(p_audience -> 'rules', private.segment_context(p_org_id)) <> '[]' then
        perform private.refuse_campaign_field('audience', 'wrong_rules', 'The rules of the audience are not valid');
    end if;
    -- Refuses whatever else is malformed. Nobody is in the list of ids, so nothing is looked for.
    perform s from private.selected_contacts(p_org_id, case when p_audience ? 'ids' then p_audience
        else p_audience || '{"rules": {"any": []}}' end) s limit 1;
end
$$;

CREATE FUNCTION private.check_campaign_test(p_test jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    if p_test is not null and (
        exists (select from jsonb_object_keys(p_test) k where k not in ('percent', 'hours', 'measure', 'choose'))
        or coalesce(p_test ->> 'percent', '') !~ '^[1-9][0-9]?$' or coalesce(p_test ->> 'hours', '') !~ '^([1-9][0-9]?|1[0-5][0-9]|16[0-8])$'
        or coalesce(p_test ->> 'measure', '') not in ('read', 'reply') or coalesce(p_test ->> 'choose', '') not in ('automatic', 'manual'))
    then
        perform private.refuse_campaign_field('test', 'wrong_value', 'A test has a share of 1 to 99 percent, 1 to 168 hours, a measure and who chooses');
    end if;
end
$_$;

CREATE FUNCTION private.check_consent(p_status text, p_source text, p_evidence text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_status is null or p_status not in ('opted_in', 'opted_out', 'pending') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_status"}');
    end if;
    if p_source is null or p_source not in ('form', 'whatsapp', 'import', 'manual') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_source"}');
    end if;
    if length(p_evidence) > 500 then
        perform private.raise_error('CONTACT_007', '{"field": "evidence"}');
    end if;
end
$$;

CREATE FUNCTION private.check_contact_change(p_org_id uuid, p_change jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_action text := p_change ->> 'action';
    v_allowed text[] := case v_action
        when 'add_tags' then array['action', 'tag_ids'] when 'remove_tags' then array['action', 'tag_ids']
        when 'set_consent' then array['action', 'status', 'source', 'evidence'] when 'set_lifecycle_stage' then array['action', 'stage']
        when 'delete' then array['action'] when 'restore' then array['action'] end;
    v_tag_ids uuid[];
begin
    if jsonb_typeof(p_change) is distinct from 'object' or v_allowed is null then
        perform private.raise_error('CONTACT_007', '{"field": "action"}');
    end if;
    if exists (select from jsonb_object_keys(p_change) k where k <> all (v_allowed)) then
        perform private.raise_error('CONTACT_007', jsonb_build_object('field', (
            select min(k) from jsonb_object_keys(p_change) k where k <> all (v_allowed))));
    end if;
    if v_action in ('add_tags', 'remove_tags') then
        begin
            v_tag_ids := array(select x.value::uuid from jsonb_array_elements_text(p_change -> 'tag_ids') x);
        exception when data_exception then
            v_tag_ids := '{}';
        end;
        if cardinality(v_tag_ids) = 0 then
            perform private.raise_error('CONTACT_007', '{"field": "tag_ids"}');
        end if;
        -- Without a lock: contacts come before tags, and apply_contact_change takes both in that order.
        if exists (select from unnest(v_tag_ids) x where not exists (select from public.tags t where t.org_id = p_org_id and t.id = x)) then
            perform private.raise_error('TAG_001');
        end if;
    elsif v_action = 'set_consent' then
        perform private.check_consent(p_change ->> 'status', coalesce(p_change ->> 'source', 'manual'), p_change ->> 'evidence');
    elsif v_action = 'set_lifecycle_stage' and coalesce(p_change ->> 'stage', '') not in ('lead', 'prospect', 'customer', 'churned') then
        perform private.raise_error('CONTACT_007', '{"field": "lifecycle_stage"}');
    end if;
end
$$;

CREATE FUNCTION private.check_custom_field_room(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if (select count(*) from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null) >= 100 then
        perform private.raise_error('FIELD_002', '{"limit": 100}');
    end if;
end
$$;

CREATE FUNCTION private.check_message_content(p_type text, p_body text, p_payload jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    -- Limits: reference/whatsapp.md §6.2. Media is offered when the issue that brings uploads lands.
    if p_type = 'text' then
        if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
            perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
        end if;
        if p_payload is not null then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        return;
    end if;
    if length(p_body) > 1024 then
        perform private.raise_error('MESSAGE_002', '{"limit": 1024}');
    end if;
    if length(p_payload::text) > 60000 then
        perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
    end if;
    if p_type in ('image', 'video', 'document', 'audio', 'sticker') then
        if coalesce(p_payload ->> 'link', '') !~ '^https://[^\s]+$' or length(p_payload ->> 'link') > 2000 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload.link"}');
        end if;
    elsif p_type = 'location' then
        if jsonb_typeof(p_payload -> 'latitude') is distinct from 'number' or jsonb_typeof(p_payload -> 'longitude') is distinct from 'number' then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        if abs((p_payload ->> 'latitude')::numeric) > 90 or abs((p_payload ->> 'longitude')::numeric) > 180 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    elsif p_type in ('interactive', 'contacts') then
        if p_payload is null or jsonb_typeof(p_payload) not in ('object', 'array') then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    else
        perform private.raise_error('MESSAGE_003', jsonb_build_object('field', 'type', 'type', p_type));
    end if;
end
$_$;

CREATE FUNCTION private.check_message_prices(p_prices jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    if jsonb_typeof(p_prices) <> 'object' or exists (select from jsonb_object_keys(p_prices) k where k not in ('currency', 'default', 'countries'))
        or coalesce(p_prices ->> 'currency', '') !~ '^[A-Z]{3}$'
        or not private.is_price(coalesce(p_prices -> 'default', '{}'))
        or jsonb_typeof(coalesce(p_prices -> 'countries', '{}')) <> 'object'
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'Prices have a currency, a default and countries');
    end if;
    if exists (
        select from jsonb_each(coalesce(p_prices -> 'countries', '{}')) x
        where not private.is_price(x.value) or x.key not in (select c.country from private.calling_codes() c))
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'A country or one of its prices is not valid');
    end if;
end
$_$;

CREATE FUNCTION private.check_organization_fields(p_name text, p_country text, p_time_zone text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    if p_name is null or length(btrim(p_name)) not between 1 and 120 then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    if p_country is null or p_country !~ '^[A-Z]{2}$' then
        perform private.raise_error('ORG_005', '{"field": "country"}');
    end if;
    if not exists (select from pg_catalog.pg_timezone_names z where z.name = p_time_zone) then
        perform private.raise_error('ORG_005', '{"field": "time_zone"}');
    end if;
end
$_$;

CREATE FUNCTION private.check_quiet_hours(p_quiet_hours jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    if p_quiet_hours is not null and (
        (select count(*) from jsonb_object_keys(p_quiet_hours)) <> 2
        or coalesce(p_quiet_hours ->> 'from', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or coalesce(p_quiet_hours ->> 'to', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or p_quiet_hours -> 'from' = p_quiet_hours -> 'to')
    then
        perform private.refuse_campaign_field('quiet_hours', 'wrong_value', 'Quiet hours go from one time of the day to another');
    end if;
end
$_$;

CREATE FUNCTION private.check_segment_name(p_name text, p_description text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_name is null or length(btrim(p_name)) not between 1 and 100 then
        perform private.refuse_segment('/name', 'wrong_value', 'A name has 1 to 100 characters');
    end if;
    if length(p_description) > 1000 then
        perform private.refuse_segment('/description', 'wrong_value', 'A description has at most 1000 characters');
    end if;
end
$$;

CREATE FUNCTION private.check_tags(p_org_id uuid, p_tag_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform t.id from public.tags t where t.org_id = p_org_id and t.id = any (p_tag_ids) order by t.id for key share;
    if exists (select from unnest(p_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
end
$$;

CREATE FUNCTION private.check_template_parts(p_org_id uuid, p_template public.templates) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_part record;
begin
    -- 6,000 templates of the largest size Meta would take are some 100 MB: enough for all, and a bound.
    if length(p_template.components::text) > 60000 then
        perform private.refuse_template('/components', 'too_long', 'This is more than WhatsApp takes');
    end if;
    for v_part in select c.value, c.position - 1 as position from jsonb_array_elements(p_template.components) with ordinality c (value, position) loop
        if jsonb_typeof(v_part.value) <> 'object' or coalesce(v_part.value ->> 'type', '') !~ '^[A-Z_]{1,40}$' then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'A part needs a type');
        end if;
        if (v_part.value ? 'buttons' and jsonb_typeof(v_part.value -> 'buttons') <> 'array')
            or (v_part.value ? 'cards' and jsonb_typeof(v_part.value -> 'cards') <> 'array') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are lists');
        end if;
        if exists (select from jsonb_array_elements(v_part.value -> 'cards') k where v_part.value ? 'cards' and jsonb_typeof(k.value -> 'components') is distinct from 'array')
            or exists (select from jsonb_array_elements(v_part.value -> 'buttons') b where v_part.value ? 'buttons' and jsonb_typeof(b.value) <> 'object') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are objects');
        end if;
    end loop;
    for v_part in select c.path, c.component from private.all_components(p_template.components) c where c.component ? 'media' loop
        if coalesce(v_part.component #>> '{media,path}', '') !~ ('^' || p_org_id || '/[0-9a-f-]{36}/[^/]{1,200}$')
            or coalesce(v_part.component #>> '{media,mime}', '') !~ '^[a-z]+/[a-z0-9.+-]{1,100}$' then
            perform private.refuse_template(v_part.path || '/media', 'wrong_file', 'The file is not one of this organisation');
        end if;
    end loop;
    for v_part in select l.key, l.value from jsonb_each(p_template.links) l loop
        if v_part.key !~ '^[0-9]$' or jsonb_typeof(v_part.value) <> 'string' then
            perform private.refuse_template('/links', 'malformed', 'A tracked button has a place and a destination');
        end if;
        if private.destination_problem(v_part.value #>> '{}') is not null then
            perform private.refuse_template('/links/' || v_part.key, 'wrong_link', private.destination_problem(v_part.value #>> '{}'));
        end if;
    end loop;
end
$_$;

CREATE FUNCTION private.clock() RETURNS timestamp with time zone
    LANGUAGE sql PARALLEL SAFE
    SET search_path TO ''
    AS $$ select clock_timestamp() $$;

CREATE FUNCTION private.compile_program(p_segment public.segments, p_context jsonb) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_problems jsonb := octopush.check_segment(p_segment.rules, p_context);
    v_predicate text := 'false';
    v_params text[] := array[]::text[];
    v_horizons jsonb := jsonb_build_object('rolling', '[]'::jsonb, 'calendar', false);
begin
    if v_problems = '[]' then
        select p.predicate, p.params into v_predicate, v_params from octopush.compile_segment(p_segment.rules, p_context, 1) p;
        v_horizons := octopush.segment_horizons(p_segment.rules);
    end if;
    insert into private.segment_programs as p (segment_id, org_id, predicate, params, rolling, is_calendar, problem)
    values (p_segment.id, p_segment.org_id, v_predicate, v_params, v_horizons -> 'rolling', (v_horizons ->> 'calendar')::boolean,
        v_problems #>> '{0,message}')
    on conflict (segment_id) do update set predicate = excluded.predicate, params = excluded.params, rolling = excluded.rolling,
        is_calendar = excluded.is_calendar, problem = excluded.problem
    where (p.predicate, p.params, p.rolling, p.is_calendar, p.problem)
        is distinct from (excluded.predicate, excluded.params, excluded.rolling, excluded.is_calendar, excluded.problem);
    return found;
end
$$;

CREATE FUNCTION private.compile_programs(p_org_id uuid, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_changed uuid[];
begin
    v_changed := array(
        select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'dynamic' and private.compile_program(s, v_context));
    perform private.request_rebuilds(p_org_id, v_changed, 'rebuild');
    perform private.arrange_programs(p_org_id);
    perform private.set_segment_clock(p_org_id, p_now);
    update private.segment_clocks k set library = octopush.version() where k.org_id = p_org_id and k.library <> octopush.version();
end
$$;

CREATE FUNCTION private.components_for_meta(p_components jsonb, p_handles jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(k.value || jsonb_build_object('components', private.components_for_meta(k.value -> 'components', p_handles))
                order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when p_handles ? (c.value #>> '{media,path}') then (c.value - 'media')
            || jsonb_build_object('example', coalesce(nullif(c.value -> 'example', 'null'), '{}')
                || jsonb_build_object('header_handle', jsonb_build_array(p_handles -> (c.value #>> '{media,path}'))))
        else c.value - 'media' end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

CREATE FUNCTION private.components_to_compare(p_components jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then (c.value - '{cards,example,media}'::text[]) || jsonb_build_object('cards', (
            select coalesce(jsonb_agg(private.components_to_compare(k.value -> 'components') order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when c.value ? 'buttons' then (c.value - '{buttons,example,media}'::text[]) || jsonb_build_object('buttons', (
            select coalesce(jsonb_agg(b.value - 'example' order by b.position), '[]')
            from jsonb_array_elements(c.value -> 'buttons') with ordinality b (value, position)))
        else c.value - '{example,media}'::text[] end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

CREATE FUNCTION private.consent_reply(p_org_id uuid, p_kind text, p_word text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.contact_filter(p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_needs_contacts boolean) RETURNS private.contact_filter
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_patterns jsonb := private.search_patterns(p_org_id, p_search);
    v_context jsonb;
    v_problems jsonb;
    v_column text := case when p_trash then '(private.contact_search_text(c.search_text, c.wa_id))' else 's.search_text' end;
    v_word jsonb;
    v_found text;
    v_filter private.contact_filter;
begin
    v_filter.patterns := '{}';
    if p_trash then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is not null and c.erased_at is null';
    elsif v_patterns is null and (p_needs_contacts or p_rules is not null) then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is null';
    else
        v_filter.source := 'private.contact_search s';
        v_filter.condition := 's.org_id = $3';
        if p_needs_contacts or p_rules is not null then
            v_filter.source := v_filter.source || ' join public.contacts c on c.org_id = s.org_id and c.id = s.contact_id and c.deleted_at is null';
        end if;
    end if;
    for v_word in select w.value from jsonb_array_elements(v_patterns) w loop
        select string_agg(format('%s like ($4)[%s]', v_column, cardinality(v_filter.patterns) + p.position), ' or ') into v_found
        from jsonb_array_elements_text(v_word) with ordinality p (pattern, position);
        v_filter.condition := v_filter.condition || ' and (' || v_found || ')';
        v_filter.patterns := v_filter.patterns || array(select p.value from jsonb_array_elements_text(v_word) p);
    end loop;
    if p_rules is not null and p_rules <> 'null' then
        -- What is in the trash is not in the search.
        v_context := private.segment_context(p_org_id) || jsonb_build_object('search', not p_trash);
        v_problems := octopush.check_segment(p_rules, v_context);
        if jsonb_array_length(v_problems) > 0 then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
        select v_filter.condition || ' and (' || r.predicate || ')', r.params into v_filter.condition, v_filter.rule_values
        from octopush.compile_segment(p_rules, v_context, 1) r;
    end if;
    return v_filter;
end
$_$;

CREATE TABLE public.contacts (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    phone text,
    wa_id text,
    bsuid text,
    username text,
    full_name text,
    email text,
    avatar_url text,
    company text,
    job_title text,
    address jsonb,
    notes text,
    source text DEFAULT 'manual'::text NOT NULL,
    opt_in_status text DEFAULT 'pending'::text NOT NULL,
    opt_in_at timestamp with time zone,
    opt_in_source text,
    last_message_at timestamp with time zone,
    birthday date,
    lifecycle_stage text DEFAULT 'lead'::text NOT NULL,
    custom_fields jsonb DEFAULT '{}'::jsonb NOT NULL,
    search_text text GENERATED ALWAYS AS (lower(((((((((COALESCE(full_name, ''::text) || ' '::text) || COALESCE(phone, ''::text)) || ' '::text) || COALESCE(email, ''::text)) || ' '::text) || COALESCE(company, ''::text)) || ' '::text) || COALESCE(username, ''::text)))) STORED,
    deleted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    messages_received integer DEFAULT 0 NOT NULL,
    messages_sent integer DEFAULT 0 NOT NULL,
    last_inbound_at timestamp with time zone,
    erased_at timestamp with time zone,
    not_on_whatsapp_at timestamp with time zone,
    marketing_stopped_at timestamp with time zone,
    CONSTRAINT contacts__erased__check CHECK (((erased_at IS NULL) OR (deleted_at IS NOT NULL))),
    CONSTRAINT contacts__identity__check CHECK (
CASE
    WHEN (erased_at IS NULL) THEN (COALESCE(phone, wa_id, bsuid) IS NOT NULL)
    ELSE (COALESCE(phone, wa_id, bsuid) IS NULL)
END),
    CONSTRAINT contacts_address_check CHECK ((jsonb_typeof(address) = 'object'::text)),
    CONSTRAINT contacts_avatar_url_check CHECK ((length(avatar_url) <= 2000)),
    CONSTRAINT contacts_bsuid_check CHECK (((length(bsuid) >= 4) AND (length(bsuid) <= 140))),
    CONSTRAINT contacts_company_check CHECK ((length(company) <= 200)),
    CONSTRAINT contacts_custom_fields_check CHECK ((jsonb_typeof(custom_fields) = 'object'::text)),
    CONSTRAINT contacts_email_check CHECK ((length(email) <= 320)),
    CONSTRAINT contacts_full_name_check CHECK ((length(full_name) <= 200)),
    CONSTRAINT contacts_job_title_check CHECK ((length(job_title) <= 200)),
    CONSTRAINT contacts_lifecycle_stage_check CHECK ((lifecycle_stage = ANY (ARRAY['lead'::text, 'prospect'::text, 'customer'::text, 'churned'::text]))),
    CONSTRAINT contacts_messages_received_check CHECK ((messages_received >= 0)),
    CONSTRAINT contacts_messages_sent_check CHECK ((messages_sent >= 0)),
    CONSTRAINT contacts_notes_check CHECK ((length(notes) <= 10000)),
    CONSTRAINT contacts_opt_in_source_check CHECK ((opt_in_source = ANY (ARRAY['form'::text, 'whatsapp'::text, 'import'::text, 'manual'::text]))),
    CONSTRAINT contacts_opt_in_status_check CHECK ((opt_in_status = ANY (ARRAY['opted_in'::text, 'opted_out'::text, 'pending'::text]))),
    CONSTRAINT contacts_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT contacts_source_check CHECK ((source = ANY (ARRAY['manual'::text, 'import'::text, 'whatsapp'::text, 'campaign'::text, 'flow'::text, 'ad'::text]))),
    CONSTRAINT contacts_username_check CHECK ((length(username) <= 100)),
    CONSTRAINT contacts_wa_id_check CHECK ((wa_id ~ '^[0-9]{5,20}$'::text))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.contacts IS 'A person an organisation talks to. Known by phone (E.164), wa_id (digits) or BSUID; at least one.';

COMMENT ON COLUMN public.contacts.bsuid IS 'Business-scoped user id: all Meta gives for senders who hide their number (since 2026).';

COMMENT ON COLUMN public.contacts.messages_sent IS 'Messages we queued for this person, whatever became of them; see private.sent_messages.';

COMMENT ON COLUMN public.contacts.erased_at IS 'The person was erased for good: nothing but counts is left.';

COMMENT ON COLUMN public.contacts.not_on_whatsapp_at IS 'When Meta said that the number cannot be reached; null again once it writes or changes.';

COMMENT ON COLUMN public.contacts.marketing_stopped_at IS 'When the person stopped our marketing in WhatsApp itself; null again once they resumed it.';

CREATE FUNCTION private.contact_for(p_id uuid, p_permission text) RETURNS public.contacts
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
begin
    select c.* into v_contact from public.contacts c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_contact.org_id, p_permission);
    if v_contact.erased_at is not null then
        perform private.raise_error('CONTACT_010');
    end if;
    return v_contact;
end
$$;

CREATE FUNCTION private.contact_phone(p_org_id uuid, p_phone text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_phone text;
begin
    v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
    if v_phone is null then
        perform private.raise_error('CONTACT_003', jsonb_build_object('phone', left(p_phone, 50)));
    end if;
    return v_phone;
end
$$;

CREATE FUNCTION private.contact_search_text(p_search_text text, p_wa_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select ' ' || p_search_text || coalesce(' ' || p_wa_id, '') $$;

CREATE FUNCTION private.conversation_for(p_id uuid, p_permission text) RETURNS public.conversations
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations;
begin
    select c.* into v_conversation from public.conversations c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONVERSATION_001');
    end if;
    perform private.require_permission(v_conversation.org_id, p_permission);
    return v_conversation;
end
$$;

CREATE FUNCTION private.converted_contact(p_org_id uuid, p_token text, p_phone text) RETURNS public.contacts
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
    v_phone text;
begin
    if p_phone is not null then
        v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
        select c.* into v_contact from public.contacts c
        where c.org_id = p_org_id and (c.phone = v_phone or c.wa_id = ltrim(v_phone, '+'))
        order by (c.phone = v_phone) desc nulls last limit 1 for no key update;
        return v_contact;
    end if;
    -- Once more when a merge took the contact away while we waited for it: the link is the other's then.
    for i in 1..2 loop
        select c.* into v_contact from private.links l join public.contacts c on c.org_id = l.org_id and c.id = l.contact_id
        where l.token = p_token and l.org_id = p_org_id for no key update of c;
        exit when found;
    end loop;
    return v_contact;
end
$$;

CREATE FUNCTION private.count_changed_recipients() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

CREATE FUNCTION private.count_changed_template_messages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if not exists (select from new_messages m where m.template_id is not null) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select x.org_id, x.template_id, date_bin('15 minutes', x.created_at, '2000-01-01'), sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered),
        sum(x.sign * x.is_read), max(x.created_at) filter (where x.sign * x.is_sent > 0)
    from (
        select 1 as sign, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer as is_sent,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer as is_delivered, (m.read_at is not null)::integer as is_read
        from new_messages m where m.template_id is not null
        union all
        select -1, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer, (m.read_at is not null)::integer
        from old_messages m where m.template_id is not null
    ) x
    group by 1, 2, 3
    having (sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered), sum(x.sign * x.is_read)) <> (0, 0, 0);
    return null;
end
$$;

CREATE FUNCTION private.count_gone_recipients() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (
        -- Gone with its campaign: nobody would ever fold it.
        select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)
    ) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

CREATE FUNCTION private.count_gone_template_messages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), -count(*),
        -count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), -count(m.read_at)
    from old_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

CREATE FUNCTION private.count_lines(p_lines private.import_line[]) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select (count(*) + coalesce(sum(jsonb_array_length(l.also)), 0))::integer from unnest(p_lines) l
$$;

CREATE FUNCTION private.count_matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamp with time zone, OUT total bigint, OUT newest uuid[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET jit TO 'off'
    AS $_$
begin
    execute
        'with matching as materialized (
            select c.created_at, c.id from public.contacts c
            where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')
        )
        select count(*), array(select m.id from matching m order by m.created_at desc, m.id desc limit 10) from matching'
        into total, newest using p_params, p_now, p_org_id;
end
$_$;

CREATE FUNCTION private.count_new_recipients() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

CREATE FUNCTION private.count_new_template_messages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    -- Most are made before they are sent, and change nothing yet.
    if not exists (select from new_messages m where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), count(*),
        count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), count(m.read_at), max(m.created_at)
    from new_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

CREATE FUNCTION private.count_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if not exists (select from new_messages m where m.direction = 'outbound') then
        return null;
    end if;
    with sent as materialized (
        select m.org_id, m.contact_id, count(*)::integer as sent, max(m.occurred_at) as last_at, bool_or(m.campaign_id is not null) as is_campaign
        from new_messages m where m.direction = 'outbound' group by m.org_id, m.contact_id
    ), free as materialized (
        -- With the counts: the planner takes sent for a row or two, and would look through it for each of hundreds of contacts.
        select c.id, s.sent, s.last_at from sent s join public.contacts c on c.id = s.contact_id where not s.is_campaign
        order by c.id for no key update of c skip locked
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from free f where c.id = f.id
    )
    insert into private.sent_messages (org_id, contact_id, sent, last_at)
    select s.org_id, s.contact_id, s.sent, s.last_at from sent s where s.contact_id not in (select f.id from free f);
    return null;
end
$$;

CREATE FUNCTION private.create_imported(p_job public.jobs, p_spec jsonb, p_lines private.import_line[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_ids uuid[];
    v_lines private.import_line[];
    v_consent jsonb := nullif(p_spec -> 'consent', 'null');
begin
    with created as (
        insert into public.contacts (org_id, phone, full_name, email, company, job_title, notes, birthday, lifecycle_stage, address,
            custom_fields, source, opt_in_status, opt_in_source, opt_in_at)
        select p_job.org_id, l.phone, l.full_name, l.email, l.company, l.job_title, l.notes, l.birthday, coalesce(l.lifecycle_stage, 'lead'),
            l.address, coalesce(l.custom_fields, '{}'), 'import', coalesce(v_consent ->> 'status', 'pending'),
            v_consent ->> 'source', case when v_consent ->> 'status' = 'opted_in' then now() end
        from unnest(p_lines) l
        order by l.phone
        on conflict do nothing
        returning id, phone
    )
    select array_agg(c.id), array_agg(l::private.import_line) into v_ids, v_lines from created c join unnest(p_lines) l on l.phone = c.phone;
    if v_ids is null then
        return '{}'::bigint[];
    end if;
    perform private.link_import_tags(p_job.org_id, p_spec, v_ids, v_lines);
    if v_consent ->> 'status' <> 'pending' then
        perform private.record_consents(p_job.org_id, p_job.created_by, (
            select jsonb_agg(jsonb_build_object('contact_id', c, 'old', null, 'new', v_consent ->> 'status', 'source', v_consent ->> 'source',
                'evidence', v_consent ->> 'evidence'))
            from unnest(v_ids) c));
    end if;
    return array(select l.line from unnest(v_lines) l);
end
$$;

CREATE FUNCTION private.create_job(p_org_id uuid, p_kind text, p_input jsonb, p_total integer DEFAULT NULL::integer) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs;
begin
    -- One at a time, or two callers could both see four.
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush jobs of ' || p_org_id, 0));
    if p_kind <> 'erasure' and (
        select count(*) from public.jobs j
        where j.org_id = p_org_id and j.status in ('queued', 'running', 'waiting') and j.kind <> 'erasure') >= 5
    then
        perform private.raise_error('JOB_005', '{"limit": 5}');
    end if;
    insert into public.jobs (org_id, kind, input, total_count, created_by)
    values (p_org_id, p_kind, p_input, p_total, (select auth.uid()))
    returning * into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

CREATE TABLE public.custom_field_definitions (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    key text NOT NULL,
    label text NOT NULL,
    type text NOT NULL,
    options text[] DEFAULT '{}'::text[] NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    archived_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT custom_field_definitions__options__check CHECK (((type = ANY (ARRAY['choice'::text, 'multi_choice'::text])) = (cardinality(options) > 0))),
    CONSTRAINT custom_field_definitions_key_check CHECK ((key ~ '^[a-z][a-z0-9_]{0,49}$'::text)),
    CONSTRAINT custom_field_definitions_label_check CHECK ((((length(label) >= 1) AND (length(label) <= 80)) AND (label = btrim(label)))),
    CONSTRAINT custom_field_definitions_options_check CHECK ((cardinality(options) <= 100)),
    CONSTRAINT custom_field_definitions_type_check CHECK ((type = ANY (ARRAY['text'::text, 'number'::text, 'date'::text, 'boolean'::text, 'choice'::text, 'multi_choice'::text])))
);

COMMENT ON TABLE public.custom_field_definitions IS 'What an organisation keeps about contacts beside our own fields. The key stands in contacts.custom_fields and in rules, and never changes.';

COMMENT ON COLUMN public.custom_field_definitions.archived_at IS 'Archived: values stay and are shown, new ones are refused.';

CREATE FUNCTION private.custom_field_for(p_id uuid) RETURNS public.custom_field_definitions
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_field public.custom_field_definitions;
begin
    -- Serialises changes of the fields of an organisation, or two people could both see 99.
    perform from public.organizations o
    where o.id = (select d.org_id from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids())) for no key update;
    select d.* into v_field from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('FIELD_001');
    end if;
    perform private.require_permission(v_field.org_id, 'settings.manage');
    return v_field;
end
$$;

CREATE FUNCTION private.custom_field_key(p_org_id uuid, p_label text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with made as (
        select left(case when k ~ '^[a-z]' then k when k = '' then 'field' else 'field_' || k end, 40) as key
        from btrim(regexp_replace(lower(extensions.unaccent(p_label)), '[^a-z0-9]+', '_', 'g'), '_') k
    )
    select m.key || case when n > 1 then '_' || n else '' end
    from made m, generate_series(1, 1000) n
    where not exists (
        select from public.custom_field_definitions d where d.org_id = p_org_id and d.key = m.key || case when n > 1 then '_' || n else '' end)
    order by n limit 1
$$;

CREATE FUNCTION private.custom_field_options(p_type text, p_options text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_options text[] := array(select btrim(x.o) from unnest(p_options) with ordinality x (o, position) order by x.position);
begin
    if (p_type in ('choice', 'multi_choice')) <> (cardinality(v_options) > 0) or cardinality(v_options) > 100
        or array_position(v_options, null) is not null
        or exists (select from unnest(v_options) o where length(o) not between 1 and 100)
        or (select count(distinct lower(o)) from unnest(v_options) o) <> cardinality(v_options) then
        perform private.raise_error('FIELD_003', '{"part": "options"}');
    end if;
    return v_options;
end
$$;

CREATE FUNCTION private.default_keywords() RETURNS TABLE(kind text, word text, language text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    values ('stop', 'STOP', 'en'), ('stop', 'UNSUBSCRIBE', 'en'), ('stop', 'BERHENTI', 'ms'), ('stop', 'HENTI', 'ms'), ('stop', 'BATAL', 'ms'),
        ('start', 'START', 'en'), ('start', 'SUBSCRIBE', 'en'), ('start', 'MULA', 'ms'), ('start', 'LANGGAN', 'ms')
$$;

CREATE FUNCTION private.default_waba(p_org_id uuid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select a.waba_id from public.whatsapp_accounts a where a.org_id = p_org_id and a.is_receiving order by a.status = 'connected' desc, a.created_at limit 1
$$;

CREATE FUNCTION private.destination_problem(p_url text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $_$
declare
    v_authority text;
    v_host text;
begin
    if p_url is null or p_url = '' then
        return 'The address is missing.';
    end if;
    if length(p_url) > 2000 then
        return 'The address is longer than 2,000 characters.';
    end if;
    if p_url !~* '^https://' then
        return 'The address must begin with https://.';
    end if;
    -- It goes into a header: nothing but what an address is written with.
    if p_url !~ '^[!#-;=?-\[\]_a-z{}~]+$' then
        return 'The address has characters that must be percent-encoded.';
    end if;
    v_authority := substring(p_url from '^[^:]+://([^/?#]*)');
    if position('@' in v_authority) > 0 then
        return 'The address must not carry a user name or password.';
    end if;
    v_host := lower(regexp_replace(v_authority, ':[0-9]{1,5}$', ''));
    -- A name that ends in letters is no number either, however it is written.
    if v_host !~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})$' or length(v_host) > 253 then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    -- Names that exist in private networks only (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
    if v_host ~ '(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$' then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    return null;
end
$_$;

CREATE FUNCTION private.disconnect_account(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_secret_id uuid;
    v_org_id uuid;
begin
    update public.whatsapp_accounts set status = 'disconnected', status_reason = null, connected_at = null, updated_at = now()
    where id = p_account_id returning org_id into v_org_id;
    delete from private.whatsapp_credentials where whatsapp_account_id = p_account_id returning secret_id into v_secret_id;
    if v_secret_id is not null then
        delete from vault.secrets where id = v_secret_id;
    end if;
    perform private.fail_outbox(p_account_id, 'WA_006');
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

CREATE FUNCTION private.due_recipients(p_campaign public.campaigns, p_now timestamp with time zone, p_limit integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    v_ids uuid[];
begin
    v_ids := array(
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now
        order by r.ready_at, r.position limit p_limit);
    if p_campaign.winner is not null and cardinality(v_ids) < p_limit then
        v_ids := v_ids || array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 1 and r.ready_at <= p_now
            order by r.ready_at, r.position limit p_limit - cardinality(v_ids));
    end if;
    return v_ids;
end
$$;

CREATE FUNCTION private.enrich_contacts(p_senders jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_sender record;
begin
    for v_sender in
        select c.id, c.org_id, s.name, s.username, s.wa_id, s.bsuid
        from (
            select x.contact_id, nullif(left(btrim(x.profile_name), 200), '') as name, left(ltrim(x.username, '@'), 100) as username,
                case when x.wa_id ~ '^[0-9]{5,20}$' then x.wa_id end as wa_id,
                case when length(x.bsuid) between 4 and 140 then x.bsuid end as bsuid
            from jsonb_to_recordset(p_senders) as x (contact_id uuid, profile_name text, username text, wa_id text, bsuid text)
        ) s
        join public.contacts c on c.id = s.contact_id
        where (c.wa_id is distinct from s.wa_id and s.wa_id is not null) or (c.bsuid is null and s.bsuid is not null)
            or (c.full_name is null and s.name is not null) or c.deleted_at is not null
            or (s.username is not null and c.username is distinct from s.username)
    loop
        update public.contacts c set
            -- Known by BSUID and writing from a new number: answers go where the person is now.
            wa_id = case when v_sender.wa_id is null or exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.wa_id = v_sender.wa_id) then c.wa_id else v_sender.wa_id end,
            bsuid = coalesce(c.bsuid, case when not exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.bsuid = v_sender.bsuid) then v_sender.bsuid end),
            full_name = coalesce(c.full_name, v_sender.name),
            username = coalesce(v_sender.username, c.username),
            -- Someone who writes is a contact again: an answer must be possible.
            deleted_at = null,
            updated_at = clock_timestamp()
        where c.id = v_sender.id;
    end loop;
end
$_$;

CREATE FUNCTION private.erase_links(p_contact_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_tokens text[] := array(select t from unnest(p_contact_ids) c cross join unnest(private.tokens_of(c)) t);
begin
    update private.links l set contact_id = null where l.token = any (v_tokens);
    perform private.forget_visitors(v_tokens, 'infinity');
    update public.opportunities o set note = null, external_id = null
    from public.contacts c where c.id = any (p_contact_ids) and o.org_id = c.org_id and o.contact_id = c.id;
end
$$;

CREATE FUNCTION private.erase_recipients(p_org_id uuid, p_contact_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.evaluate_contacts(p_org_id uuid, p_contact_ids uuid[], p_cause text, p_now timestamp with time zone) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_statement private.segment_statements;
    v_segment_ids uuid[];
    v_touched uuid[];
    v_all_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_statements s where s.org_id = p_org_id) then
        perform private.make_statements(p_org_id);
    end if;
    for v_statement in select s.* from private.segment_statements s where s.org_id = p_org_id order by s.level loop
        v_segment_ids := v_statement.segment_ids || v_statement.list_ids;
        with pins as materialized (
            select p.segment_id, p.contact_id, p.kind from public.segment_pins p
            where p.org_id = p_org_id and p.contact_id = any (p_contact_ids) and (p.segment_id = any (v_segment_ids)) is true
        ), desired as materialized (
            (select m.segment_id, m.contact_id from private.matching_segments(v_statement, p_contact_ids, p_now) m
            except
            select p.segment_id, p.contact_id from pins p where p.kind = 'exclude')
            union
            select p.segment_id, p.contact_id from pins p
            join public.contacts c on c.id = p.contact_id and c.org_id = p_org_id and c.deleted_at is null and c.erased_at is null
            where p.kind = 'include'
        ), different as materialized (
            select x.segment_id, x.contact_id, max(x.place) as place
            from (
                select d.segment_id, d.contact_id, null::tid as place from desired d
                union all
                -- By contact: the other index would be asked once for every segment and contact.
                select m.segment_id, m.contact_id, m.ctid from public.segment_members m
                where m.org_id = p_org_id and m.contact_id = any (p_contact_ids) and (m.segment_id = any (v_segment_ids)) is true
            ) x
            group by x.segment_id, x.contact_id having count(*) = 1
        ), entered as (
            insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
            select d.segment_id, d.contact_id, p_org_id, p_now from different d where d.place is null
            returning segment_id, contact_id
        ), gone as (
            delete from public.segment_members m
            where m.ctid = any (array(select d.place from different d where d.place is not null))
            returning m.segment_id, m.contact_id
        ), moved as (
            select e.segment_id, e.contact_id, 'entered' as kind from entered e
            union all
            select g.segment_id, g.contact_id, 'left' from gone g
        ), told as (
            insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
            select p_org_id, m.segment_id, m.contact_id, m.kind, p_cause, p_now
            from moved m join public.segments s on s.id = m.segment_id and s.evaluated_at is not null
        ), counted as (
            update public.segments s set member_count = s.member_count + x.difference
            from (
                select m.segment_id, sum(case m.kind when 'entered' then 1 else -1 end)::integer as difference from moved m group by m.segment_id
            ) x
            where s.id = x.segment_id and x.difference <> 0
        )
        select coalesce(array_agg(distinct m.segment_id), '{}') into v_touched from moved m;
        v_all_touched := v_all_touched || v_touched;
    end loop;
    return v_all_touched;
end
$$;

CREATE FUNCTION private.excluded_page(p_campaign_id uuid, p_reason text, p_limit integer, p_after uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', c.full_name, 'phone', coalesce(c.phone, '+' || c.wa_id),
        'reason', x.exclusion_reason) order by x.contact_id), '[]')
    from (
        select r.contact_id, r.exclusion_reason from public.campaign_recipients r
        where r.campaign_id = p_campaign_id and r.exclusion_reason is not null and (p_reason is null or r.exclusion_reason = p_reason)
            and (p_after is null or r.contact_id > p_after)
        order by r.contact_id limit least(greatest(coalesce(p_limit, 50), 1), 200)
    ) x
    left join public.contacts c on c.id = x.contact_id
$$;

CREATE FUNCTION private.exclusion_reason(p_deleted_at timestamp with time zone, p_wa_id text, p_phone text, p_bsuid text, p_not_on_whatsapp_at timestamp with time zone, p_marketing_stopped_at timestamp with time zone, p_opt_in_status text, p_is_marketing boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case
        when p_deleted_at is not null then 'erased'
        when coalesce(p_wa_id, p_phone, p_bsuid) is null then 'no_phone'
        when p_not_on_whatsapp_at is not null then 'not_on_whatsapp'
        when p_marketing_stopped_at is not null and (p_is_marketing or p_opt_in_status = 'opted_out') then 'stopped_marketing'
        when p_opt_in_status = 'opted_out' then 'opted_out'
        -- Whatever the category (PRD §5.6).
        when p_opt_in_status <> 'opted_in' then 'not_opted_in'
    end
$$;

CREATE FUNCTION private.explain_plan(p_sql text) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    return query execute 'explain ' || p_sql;
end
$$;

CREATE FUNCTION private.export_header(p_org_id uuid) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select array['Phone', 'Name', 'Email', 'Company', 'Job title', 'Street', 'City', 'State', 'Country', 'Zip', 'Birthday', 'Lifecycle stage',
        'Notes', 'Tags', 'Consent', 'Consent since', 'Consent source', 'Source', 'Username', 'Last message', 'Created'] || array(
            select d.label from public.custom_field_definitions d
            where d.org_id = p_org_id and d.archived_at is null order by d.position, d.key)
$$;

CREATE FUNCTION private.export_value(p_type text, p_value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case
        when p_value is null or jsonb_typeof(p_value) = 'null' then ''
        when p_type = 'boolean' then case when p_value = 'true' then 'yes' else 'no' end
        -- Options may have commas in their names.
        when jsonb_typeof(p_value) = 'array' then (select coalesce(string_agg(x, '; '), '') from jsonb_array_elements_text(p_value) x)
        else p_value #>> '{}'
    end
$$;

CREATE FUNCTION private.fail_messages(p_failures jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
declare
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid))
    order by m.id for no key update;
    with changed as (
        update public.messages m set status = 'failed', failed_at = clock_timestamp(), is_uncertain = false,
            error_code = f.error_code, error_message = left(f.error_message, 500)
        from jsonb_to_recordset(p_failures) as f (message_id uuid, error_code text, error_message text)
        where m.id = f.message_id and m.status in ('pending', 'sent')
        returning m.id, m.org_id, m.conversation_id
    ), gone as (
        delete from private.outbox o
        where o.message_id = any (array(select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid)))
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.broadcast_outcomes(v_changed);
    perform private.broadcast_conversations(c.org_id, array_agg(distinct c.conversation_id))
    from jsonb_to_recordset(v_changed) as c (org_id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet group by c.org_id;
end
$$;

CREATE FUNCTION private.fail_outbox(p_account_id uuid, p_code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_message_ids uuid[];
    v_failures jsonb;
begin
    v_message_ids := array(select o.message_id from private.outbox o where o.whatsapp_account_id = p_account_id and o.state = 'ready');
    perform m.id from public.messages m where m.id = any (v_message_ids) order by m.id for no key update;
    -- One that was claimed meanwhile is on its way to Meta: its own report decides.
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select jsonb_agg(jsonb_build_object('message_id', g.message_id, 'error_code', p_code)) into v_failures from gone g;
    if v_failures is not null then
        perform private.fail_messages(v_failures);
    end if;
end
$$;

CREATE TABLE public.whatsapp_accounts (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    waba_id text NOT NULL,
    phone_number_id text NOT NULL,
    display_phone_number text,
    verified_name text,
    status text DEFAULT 'connecting'::text NOT NULL,
    status_reason text,
    quality_rating text DEFAULT 'UNKNOWN'::text NOT NULL,
    messaging_tier text,
    messages_per_second integer DEFAULT 80 NOT NULL,
    paused_until timestamp with time zone,
    connected_at timestamp with time zone,
    is_receiving boolean GENERATED ALWAYS AS (((status = 'connected'::text) OR ((connected_at IS NOT NULL) AND (status <> 'disconnected'::text)))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    business_id text,
    CONSTRAINT whatsapp_accounts_business_id_check CHECK ((business_id ~ '^[0-9]{1,32}$'::text)),
    CONSTRAINT whatsapp_accounts_messages_per_second_check CHECK (((messages_per_second >= 1) AND (messages_per_second <= 5000))),
    CONSTRAINT whatsapp_accounts_phone_number_id_check CHECK ((phone_number_id ~ '^[0-9]{1,32}$'::text)),
    CONSTRAINT whatsapp_accounts_quality_rating_check CHECK ((quality_rating = ANY (ARRAY['GREEN'::text, 'YELLOW'::text, 'RED'::text, 'UNKNOWN'::text]))),
    CONSTRAINT whatsapp_accounts_status_check CHECK ((status = ANY (ARRAY['connecting'::text, 'connected'::text, 'error'::text, 'disconnected'::text]))),
    CONSTRAINT whatsapp_accounts_waba_id_check CHECK ((waba_id ~ '^[0-9]{1,32}$'::text))
);

COMMENT ON TABLE public.whatsapp_accounts IS 'A WhatsApp business number. status moves when a worker has checked the token with Meta.';

COMMENT ON COLUMN public.whatsapp_accounts.paused_until IS 'Sending waits until then: Meta asked to slow down or pause this number.';

COMMENT ON COLUMN public.whatsapp_accounts.connected_at IS 'When the number was first proven to be ours; null again once it is disconnected.';

COMMENT ON COLUMN public.whatsapp_accounts.business_id IS 'The business portfolio at Meta: messaging limits are its, shared by all its numbers. Null: not known, then the WhatsApp account stands for it.';

CREATE FUNCTION private.feed_campaign(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_limit integer, p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_wait record;
    v_tier record;
    v_capacity integer;
    v_ids uuid[];
    v_fed record;
begin
    select w.* into v_wait from private.reason_to_wait(p_campaign, p_account, p_now) w;
    if v_wait.reason is not null then
        perform private.hold_campaign(p_campaign, v_wait.reason, v_wait.until);
        return 0;
    end if;
    if exists (
        select from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id and (p_campaign.winner is null or v.position = p_campaign.winner)
            and (t.status <> 'approved' or t.deleted_at is not null or t.waba_id <> p_account.waba_id))
    then
        perform private.pause(p_campaign, 'WA_002');
        return 0;
    end if;
    if p_limit <= 0 or (p_campaign.waiting_for = 'tier' and p_campaign.resumes_at > p_now) then
        return 0;
    end if;
    v_ids := private.due_recipients(p_campaign, p_now, p_limit);
    if cardinality(v_ids) = 0 then
        if p_campaign.waiting_for in ('account', 'quality', 'quiet_hours', 'tier') then
            perform private.hold_campaign(p_campaign, null, null);
        end if;
        return 0;
    end if;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_now) t;
    v_capacity := case when v_tier.tier_limit is not null then greatest(v_tier.tier_limit - v_tier.used - v_tier.in_flight, 0) end;
    select m.* into v_fed
    from private.make_campaign_messages(p_campaign, private.free_contacts(p_campaign.org_id, v_ids), v_tier.portfolio, v_capacity, p_now) m;
    if v_fed.over_tier > 0 then
        -- What is in flight frees up sooner if Meta refuses it.
        perform private.hold_campaign(p_campaign, 'tier', case when v_tier.in_flight = 0 then v_tier.frees_at else p_now + interval '5 seconds' end);
    else
        perform private.hold_campaign(p_campaign, null, null);
    end if;
    return v_fed.made;
end
$$;

CREATE FUNCTION private.feed_number(p_account public.whatsapp_accounts, p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_ids uuid[];
    v_left integer;
    v_room integer;
    v_made integer := 0;
begin
    -- A second's worth at most waits in the outbox, so that a pause finds little there.
    select least(p_limit, p_account.messages_per_second - count(*)::integer) into v_room
    from (select from private.outbox o where o.whatsapp_account_id = p_account.id and o.lane = 2 and o.state = 'ready' limit p_account.messages_per_second) x;
    v_ids := array(
        select c.id from public.campaigns c
        where c.whatsapp_account_id = p_account.id and c.status = 'sending' order by c.started_at, c.id);
    v_left := cardinality(v_ids);
    for i in 1..v_left loop
        select c.* into v_campaign from public.campaigns c where c.id = v_ids[i] and c.status = 'sending' for no key update skip locked;
        if found then
            -- Equal shares; what the first do not need the later ones get.
            v_made := v_made + private.feed_campaign(v_campaign, p_account, (v_room - v_made + v_left - i) / (v_left - i + 1), v_now);
        end if;
    end loop;
    return v_made;
end
$$;

CREATE FUNCTION private.finish_campaign(p_campaign public.campaigns, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
    v_stats private.campaign_stats;
    v_next timestamptz;
begin
    select s.* into v_stats from private.campaign_stats s where s.campaign_id = p_campaign.id;
    if v_stats.waiting = 0 and v_stats.queued = (case p_campaign.uncertain_policy when 'miss' then v_stats.uncertain else 0 end) then
        update public.campaigns c set status = 'completed', waiting_for = null, resumes_at = null, finished_at = p_now, updated_at = clock_timestamp()
        where c.id = p_campaign.id returning c.* into v_campaign;
        perform private.fold_campaigns(array[v_campaign.id]);
        perform private.tell_of_campaign(v_campaign, 'campaign.completed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.completed', 'normal');
        return true;
    end if;
    if p_campaign.waiting_for is null then
        select min(r.ready_at) into v_next from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null;
        perform private.hold_campaign(p_campaign, null, case when v_next > p_now then v_next end);
    end if;
    return false;
end
$$;

CREATE FUNCTION private.finish_estimate(p_count bigint, p_from timestamp with time zone, p_rate integer, p_quiet_hours jsonb, p_zone text, p_tier_limit integer, p_portfolio text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_rate numeric := greatest(p_rate * 7 / 8.0, 1);
    v_at timestamptz := p_from;
    v_left numeric := p_count::numeric;
    v_quiet timestamptz;
    v_end timestamptz;
    -- Five minutes of people each, in a ring of a day.
    v_used numeric[] := array_fill(0::numeric, array[288]);
    v_total numeric := 0::numeric;
    v_slot integer;
    v_now numeric;
begin
    if p_tier_limit is not null then
        select array_agg(coalesce(m.users, 0)::numeric order by s.slot), coalesce(sum(m.users), 0)::numeric into v_used, v_total
        from generate_series(0, 287) s (slot)
        left join (
            select (floor(extract(epoch from m.minute) / 300)::bigint % 288)::integer as slot, sum(m.users) as users from private.portfolio_minutes m
            where m.portfolio = p_portfolio and m.minute > p_from - interval '24 hours' group by 1
        ) m on m.slot = s.slot;
    end if;
    while v_left > 0 and v_at < p_from + interval '30 days' loop
        if p_tier_limit is null then
            v_quiet := private.quiet_until(p_quiet_hours, p_zone, v_at);
            if v_quiet is not null then
                v_at := v_quiet;
                continue;
            end if;
            v_end := coalesce(private.quiet_from(p_quiet_hours, p_zone, v_at), 'infinity');
            v_now := least(v_left, case when v_end = 'infinity' then v_left else extract(epoch from v_end - v_at) * v_rate end);
            v_left := v_left - v_now;
            v_at := v_at + make_interval(secs => (v_now / v_rate)::double precision);
            continue;
        end if;
        v_end := to_timestamp((floor(extract(epoch from v_at) / 300) + 1) * 300);
        -- Most of the time the limit is used up, and nothing more is asked.
        if v_total < p_tier_limit and private.quiet_until(p_quiet_hours, p_zone, v_at) is null then
            v_now := least(v_left, p_tier_limit - v_total, extract(epoch from v_end - v_at) * v_rate);
            v_left := v_left - v_now;
            if v_left <= 0 then
                return v_at + make_interval(secs => (v_now / v_rate)::double precision);
            end if;
            v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
            v_total := v_total + v_now;
            v_used[v_slot] := v_used[v_slot] + v_now;
        end if;
        v_at := v_end;
        -- A day ago by the clock that begins now: those may be written to again, and make room for others.
        v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
        v_total := v_total - v_used[v_slot];
        v_used[v_slot] := 0;
    end loop;
    return case when v_left <= 0 then v_at end;
end
$$;

CREATE FUNCTION private.finish_job(p_job_id uuid, p_status text, p_result jsonb DEFAULT NULL::jsonb, p_problem text DEFAULT NULL::text) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs;
begin
    update public.jobs j set
        status = p_status, problem = p_problem, finished_at = private.clock(), expires_at = private.clock() + interval '7 days',
        result = coalesce(p_result, private.import_result(j.id, null), j.result - array['preview', 'columns', 'lines']),
        total_count = case when p_status = 'done' then j.done_count else j.total_count end
    where j.id = p_job_id
    returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    delete from private.job_items where job_id = p_job_id;
    -- Lines of the file: nobody previews an import that has ended, and an erasure need not look for people in bytes.
    update private.import_files f set
        head = case when f.head is not null then ''::bytea end, sheet_rows = case when f.sheet_rows is not null then '[]'::jsonb end
    where f.job_id = p_job_id;
    -- Above this it took so long that the person has gone elsewhere (PRD §5.4).
    if v_job.done_count > 5000 and v_job.created_by is not null and p_status <> 'cancelled'
        and private.member_has(v_job.org_id, v_job.created_by, 'read')
    then
        perform private.notify_members(v_job.org_id, array[v_job.created_by], 'job.finished', 'normal',
            jsonb_build_object('job_id', v_job.id, 'kind', v_job.kind, 'status', v_job.status));
    end if;
    if p_status = 'done' and v_job.kind = 'import' then
        perform private.record_activity(v_job.org_id, 'contacts.imported', v_job.created_by,
            p_data => jsonb_build_object('job_id', v_job.id) || (v_job.result - 'errors_path'));
    end if;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

CREATE FUNCTION private.fold_campaigns(p_campaign_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_folded uuid[];
begin
    with taken as (
        delete from private.campaign_reasons x
        where x.id in (
            select y.id from private.campaign_reasons y
            where y.campaign_id in (
                select z.campaign_id from private.campaign_reasons z where z.campaign_id = any (p_campaign_ids) group by z.campaign_id having count(*) > 100)
            for update skip locked)
        returning x.*
    )
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select t.campaign_id, t.is_failure, t.reason, sum(t.recipients) from taken t group by 1, 2, 3 having sum(t.recipients) <> 0;
    with taken as (
        delete from private.campaign_deltas d
        where d.id in (select x.id from private.campaign_deltas x where x.campaign_id = any (p_campaign_ids) for update skip locked)
        returning d.*
    ), folded as (
        insert into private.campaign_counts as k (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read,
            replied, clicked, opportunities, failed, uncertain, held_out_replied, held_out_opportunities, folded_at)
        select t.campaign_id, t.variant, sum(t.total), sum(t.excluded), sum(t.held_out), sum(t.waiting), sum(t.queued), sum(t.sent),
            sum(t.delivered), sum(t.read),
            sum(t.replied), sum(t.clicked), sum(t.opportunities), sum(t.failed), sum(t.uncertain), sum(t.held_out_replied),
                sum(t.held_out_opportunities), clock_timestamp()
        from taken t
        -- In one order: two workers may fold the same campaign.
        group by t.campaign_id, t.variant order by t.campaign_id, t.variant
        on conflict (campaign_id, variant) do update set
            total = k.total + excluded.total, excluded = k.excluded + excluded.excluded, held_out = k.held_out + excluded.held_out,
            waiting = k.waiting + excluded.waiting, queued = k.queued + excluded.queued, sent = k.sent + excluded.sent,
            delivered = k.delivered + excluded.delivered, read = k.read + excluded.read, replied = k.replied + excluded.replied,
            clicked = k.clicked + excluded.clicked, opportunities = k.opportunities + excluded.opportunities, failed = k.failed + excluded.failed,
            uncertain = k.uncertain + excluded.uncertain, held_out_replied = k.held_out_replied + excluded.held_out_replied,
                held_out_opportunities = k.held_out_opportunities + excluded.held_out_opportunities,
            folded_at = excluded.folded_at
        returning k.campaign_id
    )
    select coalesce(array_agg(distinct f.campaign_id), '{}') into v_folded from folded f;
    return v_folded;
end
$$;

CREATE FUNCTION private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_waiting record;
begin
    with news as (
        select i.*, coalesce(e.opens_window, false) as opens_window
        from jsonb_to_recordset(p_inserted) as i (
            id uuid, org_id uuid, conversation_id uuid, contact_id uuid, wa_message_id text, type text, body text, occurred_at timestamptz, is_new boolean)
        join jsonb_to_recordset(p_events) as e (contact_id uuid, wa_message_id text, opens_window boolean)
            on e.wa_message_id = i.wa_message_id and e.contact_id = i.contact_id
    ), folded as (
        select n.conversation_id, count(*) filter (where n.is_new) as unread,
            max(n.occurred_at) filter (where n.opens_window) as last_opening, max(n.occurred_at) as last_inbound,
            (array_agg(n.id order by n.occurred_at desc, n.id desc))[1] as id,
            (array_agg(n.type order by n.occurred_at desc, n.id desc))[1] as type,
            (array_agg(n.body order by n.occurred_at desc, n.id desc))[1] as body
        from news n group by n.conversation_id
    )
    update public.conversations c set
        unread_count = c.unread_count + f.unread,
        -- 24 hours from Meta's time of the message (reference/whatsapp.md §9.3). An old message that arrives late moves nothing back.
        window_expires_at = greatest(c.window_expires_at, f.last_opening + interval '24 hours'),
        last_inbound_at = greatest(c.last_inbound_at, f.last_inbound),
        is_quiet = false,
        snoozed_until = case when f.last_opening is null then c.snoozed_until end,
        status = case
            when f.last_opening is null then c.status
            when greatest(c.window_expires_at, f.last_opening + interval '24 hours') > private.clock() then 'open'
            else 'expired' end,
        last_message_id = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.id else c.last_message_id end,
        last_message_type = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.type else c.last_message_type end,
        last_message_direction = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then 'inbound' else c.last_message_direction end,
        last_message_preview = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then left(f.body, 160) else c.last_message_preview end,
        last_message_at = greatest(c.last_message_at, f.last_inbound),
        updated_at = now()
    from folded f where c.id = f.conversation_id;

    update public.contacts p set
        last_message_at = greatest(p.last_message_at, l.at), last_inbound_at = greatest(p.last_inbound_at, l.at),
        messages_received = p.messages_received + l.received, not_on_whatsapp_at = null
    from (
        select i.contact_id, max(i.occurred_at) as at, count(*) filter (where i.is_new) as received
        from jsonb_to_recordset(p_inserted) as i (contact_id uuid, occurred_at timestamptz, is_new boolean)
        group by i.contact_id
    ) l where p.id = l.contact_id;

    insert into public.activity_log (org_id, kind, contact_id, conversation_id, data)
    select i.org_id, case when i.conversation_id = any (p_new_conversation_ids) then 'conversation.created' else 'message.received' end,
        i.contact_id, i.conversation_id, jsonb_build_object('messages', count(*))
    from jsonb_to_recordset(p_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid, is_new boolean)
    where i.is_new group by i.org_id, i.conversation_id, i.contact_id;

    for v_waiting in
        select c.org_id, c.id, c.contact_id from public.conversations c where c.id = any (p_new_conversation_ids) and c.assigned_to is null
    loop
        perform private.notify_members(v_waiting.org_id, private.members_with(v_waiting.org_id, 'inbox.answer'), 'conversation.unassigned',
            'normal', jsonb_build_object('conversation_id', v_waiting.id, 'contact_id', v_waiting.contact_id));
    end loop;
end
$$;

CREATE FUNCTION private.fold_portfolios(p_now timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with gone as (
        delete from private.portfolio_users u where u.used_at < p_now - interval '25 hours'
    ), old as (
        delete from private.portfolio_minutes m where m.minute < p_now - interval '26 hours'
    ), many as (
        select m.portfolio, m.minute from private.portfolio_minutes m
        where m.minute >= p_now - interval '26 hours' group by m.portfolio, m.minute having count(*) > 20
    ), taken as (
        delete from private.portfolio_minutes m using many x where m.portfolio = x.portfolio and m.minute = x.minute returning m.*
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select t.portfolio, t.minute, sum(t.users) from taken t group by t.portfolio, t.minute
$$;

CREATE FUNCTION private.fold_template_counts() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with waiting as materialized (
        select d.id, d.template_id from private.template_deltas d order by d.id limit 20000
    ), free as materialized (
        select t.id from public.templates t where t.id in (select w.template_id from waiting w) order by t.id for no key update skip locked
    ), taken as materialized (
        delete from private.template_deltas d using waiting w
        where d.id = w.id and (d.template_id in (select f.id from free f)
            -- Gone with its organisation.
            or not exists (select from public.templates t where t.id = d.template_id))
        returning d.*
    ), slots as (
        insert into private.template_counts as c (template_id, slot, org_id, sent, delivered, read)
        select t.template_id, t.slot, t.org_id, sum(t.sent), sum(t.delivered), sum(t.read) from taken t join free f on f.id = t.template_id
        group by 1, 2, 3
        on conflict (template_id, slot) do update
        set sent = c.sent + excluded.sent, delivered = c.delivered + excluded.delivered, read = c.read + excluded.read
    )
    update public.templates t set sent_count = t.sent_count + s.sent, delivered_count = t.delivered_count + s.delivered,
        read_count = t.read_count + s.read, last_used_at = greatest(t.last_used_at, s.last_used_at)
    from (
        select k.template_id, sum(k.sent) as sent, sum(k.delivered) as delivered, sum(k.read) as read, max(k.last_used_at) as last_used_at
        from taken k group by 1
    ) s
    where t.id = s.template_id
$$;

CREATE FUNCTION private.follow_in_search() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if new.deleted_at is not null then
        delete from private.contact_search s where s.org_id = new.org_id and s.contact_id = new.id;
    else
        insert into private.contact_search (org_id, contact_id, created_at, search_text)
        values (new.org_id, new.id, new.created_at, private.contact_search_text(new.search_text, new.wa_id))
        on conflict (org_id, contact_id) do update set search_text = excluded.search_text, created_at = excluded.created_at;
    end if;
    return null;
end
$$;

CREATE FUNCTION private.forget_deleted_campaigns() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from public.campaign_recipients r using old_rows o where r.campaign_id = o.id;
    delete from private.campaign_deltas d using old_rows o where d.campaign_id = o.id;
    delete from private.campaign_reasons x using old_rows o where x.campaign_id = o.id;
    delete from private.send_effects e using old_rows o where e.campaign_id = o.id;
    return null;
end
$$;

CREATE FUNCTION private.forget_deleted_segments() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from public.segment_members m using old_rows o where m.segment_id = o.id;
    delete from private.segment_events e using old_rows o where e.segment_id = o.id;
    return null;
end
$$;

CREATE FUNCTION private.forget_unreachable() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.not_on_whatsapp_at := null;
    return new;
end
$$;

CREATE FUNCTION private.forget_visitors(p_tokens text[], p_before timestamp with time zone, p_limit integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with gone as (
        delete from private.link_clicks k using (
            select x.token, x.visitor, x.is_bot from private.link_clicks x
            where x.token = any (p_tokens) and x.visitor <> '' and x.last_at < p_before limit p_limit
        ) o
        where k.token = o.token and k.visitor = o.visitor and k.is_bot = o.is_bot and k.last_at < p_before returning k.*
    ), kept as (
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, clicks, first_at, last_at)
        select g.token, '', g.is_bot, g.org_id, g.campaign_id, g.variant, g.button, sum(g.clicks), min(g.first_at), max(g.last_at)
        from gone g group by g.token, g.is_bot, g.org_id, g.campaign_id, g.variant, g.button
        on conflict (token, visitor, is_bot) do update
        set clicks = k.clicks + excluded.clicks, first_at = least(k.first_at, excluded.first_at), last_at = greatest(k.last_at, excluded.last_at)
    )
    select count(*)::integer from gone
$$;

CREATE FUNCTION private.found_contacts(p_org_id uuid, p_search text) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select s from private.selected_contacts(p_org_id, jsonb_build_object('search', p_search)) s $$;

CREATE FUNCTION private.free_contacts(p_org_id uuid, p_contact_ids uuid[]) RETURNS uuid[]
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(x.id), '{}') from (
        select c.id from public.contacts c
        where c.org_id = p_org_id and c.id = any (p_contact_ids) order by c.id for no key update skip locked
    ) x
$$;

CREATE FUNCTION private.held_job(p_job_id uuid, p_holder uuid) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_job_id and j.status = 'running' for no key update;
    -- A statement of its own: the job may have changed hands while this one waited for the row.
    if not exists (select from private.job_leases l where l.job_id = v_job.id and l.holder = p_holder) then
        return null;
    end if;
    return v_job;
end
$$;

CREATE FUNCTION private.hold_campaign(p_campaign public.campaigns, p_reason text, p_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if p_campaign.waiting_for is not distinct from p_reason and p_campaign.resumes_at is not distinct from p_until then
        return;
    end if;
    update public.campaigns c set waiting_for = p_reason, resumes_at = p_until where c.id = p_campaign.id;
    if p_reason in ('account', 'quality', 'quiet_hours') then
        perform private.take_back(p_campaign);
    end if;
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

CREATE FUNCTION private.impersonal(p_data jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_object_agg(d.key, d.value), '{}') from jsonb_each(p_data) d
    where d.key in ('old', 'new', 'source', 'fields', 'added', 'removed', 'messages', 'user_id', 'by', 'until', 'merged_id', 'contact_id',
        'conversation_id', 'window_expires_at', 'opportunity_id', 'campaign_id')
$$;

CREATE FUNCTION private.import_consent(p_org_id uuid, p_actor uuid, p_contact_ids uuid[], p_consent jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changes jsonb;
begin
    select jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', p_consent ->> 'status',
        'source', p_consent ->> 'source', 'evidence', p_consent ->> 'evidence')) into v_changes
    from public.contacts c
    where c.org_id = p_org_id and c.id = any (p_contact_ids) and c.opt_in_status <> p_consent ->> 'status' and case p_consent ->> 'status'
        when 'opted_in' then c.opt_in_status = 'pending'
        else p_consent ->> 'status' = 'opted_out' end;
    if v_changes is null then
        return;
    end if;
    perform private.record_consents(p_org_id, p_actor, v_changes);
    update public.contacts c set
        opt_in_status = p_consent ->> 'status', opt_in_source = p_consent ->> 'source', updated_at = clock_timestamp(),
        opt_in_at = case when p_consent ->> 'status' = 'opted_in' then now() else c.opt_in_at end
    where c.org_id = p_org_id and c.id in (select (x ->> 'contact_id')::uuid from jsonb_array_elements(v_changes) x);
end
$$;

CREATE FUNCTION private.import_definitions(p_org_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.key), '[]')
    from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null
$$;

CREATE FUNCTION private.import_head(p_job public.jobs, p_options jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select case when f.head is not null then octopush.read_import_head(f.head, o.options) else octopush.read_import_sheet(f.sheet_rows, o.options) end
    from private.import_files f, lateral (
        select jsonb_build_object('custom_fields', private.import_definitions(p_job.org_id), 'size', f.size, 'rows', p_job.total_count, 'sheet', f.sheet)
            || jsonb_strip_nulls(jsonb_build_object('encoding', p_options -> 'encoding', 'delimiter', p_options -> 'delimiter',
                'has_header', p_options -> 'has_header')) as options
    ) o
    where f.job_id = p_job.id
$$;

CREATE FUNCTION private.import_result(p_job_id uuid, p_errors_path text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('created', f.created, 'updated', f.updated, 'skipped', f.skipped, 'failed', f.failed, 'errors_path', p_errors_path)
    from private.import_files f where f.job_id = p_job_id and f.spec is not null
$$;

CREATE FUNCTION private.import_spec(p_job public.jobs, p_head jsonb, p_mapping jsonb, p_options jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_spec jsonb;
    v_problems jsonb;
    v_consent jsonb := nullif(p_options -> 'consent', 'null');
    v_tag_ids uuid[];
begin
    if jsonb_typeof(p_mapping) is distinct from 'array' or jsonb_typeof(p_options) is distinct from 'object' then
        perform private.refuse_mapping(null, 'The mapping must be a list and the options an object.');
    end if;
    if p_head ? 'problem' then
        perform private.refuse_mapping('options', p_head ->> 'problem');
    end if;
    if coalesce(p_options ->> 'duplicates', 'skip') not in ('skip', 'update') then
        perform private.refuse_mapping('duplicates', 'Existing contacts can be skipped or updated.');
    end if;
    begin
        select coalesce(array_agg(t::uuid), '{}') into v_tag_ids
        from jsonb_array_elements_text(coalesce(nullif(p_options -> 'tag_ids', 'null'), '[]')) t;
    exception when others then
        perform private.refuse_mapping('tag_ids', 'The tags must be a list of ids.');
    end;
    if exists (select from unnest(v_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_job.org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
    if v_consent is not null then
        perform private.check_consent(v_consent ->> 'status', coalesce(v_consent ->> 'source', 'import'), v_consent ->> 'evidence');
        v_consent := jsonb_build_object('status', v_consent ->> 'status', 'source', coalesce(v_consent ->> 'source', 'import'),
            'evidence', coalesce(nullif(btrim(v_consent ->> 'evidence'), ''), p_job.input ->> 'file_name'));
    end if;
    v_spec := jsonb_build_object(
        'columns', p_mapping,
        'encoding', p_head -> 'encoding', 'delimiter', p_head -> 'delimiter', 'sheet', p_head -> 'sheet', 'has_header', p_head -> 'has_header',
        'width', jsonb_array_length(p_head -> 'columns'), 'names', (select jsonb_agg(c ->> 'name') from jsonb_array_elements(p_head -> 'columns') c),
        'duplicates', coalesce(p_options ->> 'duplicates', 'skip'),
        'default_region', coalesce(p_options ->> 'default_region', (select o.country from public.organizations o where o.id = p_job.org_id), ''),
        'date_order', coalesce(p_options ->> 'date_order', 'dmy'),
        'custom_fields', private.import_definitions(p_job.org_id), 'tag_ids', to_jsonb(v_tag_ids), 'consent', v_consent);
    v_problems := octopush.check_import_spec(v_spec);
    if v_problems <> '[]' then
        perform private.raise_error('JOB_004', jsonb_build_object('problems', v_problems));
    end if;
    return v_spec;
end
$$;

CREATE FUNCTION private.import_tags(p_org_id uuid, p_lines private.import_line[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_missing text[];
begin
    select array_agg(x.name order by x.line, x.at) into v_missing
    from (
        select distinct on (lower(t.name)) t.name, l.line, t.at
        from unnest(p_lines) l, unnest(l.tags) with ordinality t (name, at)
        where l.tags is not null and not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(t.name))
        order by lower(t.name), l.line, t.at
    ) x;
    if v_missing is null then
        return;
    end if;
    -- As in create_tag: makers of tags take turns.
    perform from public.organizations o where o.id = p_org_id for no key update;
    insert into public.tags (org_id, name)
    select p_org_id, m.name from unnest(v_missing) with ordinality m (name, at)
    where not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(m.name))
    order by m.at
    limit greatest(50 - (select count(*) from public.tags k where k.org_id = p_org_id), 0)
    on conflict do nothing;
end
$$;

CREATE FUNCTION private.is_database_admin() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select (select auth.uid()) is null and exists (
        select from pg_catalog.pg_roles r
        where r.rolname = coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user) and (r.rolsuper or r.rolbypassrls))
$$;

CREATE FUNCTION private.is_held(p_campaign public.campaigns) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select p_campaign.status = 'paused' or (p_campaign.status = 'sending' and coalesce(p_campaign.waiting_for in ('quiet_hours', 'quality', 'account'), false)) $$;

CREATE FUNCTION private.is_name_taken(p_template public.templates) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select exists (
        select from public.templates t
        where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
            and t.deleted_at is null and t.id is distinct from p_template.id)
$$;

CREATE FUNCTION private.is_own_waba(p_org_id uuid, p_waba_id text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select exists (select from public.whatsapp_accounts a where a.org_id = p_org_id and a.waba_id = p_waba_id and a.is_receiving) $$;

CREATE FUNCTION private.is_price(p_price jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select jsonb_typeof(p_price) = 'object' and not exists (
        select from jsonb_each(case when jsonb_typeof(p_price) = 'object' then p_price else '{}' end) e
        where e.key not in ('marketing', 'utility', 'authentication') or jsonb_typeof(e.value) <> 'number'
            or (e.value #>> '{}')::numeric not between 0 and 1000000)
$$;

CREATE FUNCTION private.is_refused_for_now(p_code text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select p_code in ('131049', '131048', '131064', '132001', '132015', '132016', 'WA_002', 'WA_006', 'WA_007') $$;

CREATE FUNCTION private.is_session_alive(p_lock_key integer) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select exists (
        select from pg_catalog.pg_locks k
        where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = p_lock_key::oid and k.granted
            and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
$$;

CREATE FUNCTION private.is_small_organization(p_org_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select count(*) <= 200000 from (select from public.contacts c where c.org_id = p_org_id limit 200001) x $$;

CREATE FUNCTION private.is_time_zone(p_name text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    -- Abbreviations and offsets are zones to Postgres as well, and mean something else to people.
    if p_name !~ '^[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)*$' then
        return false;
    end if;
    perform now() at time zone p_name;
    return true;
exception when invalid_parameter_value then
    return false;
end
$_$;

CREATE FUNCTION private.job_for(p_id uuid) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_id and j.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('JOB_001');
    end if;
    perform private.require_permission(v_job.org_id, 'contacts.bulk');
    return v_job;
end
$$;

CREATE FUNCTION private.join_conversations(p_keep public.conversations, p_merge public.conversations) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_first_unread timestamptz;
    v_last public.messages;
    v_status text := (
        select x.status from unnest(array['open', 'pending', 'expired', 'resolved']) with ordinality x (status, place)
        where x.status in (p_keep.status, p_merge.status) order by x.place limit 1);
begin
    -- From the earliest message that somebody has not read in either thread.
    select min(m.created_at) into v_first_unread from public.messages m
    where m.direction = 'inbound' and ((m.conversation_id = p_keep.id and m.created_at > p_keep.last_read_at)
        or (m.conversation_id = p_merge.id and m.created_at > p_merge.last_read_at));
    perform m.id from public.messages m where m.conversation_id = p_merge.id order by m.id for no key update;
    update public.messages m set conversation_id = p_keep.id, contact_id = p_keep.contact_id where m.conversation_id = p_merge.id;
    update private.outbox o set conversation_id = p_keep.id where o.conversation_id = p_merge.id;
    update public.activity_log l set conversation_id = p_keep.id where l.org_id = p_keep.org_id and l.contact_id = p_merge.contact_id
        and l.conversation_id = p_merge.id;
    update public.notifications n set data = n.data || jsonb_build_object('conversation_id', p_keep.id)
    where n.org_id = p_keep.org_id and n.data ->> 'conversation_id' = p_merge.id::text;

    select m.* into v_last from public.messages m
    where m.conversation_id = p_keep.id and m.direction <> 'internal' order by m.occurred_at desc, m.id desc limit 1;
    update public.conversations c set
        status = v_status, is_quiet = c.is_quiet and p_merge.is_quiet, assigned_to = coalesce(c.assigned_to, p_merge.assigned_to),
        window_expires_at = greatest(c.window_expires_at, p_merge.window_expires_at),
        window_warned_at = greatest(c.window_warned_at, p_merge.window_warned_at),
        snoozed_until = case when v_status = 'pending' then coalesce(c.snoozed_until, p_merge.snoozed_until) end,
        last_inbound_at = greatest(c.last_inbound_at, p_merge.last_inbound_at),
        last_read_at = coalesce(v_first_unread - interval '1 microsecond', greatest(c.last_read_at, p_merge.last_read_at)),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at >= v_first_unread),
        last_message_id = v_last.id, last_message_at = coalesce(v_last.occurred_at, greatest(c.last_message_at, p_merge.last_message_at)),
        last_message_preview = left(v_last.body, 160), last_message_type = v_last.type, last_message_direction = v_last.direction,
        created_at = least(c.created_at, p_merge.created_at), updated_at = now()
    where c.id = p_keep.id;
    delete from public.conversations c where c.id = p_merge.id;
end
$$;

CREATE FUNCTION private.keep_files(p_theirs jsonb, p_ours jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(case when jsonb_typeof(k.value -> 'components') = 'array' then
                    k.value || jsonb_build_object('components',
                        private.keep_files(k.value -> 'components', coalesce(p_ours #> array[(c.position - 1)::text, 'cards', (k.position - 1)::text, 'components'], '[]')))
                else k.value end order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when o.value is not null then c.value || jsonb_build_object('media', o.value)
        else c.value end order by c.position), '[]')
    from jsonb_array_elements(p_theirs) with ordinality c (value, position)
    left join lateral (
        select x.value -> 'media' as value from jsonb_array_elements(p_ours) x
        where x.value ? 'media' and x.value ->> 'type' = c.value ->> 'type' and x.value ->> 'format' = c.value ->> 'format' limit 1
    ) o on true
$$;

CREATE FUNCTION private.keep_links(p_components jsonb, p_links jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_object_agg(l.key, l.value), '{}')
    from jsonb_each(p_links) l
    where exists (
        select from jsonb_array_elements(p_components) c
        cross join jsonb_array_elements(case when jsonb_typeof(c.value -> 'buttons') = 'array' then c.value -> 'buttons' else '[]' end)
            with ordinality b (value, position)
        where (b.position - 1)::text = l.key and b.value ->> 'url' like '%/t/{{1}}')
$$;

CREATE FUNCTION private.keep_receipt(p_org_id uuid, p_external_id text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- Whoever comes second waits here for the first, and then knows.
    insert into private.conversion_receipts (org_id, external_hash) values (p_org_id, extensions.digest(p_external_id, 'sha256'))
    on conflict do nothing;
    return found;
end
$$;

CREATE FUNCTION private.known_statuses(p_events jsonb) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select jsonb_agg(to_jsonb(x)) from (
        select coalesce(m.id, t.id) as message_id, e.status, e.occurred_at, e.phone_number_id, e.wa_message_id, e.error_code, e.error_message
        from jsonb_to_recordset(p_events) as e (
            phone_number_id text, wa_message_id text, message_id uuid, send_try integer, status text, occurred_at timestamptz,
            error_code text, error_message text)
        -- Whatever became of the number since: what it sent is ours.
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        left join public.messages t on m.id is null and t.id = e.message_id and t.whatsapp_account_id = a.id
            and t.direction = 'outbound' and t.send_try = e.send_try and t.wa_message_id is null
        where coalesce(m.direction, t.direction) = 'outbound'
    ) x
$$;

CREATE FUNCTION private.like_pattern(p_search text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select '%' || regexp_replace(lower(btrim(p_search)), '([\\%_])', '\\\1', 'g') || '%' $$;

CREATE FUNCTION private.link_import_tags(p_org_id uuid, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[]) RETURNS uuid[]
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with wanted as (
        select c.id as contact_id, k.id as tag_id
        from unnest(p_contact_ids, p_lines) as c (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
                lifecycle_stage, address, custom_fields, tags, also),
            unnest(c.tags) t
        join public.tags k on k.org_id = p_org_id and lower(k.name) = lower(t)
        where c.tags is not null
        union
        select c, k.id from unnest(p_contact_ids) c, public.tags k where k.org_id = p_org_id and k.id in (select t::uuid from jsonb_array_elements_text(p_spec -> 'tag_ids') t)
    ), linked as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select p_org_id, w.contact_id, w.tag_id from wanted w order by w.contact_id, w.tag_id
        on conflict do nothing
        returning contact_id
    )
    select coalesce(array_agg(distinct contact_id), '{}') from linked
$$;

CREATE FUNCTION private.list_page(p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_key text, p_descending boolean, p_limit integer, p_offset bigint, OUT total bigint, OUT total_is_minimum boolean, OUT ids uuid[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_filter private.contact_filter := private.contact_filter(p_org_id, p_search, p_rules, p_trash, p_trash);
    v_by_text_only boolean := v_filter.source = 'private.contact_search s';
    v_limit bigint;
    v_walk double precision;
    v_all double precision;
begin
    total_is_minimum := false;
    if p_rules is not null and v_filter.patterns = '{}' and not p_trash and p_limit + p_offset <= 1000 then
        ids := private.probe_page(p_org_id, v_filter, p_key, p_descending, p_limit, p_offset);
    end if;
    if p_rules is not null and coalesce(cardinality(ids), 0) < p_limit then
        select s.total, s.ids into total, ids
        from private.sort_page(p_org_id, v_filter, 'c.id', p_key, p_descending, p_limit, p_offset) s;
        return;
    end if;
    if v_by_text_only and v_filter.patterns <> '{}' then
        execute format('select count(*) from (select from %s where %s limit $5) x', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, private.search_count_limit() + 1;
        if total > private.search_count_limit() then
            total := private.search_count_limit();
            total_is_minimum := true;
            ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending,
                p_limit::bigint, p_offset);
            return;
        end if;
    else
        execute format('select count(*) from %s where %s', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns;
        if p_rules is not null then
            return;
        end if;
    end if;
    v_limit := least(p_limit::bigint, total - p_offset);
    if v_limit <= 0 then
        ids := '{}';
        return;
    end if;
    -- Contacts the walk meets until the page is full, if those that match are spread evenly.
    v_walk := (least(p_offset, total - p_offset - v_limit) + v_limit)::double precision;
    if v_filter.patterns <> '{}' then
        select greatest(k.reltuples, 1)::double precision into v_all from pg_catalog.pg_class k where k.oid = 'private.contact_search'::regclass;
        v_walk := v_walk * v_all / total::double precision;
    end if;
    if not p_trash and v_walk < total then
        ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending, v_limit, p_offset, total);
    elsif v_by_text_only and p_key = 'c.created_at' then
        select s.ids into ids
        from private.sort_page(p_org_id, v_filter, 's.contact_id', 's.created_at', p_descending, v_limit, p_offset) s;
    else
        select s.ids into ids from private.sort_page(p_org_id, private.contact_filter(p_org_id, p_search, null, p_trash, true), 'c.id', p_key,
            p_descending, v_limit, p_offset) s;
    end if;
end
$_$;

CREATE FUNCTION private.lock_member(p_org_id uuid, p_user_id uuid, p_permission text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_role text;
begin
    -- Before the lock, so that a stranger cannot hold up an organisation.
    perform private.require_permission(p_org_id, p_permission);
    -- One change of members at a time. no key: rows that refer to the organisation are written while we wait for conversations.
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- And after it: who waited behind their own removal has no right left.
    perform private.require_permission(p_org_id, p_permission);
    select m.role into v_role from public.org_memberships m where m.org_id = p_org_id and m.user_id = p_user_id;
    if not found then
        perform private.raise_error('ORG_006');
    end if;
    return v_role;
end
$$;

CREATE FUNCTION private.lock_next_sends(p_account_id uuid, p_limit integer, p_most_lane integer, p_now timestamp with time zone) RETURNS TABLE(message_id uuid, refusal text)
    LANGUAGE plpgsql
    SET search_path TO ''
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_sort TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
begin
    return query
    select o.message_id, private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status,
        c.window_expires_at, m.type, t.status, t.category, m.campaign_id is not null, p_now)
    from private.outbox o
    join public.whatsapp_accounts a on a.id = o.whatsapp_account_id
    join public.messages m on m.id = o.message_id
    join public.conversations c on c.id = o.conversation_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.id = m.template_id and t.waba_id = a.waba_id and t.deleted_at is null
    left join public.campaigns k on k.id = m.campaign_id
    -- A number that is not connected for the moment keeps what waits.
    where o.whatsapp_account_id = p_account_id and a.status = 'connected' and o.state = 'ready' and o.ready_at <= clock_timestamp()
        and coalesce(a.paused_until <= clock_timestamp(), true) and o.lane <= p_most_lane
        -- Of a campaign that was paused or cancelled at this moment nothing more leaves.
        and (m.campaign_id is null or k.status = 'sending')
        -- Only the head of a conversation: Meta does not keep order, we do. A reply is no part of a campaign that comes before it.
        and not exists (select from private.outbox e
            where e.conversation_id = o.conversation_id and e.seq < o.seq and e.lane <= o.lane and e.state <> 'uncertain' offset 0)
    order by o.lane, o.seq limit p_limit
    -- A claim waits for nobody: whoever settles messages takes them before their outbox rows, the other way round.
    for update of o skip locked;
end
$$;

CREATE FUNCTION private.lock_segments(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform pg_catalog.pg_advisory_xact_lock(private.segment_lock_key(p_org_id));
end
$$;

CREATE FUNCTION private.lock_wa_message_ids(p_wa_message_ids text[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select pg_catalog.pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(x, 0) as key from unnest(p_wa_message_ids) x where x is not null order by 1) k
$$;

CREATE FUNCTION private.maintain_segments_of(p_org_id uuid, p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := private.clock();
    v_count integer;
    v_has_definitions boolean;
    v_changed uuid[];
    v_by_time uuid[];
    v_rebuilt uuid;
    v_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_clocks k where k.org_id = p_org_id) then
        perform private.set_segment_clock(p_org_id, v_now);
    end if;
    perform private.advance_segment_clock(p_org_id, v_now);
    with taken as (
        delete from private.contact_changes q
        -- By both columns of the index: the queue is empty when it is analysed, and the planner then takes any way for the shortest.
        where q.org_id = p_org_id
            and q.id = any (array(select x.id from private.contact_changes x where x.org_id = p_org_id order by x.id limit p_limit))
        returning q.contact_id, q.is_time
    ), contacts as (
        select t.contact_id, count(*) as lines, bool_and(t.is_time) as is_time from taken t group by t.contact_id
    )
    select coalesce(sum(c.lines), 0)::integer, coalesce(bool_or(c.contact_id is null), false),
        coalesce(array_agg(c.contact_id) filter (where c.contact_id is not null and not c.is_time), '{}'),
        coalesce(array_agg(c.contact_id) filter (where c.is_time), '{}')
    into v_count, v_has_definitions, v_changed, v_by_time from contacts c;

    if v_has_definitions then
        perform private.compile_programs(p_org_id, v_now);
    end if;
    v_rebuilt := private.next_rebuild(p_org_id);
    if v_rebuilt is not null then
        perform private.rebuild_segment(v_rebuilt, v_now);
        v_touched := array[v_rebuilt];
        v_count := v_count + 1;
    end if;
    if cardinality(v_changed) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_changed, 'change', v_now);
    end if;
    if cardinality(v_by_time) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_by_time, 'time', v_now);
    end if;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, v_now), served_at = clock_timestamp() where k.org_id = p_org_id;
    perform private.broadcast_segments(p_org_id, array(select distinct t from unnest(v_touched) t));
    return v_count;
end
$$;

CREATE FUNCTION private.make_campaign_messages(p_campaign public.campaigns, p_contact_ids uuid[], p_portfolio text, p_capacity integer, p_now timestamp with time zone, OUT made integer, OUT over_tier integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
declare
    v_moved integer;
begin
    with variants as materialized (
        select v.position, v.template_id, v.variables, v.links, private.template_shape(t) as template
        from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id
    ), capped as materialized (
        select k from private.capped_contacts(p_campaign.org_id, p_contact_ids, p_now) k where p_campaign.is_marketing
    ), people as materialized (
        select r.contact_id, r.position, coalesce(r.variant, p_campaign.winner) as variant,
            coalesce(k.id, octopush.uuid_v7()) as conversation_id, k.id is null as is_first,
            coalesce(private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                p_campaign.is_marketing), case when c.id in (select x.k from capped x) then 'frequency_cap' end) as reason,
            p_capacity is not null and coalesce(k.window_expires_at <= p_now, true) and coalesce(u.used_at <= p_now - interval '24 hours', true) as uses_tier,
            jsonb_build_object('full_name', c.full_name, 'phone', c.phone, 'email', c.email, 'company', c.company, 'job_title', c.job_title,
                'username', c.username, 'birthday', c.birthday, 'address', c.address, 'custom_fields', c.custom_fields) as contact
        from unnest(p_contact_ids) i (id)
        cross join lateral (
            select x.contact_id, x.position, x.variant from public.campaign_recipients x
            where x.campaign_id = p_campaign.id and x.org_id = p_campaign.org_id and x.contact_id = i.id and x.status = 'waiting' offset 0
        ) r
        join public.contacts c on c.id = r.contact_id
        left join public.conversations k on k.whatsapp_account_id = p_campaign.whatsapp_account_id and k.contact_id = r.contact_id
        left join private.portfolio_users u on u.portfolio = p_portfolio and u.contact_id = r.contact_id and p_capacity is not null
    ), placed as materialized (
        select p.*, count(*) filter (where p.uses_tier and p.reason is null) over (order by p.position) as place from people p
    ), chosen as materialized (
        select p.*, octopush.uuid_v7() as message_id from placed p
        where p.reason is null and (not p.uses_tier or p.place <= p_capacity)
        order by p.position
    ), tokens as materialized (
        select jsonb_object_agg(l.contact_id, l.links) as of_contacts from (
            select k.contact_id, jsonb_object_agg(k.button, k.token) as links
            from private.make_links((
                select jsonb_agg(jsonb_build_object('campaign_id', p_campaign.id, 'contact_id', c.contact_id, 'org_id', p_campaign.org_id,
                    'variant', c.variant, 'message_id', c.message_id, 'button', l.key::integer, 'destination', l.value))
                from chosen c join variants v on v.position = c.variant cross join jsonb_each_text(v.links) l)) k
            group by k.contact_id
        ) l
    ), written as materialized (
        select c.contact_id, c.position, c.variant, c.conversation_id, c.is_first, c.message_id, v.template_id,
            octopush.template_message(v.template, octopush.campaign_values(v.variables, c.contact),
                (select t.of_contacts -> c.contact_id::text from tokens t)) as content
        from chosen c join variants v on v.position = c.variant
    ), threads as (
        -- Out of the lists until the person writes (design §7). Whoever makes the same thread at this moment makes this call fail, and the next
        -- one finds it.
        insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, is_quiet)
        select w.conversation_id, p_campaign.org_id, p_campaign.whatsapp_account_id, w.contact_id, 'expired', true
        from written w where w.is_first and w.content ? 'message'
    ), ready as materialized (
        select w.contact_id, w.position, w.variant, w.conversation_id, w.message_id, w.template_id, w.content
        from written w where w.content ? 'message'
    ), messages as (
        insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, status,
            template_id, campaign_id)
        select r.message_id, p_campaign.org_id, r.conversation_id, p_campaign.whatsapp_account_id, r.contact_id, 'outbound', 'template',
            left(r.content ->> 'body', 10000), jsonb_build_object('template', r.content -> 'message'), 'pending', r.template_id, p_campaign.id
        from ready r order by r.message_id
    ), outbox as (
        insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
        select r.message_id, p_campaign.org_id, p_campaign.whatsapp_account_id, r.conversation_id, 2 from ready r order by r.position
        returning message_id
    ), moved as (
        update public.campaign_recipients r set
            status = case when x.message_id is null then 'excluded' else 'queued' end, exclusion_reason = x.reason, variant = x.variant,
            message_id = coalesce(x.message_id, r.message_id), ready_at = null,
            attempts = r.attempts + case when x.message_id is null then 0 else 1 end,
            queued_at = case when x.message_id is null then r.queued_at else p_now end,
            error_code = null, error_message = null
        from (
            select y.contact_id, y.variant, y.message_id, null::text as reason from ready y
            union all
            select p.contact_id, p.variant, null, p.reason from placed p where p.reason is not null
            union all
            select w.contact_id, w.variant, null, 'missing_value' from written w where w.content ? 'problems'
        ) x
        where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.status = 'waiting'
        returning r.status
    )
    select (select count(*)::integer from outbox), (select count(*)::integer from moved m where m.status = 'queued'),
        (select count(*)::integer from placed p where p.reason is null and p.uses_tier and p.place > p_capacity)
    into made, v_moved, over_tier;
    if made <> v_moved then
        raise exception 'campaign % made % messages for % recipients', p_campaign.id, made, v_moved using errcode = 'serialization_failure';
    end if;
end
$$;

CREATE FUNCTION private.make_links(p_links jsonb) RETURNS TABLE(contact_id uuid, button integer, token text)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    insert into private.links as l (token, org_id, campaign_id, contact_id, message_id, variant, button, destination)
    select translate(left(encode(extensions.gen_random_bytes(16), 'base64'), 22), '+/', '-_'),
        x.org_id, x.campaign_id, x.contact_id, x.message_id, x.variant, x.button, x.destination
    from jsonb_to_recordset(p_links) as x (campaign_id uuid, contact_id uuid, org_id uuid, variant smallint, message_id uuid, button smallint, destination text)
    on conflict (contact_id, campaign_id, button) where not is_retired do update
    set message_id = excluded.message_id, variant = excluded.variant, destination = excluded.destination
    returning l.contact_id, l.button::integer, l.token
$$;

COMMENT ON FUNCTION private.make_links(p_links jsonb) IS 'The token of each recipient and button; the one there is already, if there is.';

CREATE FUNCTION private.make_statements(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_program record;
    v_predicate text;
    v_added text[];
    v_level integer := 0;
    v_ids uuid[] := array[]::uuid[];
    v_predicates text[] := array[]::text[];
    v_params text[] := array[]::text[];
    v_lists uuid[] := array(select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'static' order by s.id);
begin
    for v_program in
        select p.segment_id, p.level, p.problem, s.rules from private.segment_programs p join public.segments s on s.id = p.segment_id
        where p.org_id = p_org_id
        union all
        -- Closes the last level.
        select null, null, null, null
        order by 2 nulls last, 1
    loop
        if v_program.level is distinct from v_level then
            insert into private.segment_statements (org_id, level, segment_ids, list_ids, expression, params)
            values (p_org_id, v_level, v_ids, v_lists, 'array[' || nullif(array_to_string(v_predicates, ', '), '') || ']', v_params);
            select v_program.level, array[]::uuid[], array[]::text[], array[]::text[], array[]::uuid[]
            into v_level, v_ids, v_predicates, v_params, v_lists;
        end if;
        if v_program.problem is null and v_program.segment_id is not null then
            select c.predicate, c.params into v_predicate, v_added
            from octopush.compile_segment(v_program.rules, v_context, cardinality(v_params) + 1) c;
        else
            select 'false', array[]::text[] into v_predicate, v_added;
        end if;
        v_ids := v_ids || v_program.segment_id;
        v_predicates := v_predicates || ('(' || v_predicate || ')');
        v_params := v_params || v_added;
    end loop;
end
$$;

CREATE FUNCTION private.mark_clicked(p_token text, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_link record;
    v_contact_id uuid;
begin
    -- The ledger before links, as in a merge. One that held the row meanwhile has made it another contact's: then once more.
    for i in 1..2 loop
        select l.campaign_id, l.contact_id into v_link from private.links l where l.token = p_token;
        exit when v_link.contact_id is not distinct from v_contact_id;
        v_contact_id := v_link.contact_id;
        update public.campaign_recipients r set clicked_at = p_at
        where r.campaign_id = v_link.campaign_id and r.contact_id = v_contact_id and r.clicked_at is null;
        exit when found;
    end loop;
    update private.links l set clicked_at = p_at where l.token = p_token and l.clicked_at is null;
end
$$;

CREATE TABLE public.opportunities (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    campaign_id uuid,
    held_out_campaign_id uuid,
    source text NOT NULL,
    amount numeric,
    currency text,
    external_id text,
    note text,
    occurred_at timestamp with time zone NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT opportunities__amount__check CHECK (((amount IS NULL) = (currency IS NULL))),
    CONSTRAINT opportunities_amount_check CHECK (((amount >= (0)::numeric) AND (amount < '1000000000000'::numeric) AND (scale(amount) <= 4))),
    CONSTRAINT opportunities_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT opportunities_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 200))),
    CONSTRAINT opportunities_note_check CHECK (((length(note) >= 1) AND (length(note) <= 1000))),
    CONSTRAINT opportunities_source_check CHECK ((source = ANY (ARRAY['callback'::text, 'agent'::text, 'flow'::text])))
);

COMMENT ON TABLE public.opportunities IS 'Reservations, appointments and sales that came of what we sent: told by a signed callback, an agent or a flow.';

COMMENT ON COLUMN public.opportunities.campaign_id IS 'The campaign it is attributed to: the one that was named, else the last one received within its attribution window.';

COMMENT ON COLUMN public.opportunities.held_out_campaign_id IS 'A later campaign the contact was held out of, which would have had it otherwise: what its lift is compared with.';

COMMENT ON COLUMN public.opportunities.occurred_at IS 'When it happened; attribution goes by this time.';

CREATE FUNCTION private.mark_opportunities(p_opportunity public.opportunities) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    update public.campaign_recipients r set opportunity_at = f.first_at
    from (
        select c.id, (
            select min(o.occurred_at) from public.opportunities o
            where o.org_id = p_opportunity.org_id and o.contact_id = p_opportunity.contact_id and c.id in (o.campaign_id, o.held_out_campaign_id)
        ) as first_at
        from unnest(array[p_opportunity.campaign_id, p_opportunity.held_out_campaign_id]) c (id) where c.id is not null
    ) f
    where r.campaign_id = f.id and r.contact_id = p_opportunity.contact_id and r.opportunity_at is distinct from f.first_at
$$;

CREATE FUNCTION private.match_import_lines(p_org_id uuid, p_lines private.import_line[]) RETURNS TABLE(line bigint, contact_id uuid, is_trashed boolean)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select distinct on (m.line) m.line, m.id, m.is_trashed
    from (
        select l.line, c.id, c.deleted_at is not null as is_trashed, 1 as rank
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.phone = l.phone
        union all
        select l.line, c.id, c.deleted_at is not null, 2
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.wa_id = substr(l.phone, 2)
    ) m
    order by m.line, m.rank, m.id
$$;

CREATE FUNCTION private.matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET jit TO 'off'
    AS $_$
begin
    return query execute
        'select c.id from public.contacts c where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')'
        using p_params, p_now, p_org_id;
end
$_$;

CREATE TABLE private.segment_statements (
    org_id uuid NOT NULL,
    level integer NOT NULL,
    segment_ids uuid[] NOT NULL,
    list_ids uuid[] NOT NULL,
    expression text,
    params text[] NOT NULL
);

COMMENT ON TABLE private.segment_statements IS 'The programs of a level as one expression with one list of values. Made again when a program changes.';

CREATE TABLE public.segment_members (
    segment_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    org_id uuid NOT NULL,
    entered_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.segment_members IS 'Who is in a segment now. Maintained within a second of every change; never written by hand.';

CREATE FUNCTION private.matching_segments(p_statement private.segment_statements, p_contact_ids uuid[], p_now timestamp with time zone) RETURNS SETOF public.segment_members
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET jit TO 'off'
    AS $_$
begin
    if p_statement.expression is null then
        return;
    end if;
    return query execute
        'select ($5)[h.nth], x.id, $3, $2
        from (
            select c.id, ' || p_statement.expression || ' as hits
            from public.contacts c where c.org_id = $3 and c.id = any ($4) and c.deleted_at is null and c.erased_at is null
        ) x, unnest(x.hits) with ordinality as h (is_hit, nth)
        where h.is_hit'
        using p_statement.params, p_now, p_statement.org_id, p_contact_ids, p_statement.segment_ids;
end
$_$;

CREATE FUNCTION private.may_be_retried(p_error_code text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(p_error_code, '') not in ('131050', '131026', '130472', 'WA_008', 'CONTACT_004', 'CONTACT_008', 'CONTACT_010')
$$;

CREATE FUNCTION private.may_hear(p_topic text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $_$
    select case
        when p_topic !~ '^(org|conversation|user):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
        when p_topic like 'org:%' then split_part(p_topic, ':', 2)::uuid = any (private.my_org_ids())
        when p_topic like 'user:%' then split_part(p_topic, ':', 2)::uuid = (select auth.uid())
        else exists (
            select from public.conversations c
            where c.id = split_part(p_topic, ':', 2)::uuid and c.org_id = any (private.my_org_ids()))
    end
$_$;

CREATE FUNCTION private.may_send(p_conversation_id uuid, p_type text, p_template_id uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        t.status, t.category, false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.org_id = c.org_id and t.id = p_template_id and t.waba_id = a.waba_id and t.deleted_at is null
    where c.id = p_conversation_id
$$;

COMMENT ON FUNCTION private.may_send(p_conversation_id uuid, p_type text, p_template_id uuid) IS 'null, or the error code that says why not.';

CREATE FUNCTION private.member_has(p_org_id uuid, p_user_id uuid, p_permission text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select exists (
        select from public.org_memberships m
        where m.org_id = p_org_id and m.user_id = p_user_id and p_permission = any (private.role_permissions(m.role))
    )
$$;

CREATE FUNCTION private.members_with(p_org_id uuid, p_permission text) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(m.user_id), '{}') from public.org_memberships m
    where m.org_id = p_org_id and p_permission = any (private.role_permissions(m.role))
$$;

CREATE FUNCTION private.merge_campaign_fields(p_old public.campaigns, p_fields jsonb) RETURNS public.campaigns
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_new public.campaigns;
    v_unknown text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'The fields are not an object');
    end if;
    select min(k) into v_unknown from jsonb_object_keys(p_fields) k
    where k not in ('name', 'description', 'whatsapp_account_id', 'audience', 'scheduled_at', 'time_zone', 'quiet_hours', 'uncertain_policy',
        'uncertain_hours', 'holdout_percent', 'test', 'attribution_days', 'variants');
    if v_unknown is not null then
        perform private.refuse_campaign_field(v_unknown, 'unknown', 'There is no such field');
    end if;
    begin
        v_new := jsonb_populate_record(p_old, p_fields - 'variants');
    exception when data_exception then
        perform private.refuse_campaign_field(null, 'wrong_value', 'A value has the wrong type');
    end;
    v_new.name := btrim(v_new.name);
    v_new.description := nullif(btrim(v_new.description), '');
    v_new.uncertain_policy := coalesce(v_new.uncertain_policy, 'miss');
    v_new.uncertain_hours := coalesce(v_new.uncertain_hours, 24);
    v_new.holdout_percent := coalesce(v_new.holdout_percent, 0);
    v_new.attribution_days := coalesce(v_new.attribution_days, 7);
    if v_new.name is null or length(v_new.name) not between 1 and 100 then
        perform private.refuse_campaign_field('name', 'wrong_value', 'A name has 1 to 100 characters');
    elsif length(v_new.description) > 1000 then
        perform private.refuse_campaign_field('description', 'wrong_value', 'A description has at most 1000 characters');
    elsif v_new.whatsapp_account_id is not null and not exists (
        select from public.whatsapp_accounts a where a.org_id = v_new.org_id and a.id = v_new.whatsapp_account_id)
    then
        perform private.refuse_campaign_field('whatsapp_account_id', 'unknown_account', 'There is no such number');
    elsif v_new.uncertain_policy not in ('miss', 'repeat') then
        perform private.refuse_campaign_field('uncertain_policy', 'wrong_value', 'miss or repeat');
    elsif v_new.uncertain_hours not between 1 and 168 then
        perform private.refuse_campaign_field('uncertain_hours', 'wrong_value', '1 to 168 hours');
    elsif v_new.holdout_percent not between 0 and 50 then
        perform private.refuse_campaign_field('holdout_percent', 'wrong_value', '0 to 50 percent');
    elsif v_new.attribution_days not between 1 and 90 then
        perform private.refuse_campaign_field('attribution_days', 'wrong_value', '1 to 90 days');
    elsif v_new.time_zone is not null and not private.is_time_zone(v_new.time_zone) then
        perform private.refuse_campaign_field('time_zone', 'wrong_value', 'There is no such time zone');
    elsif jsonb_typeof(v_new.audience) <> 'object' or jsonb_typeof(v_new.quiet_hours) <> 'object' or jsonb_typeof(v_new.test) <> 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'Audience, quiet hours and test are objects');
    end if;
    if v_new.audience is distinct from p_old.audience then
        perform private.check_audience(v_new.org_id, v_new.audience);
    end if;
    perform private.check_quiet_hours(v_new.quiet_hours);
    perform private.check_campaign_test(v_new.test);
    return v_new;
end
$$;

CREATE FUNCTION private.merge_contact_fields(p_base public.contacts, p_fields jsonb) RETURNS public.contacts
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_key text;
    v_contact public.contacts;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": null}');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('phone', 'full_name', 'email', 'avatar_url', 'company', 'job_title', 'address', 'notes', 'birthday', 'lifecycle_stage', 'custom_fields') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        if v_key = 'custom_fields' then
            p_base.custom_fields := private.change_custom_values(p_base.org_id, coalesce(p_base.custom_fields, '{}'), p_fields -> v_key);
            continue;
        end if;
        -- A number or a list in a text field would be stored as its JSON text.
        if v_key <> 'address' and jsonb_typeof(p_fields -> v_key) not in ('string', 'null') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        begin
            v_contact := jsonb_populate_record(p_base, jsonb_build_object(v_key, case
                when jsonb_typeof(p_fields -> v_key) = 'string' then to_jsonb(nullif(btrim(p_fields ->> v_key), ''))
                else p_fields -> v_key end));
            p_base := v_contact;
        exception when data_exception then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end;
    end loop;
    if p_base.email is not null and p_base.email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' then
        perform private.raise_error('CONTACT_007', '{"field": "email"}');
    end if;
    if p_base.lifecycle_stage is null then
        p_base.lifecycle_stage := 'lead';
    end if;
    if p_fields ? 'phone' and p_base.phone is not null then
        p_base.phone := private.contact_phone(p_base.org_id, p_base.phone);
    end if;
    return p_base;
end
$_$;

CREATE FUNCTION private.merge_template_fields(p_base public.templates, p_fields jsonb) RETURNS public.templates
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_key text;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.refuse_template('', 'malformed', 'Fields are an object');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('waba_id', 'name', 'language', 'category', 'parameter_format', 'components', 'links') then
            perform private.refuse_template('/' || v_key, 'unknown_field', 'There is no such field');
        end if;
        if jsonb_typeof(p_fields -> v_key) <> (case v_key when 'components' then 'array' when 'links' then 'object' else 'string' end) then
            perform private.refuse_template('/' || v_key, 'malformed', 'This has the wrong kind');
        end if;
    end loop;
    p_base := jsonb_populate_record(p_base, p_fields);
    if p_base.waba_id is null then
        perform private.raise_error('WA_006');
    end if;
    if p_fields ? 'waba_id' and not private.is_own_waba(p_base.org_id, p_base.waba_id) then
        perform private.refuse_template('/waba_id', 'unknown', 'This WhatsApp account is not connected');
    end if;
    if coalesce(p_base.name, '') !~ '^[a-z0-9_]+$' or length(p_base.name) > 512 then
        perform private.refuse_template('/name', 'wrong_name', 'A name has 1 to 512 small letters, digits and underscores');
    end if;
    if coalesce(p_base.language, '') !~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$' then
        perform private.refuse_template('/language', 'wrong_language', 'This is no language of WhatsApp');
    end if;
    if coalesce(p_base.category, '') not in ('marketing', 'utility', 'authentication') then
        perform private.refuse_template('/category', 'wrong_category', 'A template is marketing, utility or authentication');
    end if;
    if coalesce(p_base.parameter_format, '') not in ('positional', 'named') then
        perform private.refuse_template('/parameter_format', 'wrong_format', 'Variables are positional or named');
    end if;
    perform private.check_template_parts(p_base.org_id, p_base);
    return p_base;
end
$_$;

CREATE FUNCTION private.move_links(p_from uuid, p_to uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- Where both were recipients of a campaign, each has a token of every button in a message of their own.
    update private.links l set
        contact_id = p_to,
        is_retired = l.is_retired or exists (
            select from private.links o
            where o.contact_id = p_to and o.campaign_id = l.campaign_id and o.button = l.button and not o.is_retired)
    where l.token = any (private.tokens_of(p_from));
    update public.opportunities o set contact_id = p_to
    from public.contacts c where c.id = p_to and o.org_id = c.org_id and o.contact_id = p_from;
    -- Of two rows of a campaign one is left: what the other's person did is theirs.
    update public.campaign_recipients r set clicked_at = least(r.clicked_at, d.clicked_at), opportunity_at = least(r.opportunity_at, d.occurred_at)
    from (
        select x.campaign_id, min(x.clicked_at) as clicked_at, min(x.occurred_at) as occurred_at
        from (
            select l.campaign_id, l.clicked_at, null::timestamptz as occurred_at from private.links l
            where l.contact_id = p_to and l.clicked_at is not null
            union all
            select a.id, null, o.occurred_at from public.contacts c join public.opportunities o on o.org_id = c.org_id and o.contact_id = c.id
            cross join unnest(array[o.campaign_id, o.held_out_campaign_id]) a (id)
            where c.id = p_to
        ) x
        group by x.campaign_id
    ) d
    where r.campaign_id = d.campaign_id and r.contact_id = p_to
        and (coalesce(d.clicked_at < coalesce(r.clicked_at, 'infinity'), false) or coalesce(d.occurred_at < coalesce(r.opportunity_at, 'infinity'), false));
end
$$;

CREATE FUNCTION private.move_recipients(p_from uuid, p_to uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.my_colleague_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(distinct m.user_id), '{}') from public.org_memberships m
    where m.org_id = any (private.my_org_ids())
$$;

CREATE FUNCTION private.my_org_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$ select private.my_orgs_with('read') $$;

CREATE FUNCTION private.my_orgs_with(p_permission text) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(m.org_id), '{}')
    from public.org_memberships m
    join public.organizations o on o.id = m.org_id and o.deleted_at is null
    where m.user_id = (select auth.uid()) and p_permission = any (private.role_permissions(m.role))
$$;

COMMENT ON FUNCTION private.my_orgs_with(p_permission text) IS 'Organisations in which the caller has a permission. Empty for anonymous callers.';

CREATE FUNCTION private.name_free_at(p_template public.templates) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select max(t.deleted_at) + interval '30 days' from public.templates t
    where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
        and t.wa_template_id is not null and t.reviewed_at is not null and t.rejected_reason is null and t.deleted_at > private.clock() - interval '30 days'
$$;

CREATE FUNCTION private.next_edit_at(p_template_id uuid) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select nullif(greatest(
        (select max(e.edited_at) + interval '24 hours' from private.template_edits e
            where e.template_id = p_template_id and e.edited_at > private.clock() - interval '24 hours'),
        (select e.edited_at + interval '30 days' from private.template_edits e
            where e.template_id = p_template_id and e.edited_at > private.clock() - interval '30 days' order by e.edited_at desc offset 9 limit 1)
    ), '-infinity')
$$;

CREATE FUNCTION private.next_rebuild(p_org_id uuid) RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.rebuild is not null order by p.level, p.segment_id limit 1
$$;

CREATE FUNCTION private.note_replies(p_inserted jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select i.org_id, 'replied', i.contact_id, q.campaign_id, m.whatsapp_account_id, min(i.occurred_at)
    from jsonb_to_recordset(p_inserted) as i (
        id uuid, org_id uuid, contact_id uuid, occurred_at timestamptz, reply_to_message_id uuid, is_new boolean)
    join public.messages m on m.id = i.id
    left join public.messages q on q.id = i.reply_to_message_id
    where i.is_new and exists (select from public.campaigns c where c.org_id = i.org_id and c.launched_at is not null)
    group by i.org_id, i.contact_id, q.campaign_id, m.whatsapp_account_id
$$;

CREATE FUNCTION private.notify_members(p_org_id uuid, p_user_ids uuid[], p_kind text, p_priority text, p_data jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into public.notifications (org_id, user_id, kind, priority, data)
    select p_org_id, u, p_kind, p_priority, p_data from unnest(p_user_ids) u;
    perform private.broadcast('user:' || u, 'notification', '{}') from unnest(p_user_ids) u;
end
$$;

CREATE FUNCTION private.notify_of_campaign(p_campaign public.campaigns, p_kind text, p_priority text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.notify_members(p_campaign.org_id, private.members_with(p_campaign.org_id, 'campaigns.manage'), p_kind, p_priority,
        jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
end
$$;

CREATE FUNCTION private.other_statuses(p_events jsonb, p_known jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select jsonb_agg(e.value) from jsonb_array_elements(p_events) e
    where not exists (
        select from jsonb_to_recordset(coalesce(p_known, '[]')) as k (phone_number_id text, wa_message_id text)
        where k.phone_number_id = e.value ->> 'phone_number_id' and k.wa_message_id = e.value ->> 'wa_message_id')
$$;

CREATE FUNCTION private.pause(p_campaign public.campaigns, p_reason text) RETURNS public.campaigns
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set status = 'paused', status_reason = p_reason, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.paused', (select auth.uid()));
    if p_reason is not null then
        perform private.notify_of_campaign(v_campaign, 'campaign.paused', 'high');
    end if;
    return v_campaign;
end
$$;

CREATE FUNCTION private.planned_cost(p_campaign public.campaigns) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_prices jsonb := (select s.message_prices from public.campaign_settings s where s.org_id = p_campaign.org_id);
    v_result jsonb;
begin
    if v_prices is null then
        return null;
    end if;
    with groups as materialized (
        -- Five characters hold the plus and the longest country code; there are few of them.
        select left(coalesce(c.phone, '+' || c.wa_id), 5) as head, coalesce(r.variant, 1) as variant, count(*) as messages
        from public.campaign_recipients r join public.contacts c on c.id = r.contact_id
        where r.campaign_id = p_campaign.id and r.status not in ('excluded', 'held_out') group by 1, 2
    ), priced as (
        select g.messages, coalesce((
                select (x.value ->> t.category)::numeric from jsonb_each(v_prices -> 'countries') x
                join private.calling_codes() k on k.country = x.key
                where g.head like '+' || k.code || '%' and x.value ? t.category order by length(k.code) desc limit 1),
            (v_prices #>> array['default', t.category])::numeric, 0) as price
        from groups g
        join public.campaign_variants v on v.campaign_id = p_campaign.id and v.position = g.variant
        join public.templates t on t.id = v.template_id
    )
    select jsonb_build_object('currency', v_prices ->> 'currency', 'amount', coalesce(round(sum(p.messages * p.price), 4), 0), 'messages', coalesce(sum(p.messages), 0))
    into v_result from priced p;
    return v_result;
end
$$;

CREATE FUNCTION private.portfolio_of(p_account public.whatsapp_accounts) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select coalesce('business ' || p_account.business_id, 'waba ' || p_account.waba_id) $$;

CREATE FUNCTION private.probe_page(p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_order text := format('%s %s, c.id %2$s', p_key, case when p_descending then 'desc' else 'asc' end);
    v_ids uuid[];
begin
    execute format('select array(
            select c.id from (
                select c.* from public.contacts c where c.org_id = $3 and c.deleted_at is null and %s is not null order by %s limit 2000
            ) c where %s order by %2$s limit $5 offset $6)', p_key, v_order, p_filter.condition)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
    return v_ids;
end
$_$;

CREATE FUNCTION private.put_tags(p_contact public.contacts, p_tag_ids uuid[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_added uuid[];
    v_removed uuid[];
begin
    perform private.check_tags(p_contact.org_id, p_tag_ids);
    with gone as (
        delete from public.contact_tags ct
        where ct.org_id = p_contact.org_id and ct.contact_id = p_contact.id and not (ct.tag_id = any (coalesce(p_tag_ids, '{}')))
        returning ct.tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_removed from gone;
    with new as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select distinct p_contact.org_id, p_contact.id, x from unnest(p_tag_ids) x
        on conflict do nothing
        returning tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_added from new;
    if cardinality(v_added) + cardinality(v_removed) = 0 then
        return false;
    end if;
    perform private.record_activity(p_contact.org_id, 'contact.tags_changed', (select auth.uid()), p_contact.id,
        p_data => jsonb_build_object('added', to_jsonb(v_added), 'removed', to_jsonb(v_removed)));
    return true;
end
$$;

CREATE FUNCTION private.queue_changed_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select x.org_id, x.id from (
        select n.org_id, n.id, n.full_name, n.email, n.phone, n.company, n.job_title, n.username, n.notes, n.address, n.source,
            n.opt_in_status, n.opt_in_at, n.lifecycle_stage, n.birthday, n.custom_fields, n.messages_sent, n.messages_received,
            n.created_at, n.last_message_at, n.last_inbound_at, n.deleted_at, n.erased_at
        from new_rows n
        except
        select o.org_id, o.id, o.full_name, o.email, o.phone, o.company, o.job_title, o.username, o.notes, o.address, o.source,
            o.opt_in_status, o.opt_in_at, o.lifecycle_stage, o.birthday, o.custom_fields, o.messages_sent, o.messages_received,
            o.created_at, o.last_message_at, o.last_inbound_at, o.deleted_at, o.erased_at
        from old_rows o
    ) x;
    return null;
end
$$;

CREATE FUNCTION private.queue_changed_definitions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id)
    select distinct x.org_id from (
        (select n.org_id, n.key, n.label, n.type, n.options from new_rows n except select o.org_id, o.key, o.label, o.type, o.options from old_rows o)
        union all
        (select o.org_id, o.key, o.label, o.type, o.options from old_rows o except select n.org_id, n.key, n.label, n.type, n.options from new_rows n)
    ) x;
    return null;
end
$$;

CREATE FUNCTION private.queue_changed_time_zones() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id)
    select x.id from (select n.id, n.time_zone from new_rows n except select o.id, o.time_zone from old_rows o) x;
    return null;
end
$$;

CREATE FUNCTION private.queue_contacts_of_changed_conversations() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select x.org_id, x.contact_id
    from (
        (select n.org_id, n.contact_id, n.id, n.status in ('open', 'pending') as is_active from new_rows n
            except select o.org_id, o.contact_id, o.id, o.status in ('open', 'pending') from old_rows o)
        union all
        (select o.org_id, o.contact_id, o.id, o.status in ('open', 'pending') as is_active from old_rows o
            except select n.org_id, n.contact_id, n.id, n.status in ('open', 'pending') from new_rows n)
    ) x
    group by x.org_id, x.contact_id;
    return null;
end
$$;

CREATE FUNCTION private.queue_contacts_of_moved_tags() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select n.org_id, n.contact_id from new_rows n union select o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

CREATE FUNCTION private.queue_contacts_of_new_rows() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct n.org_id, n.contact_id from new_rows n;
    return null;
end
$$;

CREATE FUNCTION private.queue_contacts_of_old_rows() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

CREATE FUNCTION private.queue_contacts_of_reactions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if not exists (
        select from private.segment_programs p
        where p.org_id = (select n.org_id from new_rows n limit 1) and position('campaign_reactions' in p.predicate) > 0)
    then
        return null;
    end if;
    insert into private.contact_changes (org_id, contact_id)
    select distinct x.org_id, x.contact_id from (
        select n.org_id, n.contact_id, n.campaign_id, coalesce(n.delivered_at, n.read_at) as received_at, n.read_at, n.replied_at, n.clicked_at from new_rows n
        except
        select o.org_id, o.contact_id, o.campaign_id, coalesce(o.delivered_at, o.read_at), o.read_at, o.replied_at, o.clicked_at from old_rows o
    ) x
    where coalesce(x.received_at, x.read_at, x.replied_at, x.clicked_at) is not null;
    return null;
end
$$;

CREATE FUNCTION private.queue_deleted_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id) select o.org_id, o.id from old_rows o;
    return null;
end
$$;

CREATE FUNCTION private.queue_message(p_message_id uuid, p_lane integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
    select m.id, m.org_id, m.whatsapp_account_id, m.conversation_id, p_lane from public.messages m where m.id = p_message_id;
    perform pg_catalog.pg_notify('octopush_send', '');
end
$$;

CREATE FUNCTION private.queue_new_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id, contact_id) select n.org_id, n.id from new_rows n;
    return null;
end
$$;

CREATE FUNCTION private.queue_removed_definitions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.contact_changes (org_id) select distinct o.org_id from old_rows o;
    return null;
end
$$;

CREATE FUNCTION private.queue_time_boundaries(p_org_id uuid, p_from timestamp with time zone, p_until timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with bounds as materialized (
        select distinct h."column", p_from - make_interval(hours => h.hours) as low, p_until - make_interval(hours => h.hours) as high
        from private.segment_programs p, jsonb_to_recordset(p.rolling) as h ("column" text, hours integer)
        where p.org_id = p_org_id
    )
    insert into private.contact_changes (org_id, contact_id, is_time)
    select p_org_id, x.id, true from (
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_message_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'last_message_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_inbound_at between b.low and b.high and c.deleted_at is null and c.last_inbound_at is not null
        where b."column" = 'last_inbound_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.created_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'created_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.opt_in_at between b.low and b.high and c.deleted_at is null and c.opt_in_at is not null
        where b."column" = 'opt_in_at'
    ) x
$$;

CREATE FUNCTION private.quiet_from(p_quiet_hours jsonb, p_time_zone text, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select (l.at::date + case when l.at::time < q.starts then 0 else 1 end + q.starts) at time zone p_time_zone
    from (select (p_quiet_hours ->> 'from')::time as starts) q, (select p_now at time zone p_time_zone as at) l
    where p_quiet_hours is not null
$$;

CREATE FUNCTION private.quiet_until(p_quiet_hours jsonb, p_time_zone text, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select case
        when q.starts < q.ends and l.at::time >= q.starts and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time >= q.starts then (l.at::date + 1 + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
    end
    from (select (p_quiet_hours ->> 'from')::time as starts, (p_quiet_hours ->> 'to')::time as ends) q, (select p_now at time zone p_time_zone as at) l
$$;

CREATE FUNCTION private.raise_error(p_code text, p_details jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_entry record;
begin
    select c.code, c.http_status, c.message, c.hint into v_entry from octopush.error_catalog() c where c.code = p_code;
    if not found then
        raise exception 'error code % is not in the catalogue', p_code;
    end if;
    -- PostgREST turns SQLSTATE PGRST into the HTTP answer; details must be text there, an object is its own error (PGRST121).
    raise exception sqlstate 'PGRST' using
        message = jsonb_build_object('code', v_entry.code, 'message', v_entry.message, 'details', p_details::text, 'hint', v_entry.hint)::text,
        detail = jsonb_build_object('status', v_entry.http_status, 'headers', '{}'::jsonb)::text;
end
$$;

COMMENT ON FUNCTION private.raise_error(p_code text, p_details jsonb) IS 'Raises an error of the catalogue. p_details: machine-readable facts, sent as JSON text.';

CREATE FUNCTION private.read_opportunity(p_fields jsonb, p_allowed text[]) RETURNS private.opportunity_fields
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_fields private.opportunity_fields;
    v_key text;
    v_value text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        v_fields.problem := '*';
        return v_fields;
    end if;
    v_fields.occurred_at := private.clock();
    for v_key in select jsonb_object_keys(p_fields) loop
        v_fields.problem := v_key;
        if v_key <> all (p_allowed) then
            return v_fields;
        end if;
        v_value := nullif(btrim(p_fields ->> v_key), '');
        continue when v_value is null;
        -- Amounts also as text: not every shop trusts its numbers to JSON.
        if jsonb_typeof(p_fields -> v_key) <> 'string' and (v_key <> 'amount' or jsonb_typeof(p_fields -> v_key) <> 'number') then
            return v_fields;
        end if;
        begin
            case v_key
                when 'amount' then v_fields.amount := trim_scale(v_value::numeric);
                when 'currency' then v_fields.currency := upper(v_value);
                when 'external_id' then v_fields.external_id := v_value;
                when 'note' then v_fields.note := v_value;
                when 'campaign_id' then v_fields.campaign_id := v_value::uuid;
                when 'occurred_at' then
                    -- With its zone: a time without one would be read in ours.
                    if v_value !~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$' then
                        return v_fields;
                    end if;
                    v_fields.occurred_at := v_value::timestamptz;
                else null;
            end case;
        exception when data_exception then
            return v_fields;
        end;
    end loop;
    v_fields.problem := case
        when v_fields.amount is not null and (v_fields.amount < 0 or v_fields.amount >= 1e12 or scale(v_fields.amount) > 4) then 'amount'
        when (v_fields.amount is null) <> (v_fields.currency is null) then case when v_fields.amount is null then 'amount' else 'currency' end
        when v_fields.currency !~ '^[A-Z]{3}$' then 'currency'
        when length(v_fields.external_id) > 200 then 'external_id'
        when length(v_fields.note) > 1000 then 'note'
        -- Other clocks may be ahead of ours by a little; the ledger of campaigns goes back no longer than a year.
        when v_fields.occurred_at > private.clock() + interval '5 minutes' or v_fields.occurred_at < private.clock() - interval '1 year' then 'occurred_at'
    end;
    return v_fields;
end
$_$;

CREATE FUNCTION private.reason_to_wait(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_now timestamp with time zone) RETURNS TABLE(reason text, until timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_account.status <> 'connected' then
        reason := 'account';
    elsif p_account.quality_rating = 'RED' then
        reason := 'quality';
    elsif p_campaign.quiet_hours is not null then
        until := private.quiet_until(p_campaign.quiet_hours, private.campaign_zone(p_campaign), p_now);
        reason := case when until is not null then 'quiet_hours' end;
    end if;
    return next;
end
$$;

CREATE FUNCTION private.reasons_of(p_campaign_id uuid, p_is_failure boolean) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_object_agg(x.reason, x.recipients), '{}') from (
        select r.reason, sum(r.recipients) as recipients from private.campaign_reasons r
        where r.campaign_id = p_campaign_id and r.is_failure = p_is_failure group by r.reason having sum(r.recipients) <> 0
    ) x
$$;

CREATE FUNCTION private.rebuild_segment(p_segment_id uuid, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments;
    v_program private.segment_programs;
begin
    select s.* into v_segment from public.segments s where s.id = p_segment_id;
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    with desired as materialized (
        (select m.id from private.matching_contacts(v_segment.org_id, coalesce(v_program.predicate, 'false'),
            coalesce(v_program.params, '{}'), p_now) m (id)
        except
        select p.contact_id from public.segment_pins p where p.segment_id = p_segment_id and p.kind = 'exclude')
        union
        select p.contact_id from public.segment_pins p
        join public.contacts c on c.id = p.contact_id and c.org_id = p.org_id and c.deleted_at is null and c.erased_at is null
        where p.segment_id = p_segment_id and p.kind = 'include'
    ), different as materialized (
        select x.id, max(x.place) as place
        from (
            select d.id, null::tid as place from desired d
            union all
            select m.contact_id, m.ctid from public.segment_members m where m.segment_id = p_segment_id
        ) x
        group by x.id having count(*) = 1
    ), entered as (
        insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
        select p_segment_id, d.id, v_segment.org_id, p_now from different d where d.place is null order by d.id
        returning contact_id
    ), gone as (
        delete from public.segment_members m
        where m.ctid = any (array(select d.place from different d where d.place is not null))
        returning m.contact_id
    ), told as (
        insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
        select v_segment.org_id, p_segment_id, x.contact_id, x.kind, v_program.rebuild, p_now
        from (
            select e.contact_id, 'entered' as kind from entered e union all select g.contact_id, 'left' from gone g
        ) x
        where v_program.rebuild <> 'created'
    )
    update public.segments s set evaluated_at = p_now, member_count = (select count(*) from desired) where s.id = p_segment_id;
    update private.segment_programs p set rebuild = null where p.segment_id = p_segment_id;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, p_now) where k.org_id = v_segment.org_id;
end
$$;

CREATE FUNCTION private.recipient_cells(p_campaign_id uuid, p_contact_ids uuid[], p_zone text) RETURNS TABLE(contact_id uuid, cells text[])
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select r.contact_id, array[coalesce(c.phone, '+' || c.wa_id, ''), coalesce(c.full_name, ''), r.status, coalesce(r.variant::text, ''),
        coalesce(r.exclusion_reason, '')] || array(
            select coalesce(to_char(t at time zone p_zone, 'YYYY-MM-DD HH24:MI:SS'), '')
            from unnest(array[r.queued_at, r.sent_at, r.delivered_at, r.read_at, r.replied_at, r.clicked_at, r.opportunity_at, r.failed_at])
                with ordinality x (t, place) order by x.place)
        || array[coalesce(r.error_code, ''), case when r.is_uncertain then 'yes' else '' end]
    from public.campaign_recipients r
    left join public.contacts c on c.id = r.contact_id
    where r.campaign_id = p_campaign_id and r.contact_id = any (p_contact_ids)
$$;

CREATE FUNCTION private.recipient_header() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select array['Phone', 'Name', 'Status', 'Variant', 'Left out because', 'Queued', 'Sent', 'Delivered', 'Read', 'Replied', 'Clicked', 'Opportunity',
        'Failed', 'Error', 'Uncertain']
$$;

CREATE TABLE public.campaign_recipients (
    campaign_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    org_id uuid NOT NULL,
    "position" integer NOT NULL,
    variant smallint,
    status text NOT NULL,
    is_uncertain boolean DEFAULT false NOT NULL,
    exclusion_reason text,
    message_id uuid,
    attempts smallint DEFAULT 0 NOT NULL,
    ready_at timestamp with time zone,
    error_code text,
    error_message text,
    queued_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    replied_at timestamp with time zone,
    clicked_at timestamp with time zone,
    opportunity_at timestamp with time zone,
    failed_at timestamp with time zone,
    CONSTRAINT campaign_recipients__excluded__check CHECK (((exclusion_reason IS NOT NULL) = (status = 'excluded'::text))),
    CONSTRAINT campaign_recipients__waiting__check CHECK (((ready_at IS NOT NULL) = (status = 'waiting'::text))),
    CONSTRAINT campaign_recipients_status_check CHECK ((status = ANY (ARRAY['excluded'::text, 'held_out'::text, 'waiting'::text, 'queued'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text])))
)
WITH (fillfactor='75', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.campaign_recipients IS 'The ledger: everybody in the audience as it was at launch, and what became of their message.';

COMMENT ON COLUMN public.campaign_recipients.variant IS 'Null for those who wait for the winner of the test, and for those who get nothing.';

COMMENT ON COLUMN public.campaign_recipients.status IS 'sent: Meta took it. queued: handed to the sender, or uncertain.';

COMMENT ON COLUMN public.campaign_recipients.attempts IS 'Messages made for this person; one more only after Meta refused the last.';

CREATE FUNCTION private.recipient_row(p_recipient public.campaign_recipients, p_full_name text, p_phone text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$ select to_jsonb(p_recipient) - array['org_id', 'campaign_id'] || jsonb_build_object('full_name', p_full_name, 'phone', p_phone) $$;

CREATE FUNCTION private.record_activity(p_org_id uuid, p_kind text, p_actor_id uuid DEFAULT NULL::uuid, p_contact_id uuid DEFAULT NULL::uuid, p_conversation_id uuid DEFAULT NULL::uuid, p_data jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into public.activity_log (org_id, kind, actor_id, contact_id, conversation_id, data)
    values (p_org_id, p_kind, p_actor_id, p_contact_id, p_conversation_id, p_data);
    perform private.broadcast('org:' || p_org_id, 'activity', '{}');
end
$$;

CREATE FUNCTION private.record_consents(p_org_id uuid, p_actor uuid, p_changes jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with changes as materialized (
        select x.contact_id, x.old, x.new, x.source, left(x.evidence, 500) as evidence, coalesce(x.decided_at, clock_timestamp()) as decided_at
        from jsonb_to_recordset(p_changes) as x (contact_id uuid, old text, new text, source text, evidence text, decided_at timestamptz)
    ), history as (
        insert into public.contact_consents (org_id, contact_id, old_status, new_status, source, evidence, actor_id, decided_at)
        select p_org_id, c.contact_id, c.old, c.new, c.source, c.evidence, p_actor, c.decided_at from changes c
    )
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_org_id, 'contact.consent_changed', p_actor, c.contact_id, jsonb_build_object('old', c.old, 'new', c.new, 'source', c.source)
    from changes c
$$;

CREATE FUNCTION private.refuse_campaign_field(p_field text, p_code text, p_message text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    perform private.raise_error('CAMPAIGN_009', jsonb_build_object('problems', jsonb_build_array(private.campaign_problem(p_field, p_code, p_message))));
end
$$;

CREATE FUNCTION private.refuse_campaign_state(p_campaign public.campaigns) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', p_campaign.status));
end
$$;

CREATE FUNCTION private.refuse_import_lines(p_job_id uuid, p_lines private.import_line[]) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with refused as (
        insert into private.import_rows (job_id, line, cells, outcome, reason)
        select p_job_id, l.line, coalesce(l.cells, '{}'), 'failed', l.problem from unnest(p_lines) l
        union all
        select p_job_id, a.line, a.cells, 'failed', l.problem
        from unnest(p_lines) l, jsonb_to_recordset(l.also) as a (line bigint, cells text[]) where l.also is not null
        on conflict do nothing
        returning 1
    )
    select count(*)::integer from refused
$$;

CREATE FUNCTION private.refuse_mapping(p_field text, p_message text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select private.raise_error('JOB_004', jsonb_build_object('problems', jsonb_build_array(jsonb_build_object('field', p_field, 'message', p_message))))
$$;

CREATE FUNCTION private.refuse_segment(p_path text, p_code text, p_message text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    perform private.raise_error('SEGMENT_002', jsonb_build_object('problems',
        jsonb_build_array(jsonb_build_object('path', p_path, 'code', p_code, 'message', p_message))));
end
$$;

CREATE FUNCTION private.refuse_template(p_path text, p_code text, p_message text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    perform private.raise_error('TEMPLATE_004', jsonb_build_object('problems', jsonb_build_array(private.template_problem(p_path, p_code, p_message))));
end
$$;

CREATE FUNCTION private.refuse_template_errors(p_template public.templates) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_problems jsonb := octopush.check_template(private.template_shape(p_template));
begin
    if jsonb_path_exists(v_problems, '$[*] ? (@.severity == "error")') then
        perform private.raise_error('TEMPLATE_004', jsonb_build_object('problems', v_problems));
    end if;
end
$_$;

CREATE FUNCTION private.refuse_template_state(p_template public.templates) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    perform private.raise_error(case p_template.status when 'pending' then 'TEMPLATE_003' else 'TEMPLATE_006' end,
        jsonb_build_object('status', p_template.status, 'meta_status', p_template.meta_status));
end
$$;

CREATE FUNCTION private.refuse_used_template(p_template_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_users jsonb;
begin
    select jsonb_agg(jsonb_build_object('kind', u.kind, 'id', u.id, 'name', u.name, 'status', u.status)) into v_users
    from private.template_users(p_template_id) u;
    if v_users is not null then
        perform private.raise_error('TEMPLATE_008', jsonb_build_object('used_by', v_users));
    end if;
end
$$;

CREATE FUNCTION private.rehearsed_messages(p_campaign_id uuid, p_limit integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', x.full_name, 'phone', x.phone, 'variant', x.variant,
        'rendered', octopush.render_template(x.template, octopush.campaign_values(x.variables, x.contact))) order by x.position), '[]')
    from (
        select r.position, r.contact_id, c.full_name, coalesce(c.phone, '+' || c.wa_id) as phone, r.variant, v.variables,
            private.template_shape(t) as template, to_jsonb(c) as contact
        from public.campaign_recipients r
        join public.contacts c on c.id = r.contact_id
        join public.campaign_variants v on v.campaign_id = r.campaign_id and v.position = r.variant
        join public.templates t on t.id = v.template_id
        where r.campaign_id = p_campaign_id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null
        order by r.ready_at, r.position limit p_limit
    ) x
$$;

CREATE FUNCTION private.release_assignments(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_ids uuid[];
begin
    -- In the order of the applier, which locks many as well; and no other row than these, or a later one would come out of order.
    v_ids := array(
        select c.id from public.conversations c where c.org_id = p_org_id and c.assigned_to = p_user_id order by c.id for no key update);
    update public.conversations c set assigned_to = null, updated_at = now() where c.id = any (v_ids);
    if cardinality(v_ids) > 0 then
        perform private.broadcast_conversations(p_org_id, v_ids);
    end if;
end
$$;

CREATE FUNCTION private.request_rebuilds(p_org_id uuid, p_segment_ids uuid[], p_cause text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    update private.segment_programs p set rebuild = p_cause
    where p.org_id = p_org_id and p.rebuild is distinct from 'created' and (p.segment_id = any (p_segment_ids)
        or p.segment_id in (select a from unnest(p_segment_ids) s, private.segments_above(s) a))
$$;

CREATE FUNCTION private.request_template_sync(p_org_id uuid, p_waba_id text, p_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into private.template_syncs as s (org_id, waba_id, requested_at) values (p_org_id, p_waba_id, coalesce(p_at, private.clock()))
    on conflict (org_id, waba_id) do update set requested_at = excluded.requested_at;
    perform private.wake_template_workers();
end
$$;

CREATE FUNCTION private.require_complete(p_campaign public.campaigns) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_problems jsonb;
begin
    if not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null) then
        perform private.raise_error('CAMPAIGN_004');
    end if;
    v_problems := private.campaign_problems(p_campaign);
    if v_problems <> '[]' then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
end
$$;

CREATE FUNCTION private.require_opportunities(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if not (p_org_id = any (private.my_orgs_with('inbox.answer'))) then
        perform private.require_permission(p_org_id, 'campaigns.manage');
    end if;
end
$$;

CREATE FUNCTION private.require_permission(p_org_id uuid, p_permission text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if (select auth.uid()) is null then
        perform private.raise_error('AUTH_002');
    end if;
    -- A stranger is told the same as for an organisation that does not exist.
    if p_org_id is null or not (p_org_id = any (private.my_org_ids())) then
        perform private.raise_error('ORG_001');
    end if;
    if not (p_org_id = any (private.my_orgs_with(p_permission))) then
        perform private.raise_error('AUTH_003', jsonb_build_object('permission', p_permission));
    end if;
end
$$;

COMMENT ON FUNCTION private.require_permission(p_org_id uuid, p_permission text) IS 'Raises AUTH_002, ORG_001 or AUTH_003 unless the caller has the permission.';

CREATE FUNCTION private.require_segment_reader(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if not private.is_database_admin() then
        perform private.require_permission(p_org_id, 'read');
    end if;
end
$$;

CREATE FUNCTION private.require_template_version(p_template public.templates, p_expected_updated_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_template.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('TEMPLATE_010', jsonb_build_object('template', to_jsonb(p_template)));
    end if;
end
$$;

CREATE FUNCTION private.require_version(p_campaign public.campaigns, p_expected_updated_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if p_campaign.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CAMPAIGN_007', jsonb_build_object('campaign', to_jsonb(p_campaign)));
    end if;
end
$$;

CREATE FUNCTION private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_wa_id text := case when p_wa_id ~ '^[0-9]{5,20}$' then p_wa_id end;
    v_bsuid text := case when length(p_bsuid) between 4 and 140 then p_bsuid end;
    v_phone text := case when p_wa_id ~ '^[1-9][0-9]{6,14}$' then '+' || p_wa_id end;
    v_id uuid;
begin
    if v_wa_id is null and v_bsuid is null then
        return null;
    end if;
    -- Twice: a first writer elsewhere may win between our look and our insert.
    for i in 1..2 loop
        -- A phone names the person when both are given: sources disagree (reference/whatsapp.md §2.2), and a phone is what people recognise.
        select c.id into v_id from public.contacts c
        -- A phone somebody typed is a hint: it names nobody who is known by another WhatsApp number.
        where c.org_id = p_org_id and (c.wa_id = v_wa_id or (c.phone = v_phone and c.wa_id is null) or c.bsuid = v_bsuid)
        order by (c.wa_id = v_wa_id) desc nulls last, (c.phone = v_phone and c.wa_id is null) desc nulls last limit 1;
        if found then
            return v_id;
        end if;
        insert into public.contacts (org_id, phone, wa_id, bsuid, full_name, username, source)
        values (p_org_id, case when not exists (select from public.contacts x where x.org_id = p_org_id and x.phone = v_phone) then v_phone end, v_wa_id, v_bsuid, nullif(left(btrim(p_profile_name), 200), ''), left(ltrim(p_username, '@'), 100), 'whatsapp')
        on conflict do nothing
        returning id into v_id;
        if found then
            insert into public.activity_log (org_id, kind, contact_id, data)
            values (p_org_id, 'contact.created', v_id, '{"source": "whatsapp"}');
            return v_id;
        end if;
    end loop;
    raise exception 'contact of % could not be resolved', p_org_id using errcode = 'serialization_failure';
end
$_$;

CREATE FUNCTION private.resume_marketing(p_org_id uuid, p_contact_ids uuid[], p_events jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.role_permissions(p_role text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case p_role
        when 'owner' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage', 'organization.own']
        when 'admin' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage']
        when 'campaign_manager' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'campaigns.manage', 'tags.manage']
        when 'agent' then array['read', 'contacts.write', 'inbox.answer']
        when 'viewer' then array['read']
        else '{}'
    end
$$;

CREATE FUNCTION private.role_rank(p_role text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select array_position(array['viewer', 'agent', 'campaign_manager', 'admin', 'owner'], p_role) $$;

CREATE FUNCTION private.rule_leaves(p_rules jsonb) RETURNS TABLE(path text, field text, value jsonb)
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    with recursive nodes as (
        select '' as path, p_rules as node
        union all
        select n.path || '/' || g.key || '/' || (e.nth - 1), e.value
        from nodes n, jsonb_each(case when n.node ? 'field' then '{}' else n.node end) g,
            jsonb_array_elements(g.value) with ordinality as e (value, nth)
    )
    select n.path, n.node ->> 'field', n.node -> 'value' from nodes n where n.node ? 'field'
$$;

CREATE FUNCTION private.rule_problems(p_org_id uuid, p_rules jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_problems jsonb := octopush.check_segment(coalesce(p_rules, 'null'), private.segment_context(p_org_id));
begin
    if v_problems <> '[]' then
        return v_problems;
    end if;
    return coalesce((
        with named as materialized (
            select l.path, l.field, x.id::uuid as id from private.rule_leaves(p_rules) l
            cross join lateral jsonb_array_elements_text(case jsonb_typeof(l.value) when 'array' then l.value else jsonb_build_array(l.value) end) x (id)
            where l.field in ('tags', 'segment') and l.value is not null
        )
        select jsonb_agg(distinct jsonb_build_object('path', n.path || '/value', 'code', 'wrong_value',
            'message', case n.field when 'tags' then 'This tag does not exist any more' else 'This segment does not exist any more' end))
        from named n
        where case n.field
            when 'tags' then not exists (select from public.tags t where t.org_id = p_org_id and t.id = n.id)
            else not exists (select from public.segments s where s.org_id = p_org_id and s.id = n.id) end
    ), '[]');
end
$$;

CREATE FUNCTION private.search_count_limit() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select 50000 $$;

CREATE FUNCTION private.search_patterns(p_org_id uuid, p_search text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_search text := lower(btrim(left(p_search, 200), E' \t\r\n'));
    v_words text[];
    v_word text;
    v_digits text;
    v_patterns text[];
    v_result jsonb;
begin
    -- A number may be written with blanks and brackets.
    if v_search ~ '^[0-9+()./ -]+$' and length(regexp_replace(v_search, '\D', '', 'g')) >= 3 then
        v_words := array[v_search];
    else
        v_words := (regexp_split_to_array(v_search, '\s+'))[1:8];
    end if;
    foreach v_word in array coalesce(v_words, '{}') loop
        v_word := ltrim(v_word, '@');
        v_digits := regexp_replace(v_word, '\D', '', 'g');
        v_patterns := array[replace(replace(replace(v_word, '\', '\\'), '%', '\%'), '_', '\_')];
        if v_word = '' then
            continue;
        elsif v_word ~ '^[0-9+()./ -]+$' and length(v_digits) >= 3 then
            if v_word like '+%' then
                v_digits := '+' || v_digits;
            end if;
            v_patterns := array['%' || v_digits || '%', '%' || private.stored_digits(p_org_id, v_digits) || '%'];
            if v_patterns[1] = v_patterns[2] then
                v_patterns := v_patterns[1:1];
            end if;
        elsif length(v_word) < 3 then
            v_patterns := array['% ' || v_patterns[1] || '%'] || case when v_digits = v_word then array['% +' || v_digits || '%'] else '{}' end;
        else
            v_patterns := array['%' || v_patterns[1] || '%'];
        end if;
        v_result := coalesce(v_result, '[]') || jsonb_build_array(to_jsonb(v_patterns));
    end loop;
    return v_result;
end
$_$;

CREATE FUNCTION private.segment_context(p_org_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('org_id', o.id, 'search', true, 'time_zone', o.time_zone, 'custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.key)
        from public.custom_field_definitions d where d.org_id = o.id), '[]'))
    from public.organizations o where o.id = p_org_id
$$;

CREATE FUNCTION private.segment_context_with_names(p_org_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select private.segment_context(p_org_id) || jsonb_build_object('now', private.clock()::text, 'names', coalesce((
        select jsonb_object_agg(n.id, n.name) from (
            select t.id, t.name from public.tags t where t.org_id = p_org_id
            union all
            select s.id, s.name from public.segments s where s.org_id = p_org_id
            union all
            select k.id, k.name from public.campaigns k where k.org_id = p_org_id
        ) n), '{}'))
$$;

CREATE FUNCTION private.segment_differences(p_org_id uuid) RETURNS TABLE(segment_id uuid, contact_id uuid, problem text)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with recomputed as materialized (
        select s.id as segment_id, x.contact_id
        from public.segments s
        cross join lateral (
            (select m.id from octopush.compile_segment(s.rules, private.segment_context(p_org_id), 1) r,
                private.matching_contacts(p_org_id, r.predicate, r.params, private.clock()) m (id)
            where s.kind = 'dynamic' and octopush.check_segment(s.rules, private.segment_context(p_org_id)) = '[]'
            except
            select p.contact_id from public.segment_pins p where p.segment_id = s.id and p.kind = 'exclude')
            union
            select p.contact_id from public.segment_pins p join public.contacts c on c.org_id = p_org_id and c.id = p.contact_id
            where p.segment_id = s.id and p.kind = 'include' and c.deleted_at is null and c.erased_at is null
        ) x (contact_id)
        where s.org_id = p_org_id and s.evaluated_at is not null
    ), maintained as materialized (
        select m.segment_id, m.contact_id from public.segment_members m join public.segments s on s.id = m.segment_id
        where s.org_id = p_org_id and s.evaluated_at is not null
    )
    select r.segment_id, r.contact_id, 'missing' from (select * from recomputed except select * from maintained) r
    union all
    select m.segment_id, m.contact_id, 'extra' from (select * from maintained except select * from recomputed) m
    union all
    select s.id, null, format('counted %s, are %s', s.member_count, x.n)
    from public.segments s cross join lateral (select count(*) as n from public.segment_members m where m.segment_id = s.id) x
    where s.org_id = p_org_id and x.n <> s.member_count
$$;

COMMENT ON FUNCTION private.segment_differences(p_org_id uuid) IS 'Segments, contacts and what is wrong (missing, extra, or a wrong count). Empty once private.contact_changes is.';

CREATE FUNCTION private.segment_facts(p_contact_ids uuid[]) RETURNS TABLE(contact_id uuid, facts jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select c.id, jsonb_build_object(
        'contact', to_jsonb(c) - 'search_text',
        'tags', coalesce((select jsonb_agg(t.tag_id order by t.tag_id) from public.contact_tags t
            where t.org_id = c.org_id and t.contact_id = c.id), '[]'),
        'segments', coalesce((select jsonb_agg(m.segment_id order by m.segment_id) from public.segment_members m
            where m.org_id = c.org_id and m.contact_id = c.id), '[]'),
        'has_conversation', exists (select from public.conversations v where v.org_id = c.org_id and v.contact_id = c.id),
        'has_active_conversation', exists (select from public.conversations v
            where v.org_id = c.org_id and v.contact_id = c.id and v.status in ('open', 'pending')),
        'campaigns', coalesce((select jsonb_agg(jsonb_build_object('id', r.campaign_id, 'received', r.received_at is not null,
                'read', r.read_at is not null, 'replied', r.replied_at is not null, 'clicked', r.clicked_at is not null))
            from private.campaign_reactions r where r.org_id = c.org_id and r.contact_id = c.id), '[]'),
        'flows', coalesce((select jsonb_agg(jsonb_build_object('id', r.flow_id, 'in_progress', r.in_progress, 'completed', r.completed))
            from (
                select f.flow_id, bool_or(f.status = 'in_progress') as in_progress, bool_or(f.status = 'completed') as completed
                from private.flow_runs f where f.org_id = c.org_id and f.contact_id = c.id group by f.flow_id
            ) r), '[]'))
    from public.contacts c where c.id = any (p_contact_ids)
$$;

COMMENT ON FUNCTION private.segment_facts(p_contact_ids uuid[]) IS 'Everything rules can ask about contacts, in the shape octopush.explain_segment takes.';

CREATE FUNCTION private.segment_lock_key(p_org_id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$ select hashtextextended('segments:' || p_org_id, 0) $$;

CREATE FUNCTION private.segment_to_change(p_id uuid) RETURNS public.segments
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments;
begin
    select s.* into v_segment from public.segments s where s.id = p_id and s.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    perform private.require_permission(v_segment.org_id, 'campaigns.manage');
    perform private.lock_segments(v_segment.org_id);
    select s.* into v_segment from public.segments s where s.id = p_id for no key update;
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    return v_segment;
end
$$;

CREATE FUNCTION private.segment_to_read(p_id uuid) RETURNS public.segments
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments;
begin
    select s.* into v_segment from public.segments s
    where s.id = p_id and (private.is_database_admin() or s.org_id = any (private.my_org_ids()));
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    return v_segment;
end
$$;

CREATE FUNCTION private.segment_users(p_segment_id uuid) RETURNS TABLE(kind text, id uuid, name text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select 'segment', s.id, s.name from private.segment_edges e join public.segments s on s.id = e.segment_id where e.uses_id = p_segment_id
    union all
    select 'campaign', c.id, c.name from public.segments s join public.campaigns c on c.org_id = s.org_id
    where s.id = p_segment_id and c.status in ('scheduled', 'sending', 'paused') and c.audience ->> 'segment_id' = p_segment_id::text
$$;

CREATE FUNCTION private.segments_above(p_segment_id uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with recursive above as (
        select e.segment_id from private.segment_edges e where e.uses_id = p_segment_id
        union
        select e.segment_id from private.segment_edges e join above a on a.segment_id = e.uses_id
    )
    select a.segment_id from above a
$$;

CREATE FUNCTION private.selected_contacts(p_org_id uuid, p_selection jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_filter private.contact_filter;
    v_except uuid[] := array[]::uuid[];
begin
    if p_selection is null or jsonb_typeof(p_selection) <> 'object'
        or exists (select from jsonb_object_keys(p_selection) k where k not in ('ids', 'search', 'rules', 'trash', 'except'))
        or (p_selection ? 'ids' and (select count(*) from jsonb_object_keys(p_selection)) > 1)
        or coalesce(jsonb_typeof(p_selection -> 'search') not in ('string', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'trash') not in ('boolean', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'rules') not in ('object', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'ids') <> 'array', false)
        or coalesce(jsonb_typeof(p_selection -> 'except') not in ('array', 'null'), false)
    then
        perform private.raise_error('CONTACT_012');
    end if;
    begin
        if p_selection ? 'ids' then
            return query
            select c.id from public.contacts c
            where c.org_id = p_org_id and c.erased_at is null
                and c.id = any (array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'ids') x));
            return;
        end if;
        if jsonb_typeof(p_selection -> 'except') = 'array' then
            v_except := array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'except') x);
        end if;
    exception when invalid_text_representation then
        perform private.raise_error('CONTACT_012');
    end;
    v_filter := private.contact_filter(p_org_id, p_selection ->> 'search', nullif(p_selection -> 'rules', 'null'),
        coalesce((p_selection ->> 'trash')::boolean, false), true);
    return query execute format('select c.id from %s where %s and c.id <> all ($5)', v_filter.source, v_filter.condition)
        using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, v_except;
end
$_$;

COMMENT ON FUNCTION private.selected_contacts(p_org_id uuid, p_selection jsonb) IS 'Resolves {"ids"} or {"search", "rules", "trash", "except"}. Ids of others are left out. The caller has checked who asks. Errors: CONTACT_012, SEGMENT_002.';

CREATE FUNCTION private.send_refusal(p_account_status text, p_quality_rating text, p_contact_deleted boolean, p_opt_in_status text, p_window_expires_at timestamp with time zone, p_type text, p_template_status text, p_template_category text, p_is_campaign boolean, p_now timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.sendable_template(p_org_id uuid, p_payload jsonb) RETURNS public.templates
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_template public.templates;
begin
    if jsonb_typeof(p_payload) is distinct from 'object' or coalesce(p_payload ->> 'template_id', '') !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        or coalesce(jsonb_typeof(p_payload -> 'values'), 'object') <> 'object' or p_payload - '{template_id,values}'::text[] <> '{}' then
        perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
    end if;
    select t.* into v_template from public.templates t
    where t.org_id = p_org_id and t.id = (p_payload ->> 'template_id')::uuid and t.deleted_at is null;
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    return v_template;
end
$_$;

CREATE FUNCTION private.sender_lock_class() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select 1868788847 $$;

CREATE FUNCTION private.set_campaign_variants(p_campaign public.campaigns, p_variants jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_problem record;
begin
    if jsonb_typeof(p_variants) <> 'array' or jsonb_array_length(p_variants) > 3 then
        perform private.refuse_campaign_field('variants', 'wrong_value', 'A campaign has at most three variants');
    end if;
    for v_problem in
        select v.nth, case
            when jsonb_typeof(v.value) <> 'object'
                or exists (select from jsonb_object_keys(v.value) k where k not in ('template_id', 'variables', 'links', 'share')) then 'variants'
            when coalesce(jsonb_typeof(v.value -> 'variables') not in ('object', 'null'), false) or length((v.value -> 'variables')::text) > 60000 then 'variables'
            when coalesce(jsonb_typeof(v.value -> 'links') not in ('object', 'null'), false)
                or exists (select from jsonb_each_text(nullif(v.value -> 'links', 'null')) l
                    where l.key !~ '^[0-9]$' or private.destination_problem(l.value) is not null) then 'links'
            when coalesce(v.value ->> 'share', '1') !~ '^[1-9][0-9]{0,3}$' then 'share'
            when v.value ->> 'template_id' is not null and not exists (
                select from public.templates t
                where t.org_id = p_campaign.org_id and t.id::text = v.value ->> 'template_id' and t.deleted_at is null) then 'template_id'
            end as field
        from (select v.value, v.nth from jsonb_array_elements(p_variants) with ordinality v (value, nth)) v
        order by v.nth
    loop
        if v_problem.field is not null then
            perform private.refuse_campaign_field('variants.' || (v_problem.nth - 1) || '.' || v_problem.field, 'wrong_value', 'This part of a variant is not valid');
        end if;
    end loop;
    delete from public.campaign_variants v where v.campaign_id = p_campaign.id;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select p_campaign.id, v.nth, p_campaign.org_id, t.id, coalesce(nullif(v.value -> 'variables', 'null'), '{}'),
        coalesce(t.links, '{}') || coalesce((
            select jsonb_object_agg(l.key, l.value) from jsonb_each(nullif(v.value -> 'links', 'null')) l where t.links ? l.key), '{}'),
        coalesce((v.value ->> 'share')::integer, 1)
    from jsonb_array_elements(p_variants) with ordinality v (value, nth)
    left join public.templates t on t.org_id = p_campaign.org_id and t.id = (v.value ->> 'template_id')::uuid;
end
$_$;

CREATE FUNCTION private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_status text := p_status;
begin
    if p_status = 'open' and coalesce(v_conversation.window_expires_at <= private.clock(), true) then
        v_status := 'expired';
    end if;
    if v_conversation.status = v_status and v_conversation.snoozed_until is null then
        return;
    end if;
    update public.conversations set status = v_status, snoozed_until = null, is_quiet = false, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, p_event);
    perform private.record_activity(v_conversation.org_id, 'conversation.' || p_event, (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

CREATE FUNCTION private.set_meta_category(p_id uuid, p_category text, p_correct text, p_changes_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_old public.templates;
    v_new public.templates;
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    update public.templates t set
        category = coalesce(p_category, t.category),
        previous_category = case when p_category <> t.category then t.category else t.previous_category end,
        correct_category = case when p_correct <> coalesce(p_category, t.category) then p_correct end,
        category_changes_at = case when p_correct <> coalesce(p_category, t.category) then p_changes_at end
    where t.id = p_id and t.deleted_at is null
    returning t.* into v_new;
    if v_new.id is null or (v_new.category, v_new.correct_category, v_new.category_changes_at)
        is not distinct from (v_old.category, v_old.correct_category, v_old.category_changes_at) then
        return;
    end if;
    update public.templates t set updated_at = clock_timestamp() where t.id = p_id;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    if v_new.category <> v_old.category then
        perform private.tell_of_template(v_new, 'template.category_changed', jsonb_build_object('from', v_old.category, 'to', v_new.category));
    elsif v_new.correct_category is not null and v_new.correct_category is distinct from v_old.correct_category then
        perform private.tell_of_template(v_new, 'template.category_warned',
            jsonb_build_object('from', v_new.category, 'to', v_new.correct_category, 'at', v_new.category_changes_at));
    end if;
end
$$;

CREATE FUNCTION private.set_meta_status(p_id uuid, p_event jsonb, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_old public.templates;
    v_new public.templates;
    v_word text := upper(p_event ->> 'status');
    v_status text := private.status_of_meta(v_word);
    v_reason text := nullif(p_event ->> 'reason', 'NONE');
    v_words text := left(p_event ->> 'words', 1000);
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    if v_old.deleted_at is not null or v_old.meta_status_at > p_at then
        return;
    end if;
    if v_word = 'DELETED' then
        update public.templates t set deleted_at = private.clock(), status = 'disabled', meta_status = v_word, meta_status_at = p_at,
            updated_at = clock_timestamp()
        where t.id = p_id;
        delete from private.template_work w where w.template_id = p_id;
        perform private.broadcast_templates(v_old.org_id, array[p_id]);
        return;
    end if;
    -- A word we do not know says nothing we could act on; it is shown, and the list is asked for what it means.
    v_status := coalesce(v_status, v_old.status);
    -- What Meta says meanwhile may be about the template as it was; once the work is done its list is asked.
    if exists (select from private.template_work w where w.template_id = p_id and w.action in ('edit', 'delete')) then
        return;
    end if;
    update public.templates t set
        status = v_status, meta_status = v_word, meta_status_at = coalesce(p_at, t.meta_status_at),
        rejected_reason = case when v_status = 'rejected' then coalesce(v_reason, t.rejected_reason, 'NONE') end,
        status_reason = case
            when v_status = 'approved' and v_word <> 'FLAGGED' then null
            when v_word is not distinct from t.meta_status then coalesce(v_words, case when v_status <> 'rejected' then v_reason end, t.status_reason)
            else coalesce(v_words, case when v_status <> 'rejected' then v_reason end) end,
        problem = case when v_status = 'approved' then null else t.problem end,
        reviewed_at = case when v_status in ('approved', 'rejected') and v_status <> t.status then coalesce(p_at, private.clock()) else t.reviewed_at end
    where t.id = p_id
    returning t.* into v_new;
    if (v_new.status, v_new.meta_status, v_new.rejected_reason, v_new.status_reason)
        is not distinct from (v_old.status, v_old.meta_status, v_old.rejected_reason, v_old.status_reason) then
        return;
    end if;
    update public.templates t set updated_at = clock_timestamp() where t.id = p_id;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    if v_new.status = v_old.status and v_new.meta_status is not distinct from v_old.meta_status then
        return;
    end if;
    if v_new.status = 'approved' and v_old.status <> 'approved' then
        perform private.tell_of_template(v_new, 'template.approved');
        perform private.record_activity(v_new.org_id, 'template.approved', p_data => jsonb_build_object('template_id', p_id, 'name', v_new.name));
    elsif v_new.status = 'rejected' and v_old.status <> 'rejected' then
        perform private.tell_of_template(v_new, 'template.rejected', jsonb_build_object('reason', v_new.rejected_reason));
        perform private.record_activity(v_new.org_id, 'template.rejected',
            p_data => jsonb_strip_nulls(jsonb_build_object('template_id', p_id, 'name', v_new.name, 'reason', v_new.rejected_reason)));
    elsif v_new.status = 'disabled' and v_word <> 'PENDING_DELETION' then
        perform private.tell_of_template(v_new, case v_word when 'PAUSED' then 'template.paused' else 'template.disabled' end,
            jsonb_build_object('meta_status', v_word, 'reason', coalesce(v_reason, v_words)));
    end if;
end
$$;

COMMENT ON FUNCTION private.set_meta_status(p_id uuid, p_event jsonb, p_at timestamp with time zone) IS '{"status", "reason"?, "words"?}: Meta''s word, its one-word reason, and its sentence for people.';

CREATE FUNCTION private.set_segment_clock(p_org_id uuid, p_now timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    insert into private.segment_clocks as k (org_id, evaluated_until, judged_at, local_date, library, has_horizons)
    select o.id, p_now, p_now, (p_now at time zone o.time_zone)::date, octopush.version(), coalesce(h.is_needed, false)
    from public.organizations o
    cross join (
        select bool_or(p.is_calendar or p.rolling <> '[]') as is_needed from private.segment_programs p where p.org_id = p_org_id
    ) h
    where o.id = p_org_id
    on conflict (org_id) do update set has_horizons = excluded.has_horizons,
        evaluated_until = case when k.has_horizons then k.evaluated_until else excluded.evaluated_until end,
        judged_at = case when k.has_horizons then k.judged_at else excluded.judged_at end,
        local_date = case when k.has_horizons then k.local_date else excluded.local_date end
$$;

CREATE FUNCTION private.set_segment_edges(p_segment public.segments) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_uses uuid[] := array(select distinct x::uuid from jsonb_array_elements_text(octopush.segment_references(p_segment.rules) -> 'segments') x);
    v_culprit uuid;
begin
    select u into v_culprit from unnest(v_uses) u
    where u = p_segment.id or u in (select a from private.segments_above(p_segment.id) a) limit 1;
    if found then
        perform private.raise_error('SEGMENT_004', jsonb_build_object('segment',
            (select jsonb_build_object('id', s.id, 'name', s.name) from public.segments s where s.id = v_culprit)));
    end if;
    delete from private.segment_edges e where e.segment_id = p_segment.id and e.uses_id <> all (v_uses);
    insert into private.segment_edges (org_id, segment_id, uses_id) select p_segment.org_id, p_segment.id, u from unnest(v_uses) u
    on conflict do nothing;
end
$$;

CREATE FUNCTION private.set_winner(p_campaign public.campaigns, p_variant integer) RETURNS public.campaigns
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set winner = p_variant, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.winner_chosen', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;

CREATE FUNCTION private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed jsonb;
begin
    -- Messages before outbox, as everywhere: the old holder may be reporting at this moment.
    perform m.id from public.messages m
    where m.id in (
        select o.message_id from private.outbox o
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder)
    order by m.id for no key update;
    with abandoned as (
        update private.outbox o set state = 'uncertain'
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder
        returning o.message_id
    ), marked as (
        update public.messages m set is_uncertain = true, error_code = 'WA_008'
        from abandoned a where m.id = a.message_id and m.status = 'pending' and m.wa_message_id is null
        returning m.id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(m)) into v_changed from marked m;
    if v_changed is not null then
        perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
        perform private.broadcast_outcomes(v_changed);
    end if;
end
$$;

CREATE FUNCTION private.settle_ledger(p_message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
begin
    -- In one order, as whoever else holds several rows of the ledger (merges).
    perform r.contact_id from public.messages m
    join public.campaign_recipients r on r.campaign_id = m.campaign_id and r.org_id = m.org_id and r.contact_id = m.contact_id and r.message_id = m.id
    where m.id = any (p_message_ids) and m.campaign_id is not null
    order by r.campaign_id, r.contact_id for no key update of r;

    with outcome as materialized (
        select m.id, m.org_id, m.campaign_id, m.contact_id, m.is_uncertain,
            -- Taken by Meta: sent, whether its own status has come or not.
            case when m.status <> 'pending' then m.status when m.wa_message_id is null then 'queued' else 'sent' end as status,
            least(m.sent_at, m.accepted_at) as sent_at, m.delivered_at, m.read_at, m.failed_at, m.error_code, m.error_message
        from public.messages m where m.id = any (p_message_ids) and m.campaign_id is not null
    ), judged as materialized (
        select o.*, c.status as campaign_status,
            case when o.status = 'failed' and private.is_refused_for_now(o.error_code) and c.status in ('sending', 'paused', 'completed')
                -- Three days are enough of somebody's limit, and three tries with a template that is not the winner's; a pause ends the others.
                and (o.error_code not in ('131049', 'WA_002') or r.attempts < 3) then 'waiting' else o.status end as new_status
        from outcome o
        join public.campaign_recipients r on r.campaign_id = o.campaign_id and r.org_id = o.org_id and r.contact_id = o.contact_id and r.message_id = o.id
        join public.campaigns c on c.id = o.campaign_id
        -- Left out since: only what reached the person after all counts.
        where r.status <> 'excluded' or o.status in ('delivered', 'read')
    ), changed as (
        update public.campaign_recipients r set
            status = j.new_status, is_uncertain = j.is_uncertain, exclusion_reason = null,
            ready_at = case when j.new_status = 'waiting' then private.clock() + case when j.error_code = '131049' then interval '24 hours' else interval '0' end end,
            sent_at = coalesce(r.sent_at, j.sent_at), delivered_at = j.delivered_at, read_at = j.read_at,
            failed_at = case when j.new_status = 'failed' then j.failed_at end,
            error_code = case when j.new_status in ('failed', 'waiting') then j.error_code end,
            error_message = case when j.new_status in ('failed', 'waiting') then left(j.error_message, 500) end
        from judged j
        where r.campaign_id = j.campaign_id and r.org_id = j.org_id and r.contact_id = j.contact_id and r.message_id = j.id
            and (r.status, r.is_uncertain) is distinct from (j.new_status, j.is_uncertain)
        returning r.campaign_id, r.org_id, j.campaign_status, j.new_status, j.error_code
    )
    insert into private.send_effects (org_id, kind, campaign_id, code, occurred_at)
    select distinct c.org_id, 'pause', c.campaign_id, c.error_code, clock_timestamp()
    from changed c
    -- The others hold a campaign up by themselves.
    where c.new_status = 'waiting' and c.error_code in ('131048', '131064', '132001', '132015', '132016') and c.campaign_status <> 'paused';

    insert into private.send_effects (org_id, kind, contact_id, code, occurred_at)
    select m.org_id, case when m.error_code = '131050' then 'stopped_marketing' else 'not_on_whatsapp' end, m.contact_id, m.error_code, m.failed_at
    from public.messages m
    where m.id = any (p_message_ids) and m.status = 'failed' and m.error_code in ('131050', '131026');
end
$$;

CREATE FUNCTION private.settle_overdue(p_now timestamp with time zone, p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_missed jsonb;
    v_repeated uuid[];
begin
    select jsonb_agg(jsonb_build_object('message_id', x.id, 'error_code', 'WA_008')) filter (where not x.repeats),
        array_agg(x.id) filter (where x.repeats)
    into v_missed, v_repeated
    from (
        select m.id, c.uncertain_policy = 'repeat' and c.status = 'sending' and m.send_try < 2 as repeats
        from private.outbox o
        join public.messages m on m.id = o.message_id
        join public.campaigns c on c.id = m.campaign_id
        where o.state = 'uncertain' and o.intent_at <= p_now - make_interval(hours => c.uncertain_hours)
            -- One that is held up repeats when it goes on.
            and not (c.uncertain_policy = 'repeat' and private.is_held(c))
        order by m.id limit p_limit for no key update of m skip locked
    ) x;
    if v_repeated is not null then
        -- A new try: what is still heard of the old one no longer concerns this message.
        with again as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null, ready_at = clock_timestamp()
            where o.message_id = any (v_repeated) and o.state = 'uncertain' returning o.message_id
        )
        update public.messages m set send_try = m.send_try + 1, is_uncertain = false, error_code = null
        from again a where m.id = a.message_id and m.is_uncertain;
        perform private.settle_ledger(v_repeated);
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
    if v_missed is not null then
        perform private.fail_messages(v_missed);
    end if;
    return coalesce(jsonb_array_length(v_missed), 0) + coalesce(cardinality(v_repeated), 0);
end
$$;

CREATE FUNCTION private.settle_parked_statuses(p_accepted jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_events jsonb;
begin
    with taken as (
        delete from private.parked_statuses s
        using jsonb_to_recordset(p_accepted) as a (id uuid, wa_message_id text), public.messages m, public.whatsapp_accounts w
        where s.wa_message_id = a.wa_message_id and m.id = a.id and w.id = m.whatsapp_account_id and s.phone_number_id = w.phone_number_id
        returning a.id, s.status
    )
    select jsonb_agg(t.status || jsonb_build_object('message_id', t.id)) into v_events from taken t;
    if v_events is not null then
        perform private.settle_statuses(v_events);
    end if;
end
$$;

CREATE FUNCTION private.settle_statuses(p_events jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed jsonb;
    v_taken uuid[];
begin
    -- Those of which this is the first word from Meta that it took them.
    select array_agg(x.id) filter (where x.accepted_at is null) into v_taken from (
        select m.id, m.accepted_at from public.messages m
        where m.id in (select e.message_id from jsonb_to_recordset(p_events) as e (message_id uuid))
        order by m.id for no key update
    ) x;

    with folded as (
        select e.message_id,
            (array_agg(e.status order by private.status_rank(e.status) desc))[1] as status,
            min(e.occurred_at) filter (where e.status = 'sent') as sent_at,
            min(e.occurred_at) filter (where e.status = 'delivered') as delivered_at,
            min(e.occurred_at) filter (where e.status = 'read') as read_at,
            min(e.occurred_at) filter (where e.status = 'failed') as failed_at,
            max(e.wa_message_id) as wa_message_id,
            max(e.error_code) as error_code, max(e.error_message) as error_message
        from jsonb_to_recordset(p_events) as e (message_id uuid, status text, occurred_at timestamptz, wa_message_id text, error_code text, error_message text)
        where private.status_rank(e.status) is not null
        group by e.message_id
    ), climbed as (
        select m.id, case when private.status_rank(f.status) > private.status_rank(m.status) then f.status else m.status end as status,
            coalesce(m.wa_message_id, f.wa_message_id) as wa_message_id,
            -- A message that was delivered was sent: Meta skips states (reference/whatsapp.md §4).
            least(m.sent_at, f.sent_at, f.delivered_at, f.read_at) as sent_at,
            least(m.delivered_at, f.delivered_at, f.read_at) as delivered_at,
            least(m.read_at, f.read_at) as read_at,
            least(m.failed_at, f.failed_at) as failed_at,
            coalesce(f.error_code, m.error_code) as error_code, coalesce(f.error_message, m.error_message) as error_message
        from folded f join public.messages m on m.id = f.message_id
    ), changed as (
        update public.messages m set
            status = c.status, wa_message_id = c.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, now()),
            sent_at = c.sent_at, delivered_at = c.delivered_at, read_at = c.read_at, failed_at = c.failed_at,
            error_code = case when c.status = 'failed' then c.error_code end,
            error_message = case when c.status = 'failed' then c.error_message end
        from climbed c
        where m.id = c.id and (m.is_uncertain
            or (m.status, m.wa_message_id, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
                is distinct from (c.status, c.wa_message_id, c.sent_at, c.delivered_at, c.read_at, c.failed_at))
        returning m.id, m.org_id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;

    -- Meta knows these messages: they must never be handed over again, whatever became of our own record of the call.
    delete from private.outbox o where o.message_id = any (array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_taken is not null then
        perform private.use_tier(v_taken);
    end if;
    perform private.broadcast_outcomes(v_changed);
    perform private.broadcast_conversations(v.org_id, array_agg(v.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and v.last_message_id = c.id and not v.is_quiet
    group by v.org_id;
end
$$;

CREATE FUNCTION private.snapshot_audience(p_campaign public.campaigns, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET work_mem TO '128MB'
    AS $$
declare
    v_held_out integer;
    v_bounds integer[];
    v_has_cap boolean := p_campaign.is_marketing and exists (
        select from public.campaign_settings s where s.org_id = p_campaign.org_id and s.marketing_cap is not null);
    v_budget record;
begin
    select b.held_out, b.bounds into v_held_out, v_bounds from private.variant_bounds(p_campaign) b;
    -- A draft without a template has an audience, too.
    v_held_out := coalesce(v_held_out, p_campaign.holdout_percent * 100);
    v_bounds := coalesce(v_bounds, array[10000]);
    insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, exclusion_reason, ready_at)
    select p_campaign.id, x.id, p_campaign.org_id, row_number() over (order by x.id),
        case when x.reason is null and x.bucket >= v_held_out then
            case when x.bucket < v_bounds[1] then 1 when x.bucket < v_bounds[2] then 2 when x.bucket < v_bounds[3] then 3 end end,
        case when x.reason is not null then 'excluded' when x.bucket < v_held_out then 'held_out' else 'waiting' end,
        x.reason,
        case when x.reason is null and x.bucket >= v_held_out then p_now end
    from (
        select c.id, coalesce(
                private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                    p_campaign.is_marketing),
                case when k.id is not null then 'frequency_cap' end) as reason,
            case when v_held_out = 0 and v_bounds[1] = 10000 then 0 else octopush.stable_bucket(p_campaign.id, c.id) end as bucket
        from private.audience_contacts(p_campaign.org_id, p_campaign.audience) a (id)
        join public.contacts c on c.id = a.id and c.org_id = p_campaign.org_id
        left join (
            select k from private.capped_contacts(p_campaign.org_id, null, p_now) k where v_has_cap
        ) k (id) on k.id = c.id
        -- Keeps the planner from asking for reason and bucket once for every column made of them.
        offset 0
    ) x;

    -- Whose values Meta would refuse. Few are long enough to be rendered for that.
    for v_budget in select b.* from private.variant_budgets(p_campaign.id) b where b.always or b.longest > b.budget loop
        update public.campaign_recipients r set status = 'excluded', exclusion_reason = 'missing_value', ready_at = null, variant = null
        from public.contacts c
        where r.campaign_id = p_campaign.id and r.variant = v_budget.variant and r.status = 'waiting'
            and c.id = r.contact_id and c.org_id = p_campaign.org_id
            and (v_budget.always or (
                -- The fields of octopush.campaign_values; in line, because it is asked for everybody.
                select sum(length(case
                    when f in ('full_name', 'first_name') then c.full_name when f = 'phone' then c.phone when f = 'email' then c.email
                    when f = 'company' then c.company when f = 'job_title' then c.job_title when f = 'username' then c.username
                    when f = 'birthday' then c.birthday::text when f like 'address.%' then c.address ->> substr(f, 9)
                    when f like 'custom.%' then c.custom_fields ->> substr(f, 8) end))
                from unnest(v_budget.fields) f) > v_budget.budget)
            and octopush.template_message(v_budget.template, octopush.campaign_values(v_budget.variables, to_jsonb(c)), v_budget.tokens) ? 'problems';
    end loop;
end
$$;

CREATE FUNCTION private.sort_page(p_org_id uuid, p_filter private.contact_filter, p_id text, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, OUT total bigint, OUT ids uuid[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET work_mem TO '16MB'
    AS $_$
begin
    execute format('with matching as materialized (select %s as id, %s as key from %s where %s)
        select (select count(*) from matching), array(select m.id from matching m order by m.key %5$s nulls last, m.id %5$s limit $5 offset $6)',
        p_id, p_key, p_filter.source, p_filter.condition, case when p_descending then 'desc' else 'asc' end)
        into total, ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
end
$_$;

CREATE FUNCTION private.spent(p_campaign public.campaigns, p_delivered bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select case when p_campaign.planned_cost is not null then jsonb_build_object('currency', p_campaign.planned_cost ->> 'currency',
        'amount', coalesce(round((p_campaign.planned_cost ->> 'amount')::numeric * p_delivered / nullif((p_campaign.planned_cost ->> 'messages')::numeric, 0), 4), 0),
        'planned', p_campaign.planned_cost -> 'amount') end
$$;

CREATE FUNCTION private.start_campaign(p_campaign public.campaigns, p_now timestamp with time zone) RETURNS public.campaigns
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set
        status = 'sending', status_reason = null, waiting_for = null, resumes_at = null, winner = null, tested_at = null,
        launched_at = p_now, started_at = p_now, updated_at = clock_timestamp(),
        is_marketing = exists (
            select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = c.id and t.category = 'marketing')
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.snapshot_audience(v_campaign, p_now);
    perform private.fold_campaigns(array[v_campaign.id]);
    if not exists (select from public.campaign_recipients r where r.campaign_id = v_campaign.id and r.ready_at is not null) then
        perform private.raise_error('CAMPAIGN_002', private.stats_of(v_campaign.id));
    end if;
    update public.campaigns c set planned_cost = private.planned_cost(v_campaign) where c.id = v_campaign.id returning c.* into v_campaign;
    return v_campaign;
end
$$;

CREATE FUNCTION private.stats_of(p_campaign_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('total', coalesce(sum(v.total), 0), 'excluded', coalesce(sum(v.excluded), 0), 'held_out',
        coalesce(sum(v.held_out), 0), 'waiting', coalesce(sum(v.waiting), 0), 'queued', coalesce(sum(v.queued), 0), 'sent', coalesce(sum(v.sent),
        0), 'delivered', coalesce(sum(v.delivered), 0), 'read', coalesce(sum(v.read), 0), 'replied', coalesce(sum(v.replied), 0), 'clicked',
        coalesce(sum(v.clicked), 0), 'opportunities', coalesce(sum(v.opportunities), 0), 'failed', coalesce(sum(v.failed), 0), 'uncertain',
        coalesce(sum(v.uncertain), 0), 'held_out_replied', coalesce(sum(v.held_out_replied), 0), 'held_out_opportunities',
        coalesce(sum(v.held_out_opportunities), 0))
    from private.campaign_variant_stats v where v.campaign_id = p_campaign_id
$$;

CREATE FUNCTION private.status_of_meta(p_meta_status text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case
        -- Flagged ones will be disabled unless their quality improves; until then they may be sent.
        when p_meta_status in ('APPROVED', 'FLAGGED', 'REINSTATED', 'UNARCHIVED') then 'approved'
        when p_meta_status in ('PENDING', 'IN_APPEAL') then 'pending'
        when p_meta_status = 'REJECTED' then 'rejected'
        when p_meta_status in ('PAUSED', 'DISABLED', 'LIMIT_EXCEEDED', 'ARCHIVED', 'LOCKED', 'PENDING_DELETION') then 'disabled'
    end
$$;

CREATE FUNCTION private.status_rank(p_status text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], p_status) $$;

CREATE FUNCTION private.stored_digits(p_org_id uuid, p_digits text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_country text;
    v_phone text;
begin
    if p_digits like '00%' then
        return '+' || ltrim(p_digits, '0');
    end if;
    if p_digits not like '0%' then
        return p_digits;
    end if;
    select o.country into v_country from public.organizations o where o.id = p_org_id;
    for i in 0..10 loop
        v_phone := octopush.normalize_phone(p_digits || left('3456789012', i), v_country);
        if v_phone is not null then
            return left(v_phone, length(v_phone) - i);
        end if;
    end loop;
    return ltrim(p_digits, '0');
end
$$;

CREATE TABLE public.tags (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    color text DEFAULT '#868e96'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tags_color_check CHECK ((color ~ '^#[0-9a-fA-F]{6}$'::text)),
    CONSTRAINT tags_name_check CHECK ((((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 50)) AND (name = btrim(name))))
);

COMMENT ON TABLE public.tags IS 'Labels an organisation puts on its contacts; at most 50.';

CREATE FUNCTION private.tag_for(p_id uuid) RETURNS public.tags
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_tag public.tags;
begin
    select t.* into v_tag from public.tags t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TAG_001');
    end if;
    perform private.require_permission(v_tag.org_id, 'tags.manage');
    return v_tag;
end
$$;

CREATE FUNCTION private.take_back(p_campaign public.campaigns) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_message_ids uuid[];
    v_gone uuid[];
begin
    v_message_ids := array(
        select x.id from (
            select m.id from private.outbox o join public.messages m on m.id = o.message_id
            where o.whatsapp_account_id = p_campaign.whatsapp_account_id and o.lane = 2 and o.state = 'ready' and m.campaign_id = p_campaign.id
            order by m.id for no key update of m
        ) x);
    if cardinality(v_message_ids) = 0 then
        return;
    end if;
    with doubted as (
        update private.outbox o set state = 'uncertain', intent_at = clock_timestamp()
        from public.messages m
        where o.message_id = any (v_message_ids) and o.state = 'ready' and m.id = o.message_id and m.send_try > 0
        returning o.message_id
    )
    update public.messages m set is_uncertain = true, error_code = 'WA_008' from doubted d where m.id = d.message_id;
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select coalesce(array_agg(g.message_id), '{}') into v_gone from gone g;
    with removed as (
        delete from public.messages m where m.id = any (v_gone) returning m.id, m.org_id, m.contact_id
    ), uncounted as (
        -- They were counted as sent when they were made (30_contacts/25_counters.sql).
        insert into private.sent_messages (org_id, contact_id, sent, last_at)
        select r.org_id, r.contact_id, -1, '-infinity' from removed r
    )
    update public.campaign_recipients r set
        status = 'waiting', ready_at = private.clock(), message_id = null, queued_at = null, attempts = r.attempts - 1
    from removed x
    where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.message_id = x.id;
    perform private.settle_ledger(v_message_ids);
end
$$;

CREATE FUNCTION private.take_back_latecomers() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    for v_campaign in
        select c.* from public.campaigns c
        where c.id in (
                select m.campaign_id from private.outbox o join public.messages m on m.id = o.message_id
                where o.lane = 2 and o.state = 'ready' and o.attempt > 0)
            and (c.status <> 'sending' or private.is_held(c))
        order by c.id for no key update skip locked
    loop
        perform private.take_back(v_campaign);
    end loop;
end
$$;

CREATE FUNCTION private.take_from_search() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    delete from private.contact_search s using old_contacts c where s.org_id = c.org_id and s.contact_id = c.id;
    return null;
end
$$;

CREATE FUNCTION private.take_over_template(p_id uuid, p_item jsonb, p_since timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_old public.templates;
    v_new public.templates;
    -- There is no template without a part: an empty list is an answer that left them out.
    v_components jsonb := case when jsonb_path_exists(p_item, '$.components[0]') then p_item -> 'components' end;
    v_is_open boolean;
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    v_is_open := exists (select from private.template_work w where w.template_id = p_id);
    v_new := v_old;
    v_new.wa_template_id := coalesce(p_item ->> 'id', v_old.wa_template_id);
    v_new.quality := coalesce((select q from unnest(array['GREEN', 'YELLOW', 'RED', 'UNKNOWN']) q where q = upper(p_item #>> '{quality_score,score}')), v_old.quality);
    -- Submitted after the list was asked for: the list may still show what was before.
    if not v_is_open and coalesce(v_old.submitted_at <= p_since, true) then
        if v_components is not null and not v_old.has_changes
            and private.components_to_compare(v_components) <> private.components_to_compare(v_old.components) then
            v_new.components := private.keep_files(v_components, v_old.components);
            v_new.links := private.keep_links(v_components, v_old.links);
        end if;
        v_new.parameter_format := coalesce((select f from unnest(array['positional', 'named']) f where f = lower(p_item ->> 'parameter_format')), v_old.parameter_format);
    end if;
    update public.templates t set wa_template_id = v_new.wa_template_id, quality = v_new.quality, components = v_new.components,
        links = v_new.links, parameter_format = v_new.parameter_format, synced_at = private.clock(),
        updated_at = case when v_new.components <> t.components or v_new.parameter_format <> t.parameter_format then clock_timestamp() else t.updated_at end
    where t.id = p_id;
    if not v_is_open and coalesce(v_old.submitted_at <= p_since, true) then
        if not (v_old.has_changes and v_old.category <> private.category_of_meta(p_item ->> 'category')) then
            perform private.set_meta_category(p_id, private.category_of_meta(p_item ->> 'category'),
                coalesce(private.category_of_meta(p_item ->> 'correct_category'), v_old.correct_category), v_old.category_changes_at);
        end if;
        -- A webhook that came while the list was fetched knows better. Meta's time has whole seconds.
        if p_item ->> 'status' is not null and coalesce(v_old.meta_status_at <= p_since - interval '1 second', true) then
            perform private.set_meta_status(p_id, jsonb_build_object('status', p_item ->> 'status', 'reason', p_item ->> 'rejected_reason'), null);
        elsif v_old.meta_status_at <= p_since and upper(p_item ->> 'status') <> v_old.meta_status then
            -- Of the same second: the next list tells which of the two was later.
            perform private.request_template_sync(v_old.org_id, v_old.waba_id, p_since + interval '2 seconds');
        end if;
    end if;
    return (v_new.components, v_new.quality, v_new.wa_template_id) is distinct from (v_old.components, v_old.quality, v_old.wa_template_id);
end
$_$;

CREATE FUNCTION private.tell_of_campaign(p_campaign public.campaigns, p_kind text, p_actor uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.record_activity(p_campaign.org_id, p_kind, p_actor,
        p_data => jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

CREATE FUNCTION private.tell_of_template(p_template public.templates, p_kind text, p_data jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.notify_members(p_template.org_id, private.members_with(p_template.org_id, 'campaigns.manage'), p_kind,
        case p_kind when 'template.approved' then 'normal' else 'high' end,
        jsonb_strip_nulls(jsonb_build_object('template_id', p_template.id, 'name', p_template.name, 'language', p_template.language) || p_data));
end
$$;

CREATE FUNCTION private.tell_progress() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_org record;
    v_folded uuid[];
begin
    v_folded := private.fold_campaigns(array(
        select c.id from public.campaigns c
        where c.id in (select d.campaign_id from private.campaign_deltas d) and not exists (
            select from private.campaign_counts k where k.campaign_id = c.id and k.folded_at > clock_timestamp() - interval '900 milliseconds')));
    for v_org in select c.org_id, array_agg(c.id) as ids from public.campaigns c where c.id = any (v_folded) group by c.org_id loop
        perform private.broadcast_campaigns(v_org.org_id, v_org.ids);
    end loop;
    -- Refused for now after it was completed: somebody waits again.
    update public.campaigns c set status = 'sending', finished_at = null
    where c.id = any (v_folded) and c.status = 'completed' and (select s.waiting > 0 from private.campaign_stats s where s.campaign_id = c.id);
    return cardinality(v_folded);
end
$$;

CREATE FUNCTION private.template_campaigns(p_template_id uuid) RETURNS TABLE(id uuid, name text, status text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select c.id, c.name, c.status
    from public.templates t
    join public.campaigns c on c.org_id = t.org_id
        and c.id in (select v.campaign_id from public.campaign_variants v where v.org_id = t.org_id and v.template_id = t.id)
    where t.id = p_template_id order by c.created_at desc, c.id desc
$$;

CREATE FUNCTION private.template_content(p_template public.templates, p_values jsonb, p_contact_id uuid, p_message_id uuid) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_tokens jsonb := '{}'::jsonb;
    v_content jsonb;
begin
    if p_template.links <> '{}' then
        select coalesce(jsonb_object_agg(l.button, l.token), '{}') into v_tokens
        from private.make_links((
            select jsonb_agg(jsonb_build_object('contact_id', p_contact_id, 'org_id', p_template.org_id, 'variant', 1,
                'message_id', p_message_id, 'button', k.key::integer, 'destination', k.value))
            from jsonb_each_text(p_template.links) k)) l;
    end if;
    v_content := octopush.template_message(private.template_shape(p_template), coalesce(p_values, '{}'), v_tokens);
    if v_content ? 'problems' then
        perform private.raise_error('TEMPLATE_009', jsonb_build_object('problems', v_content -> 'problems'));
    end if;
    return v_content;
end
$$;

CREATE FUNCTION private.template_files(p_components jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(distinct jsonb_build_object('path', c.component #>> '{media,path}', 'mime', c.component #>> '{media,mime}')), '[]')
    from private.all_components(p_components) c where c.component #>> '{media,path}' is not null
$$;

COMMENT ON FUNCTION private.template_files(p_components jsonb) IS '[{path, mime}] of bucket templates.';

CREATE FUNCTION private.template_language(p_language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select replace(p_language, '-', '_') $$;

CREATE FUNCTION private.template_problem(p_path text, p_code text, p_message text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$ select jsonb_build_object('path', p_path, 'severity', 'error', 'code', p_code, 'message', p_message) $$;

CREATE FUNCTION private.template_replies(p_template public.templates, p_since timestamp with time zone, p_time_zone text) RETURNS TABLE(day date, replied bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select (m.created_at at time zone p_time_zone)::date, count(*)
    from public.messages m
    where m.template_id = p_template.id and m.campaign_id is null and m.created_at >= p_since
        and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
        and exists (
            select from public.messages a
            where a.conversation_id = m.conversation_id and a.direction = 'inbound'
                and a.occurred_at > m.occurred_at and a.occurred_at <= m.occurred_at + interval '7 days')
    group by 1
    union all
    select (r.queued_at at time zone p_time_zone)::date, count(*)
    from public.campaign_variants v
    join public.campaigns c on c.id = v.campaign_id and coalesce(c.finished_at >= p_since, true)
    join public.campaign_recipients r on r.campaign_id = v.campaign_id and r.variant = v.position
        and r.replied_at is not null and r.queued_at >= p_since
    where v.org_id = p_template.org_id and v.template_id = p_template.id
    group by 1
$$;

CREATE FUNCTION private.template_shape(p_template public.templates) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('name', p_template.name, 'language', p_template.language, 'category', p_template.category,
        'parameter_format', p_template.parameter_format, 'components', p_template.components, 'links', p_template.links)
$$;

COMMENT ON FUNCTION private.template_shape(p_template public.templates) IS 'The jsonb that octopush.check_template, render_template and template_message take.';

CREATE FUNCTION private.template_to_change(p_id uuid) RETURNS public.templates
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_template public.templates;
begin
    select t.* into v_template from public.templates t
    where t.id = p_id and t.deleted_at is null and t.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    perform private.require_permission(v_template.org_id, 'campaigns.manage');
    return v_template;
end
$$;

CREATE FUNCTION private.template_to_read(p_id uuid) RETURNS public.templates
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_template public.templates;
begin
    select t.* into v_template from public.templates t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    return v_template;
end
$$;

CREATE FUNCTION private.template_users(p_template_id uuid) RETURNS TABLE(kind text, id uuid, name text, status text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select 'campaign', c.id, c.name, c.status from private.template_campaigns(p_template_id) c where c.status in ('scheduled', 'sending', 'paused')
$$;

COMMENT ON FUNCTION private.template_users(p_template_id uuid) IS 'What would break without the template, or with another content.';

CREATE FUNCTION private.test_comparison(p_campaign public.campaigns) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select octopush.compare_variants(coalesce(jsonb_agg(jsonb_build_object('variant', v.position, 'delivered', coalesce(s.delivered, 0),
        'successes', coalesce(case when p_campaign.test ->> 'measure' = 'reply' then s.replied else s.read end, 0)) order by v.position), '[]'))
    from public.campaign_variants v
    left join private.campaign_variant_stats s on s.campaign_id = v.campaign_id and s.variant = v.position
    where v.campaign_id = p_campaign.id
$$;

CREATE FUNCTION private.tier_answer(p_campaign public.campaigns) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select jsonb_build_object('limit', t.tier_limit, 'used', t.used, 'frees_at', t.frees_at)
    from private.tier_state(p_campaign.whatsapp_account_id, private.clock()) t
$$;

CREATE FUNCTION private.tier_limit(p_tier text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $_$
    select case when p_tier ~ '^(TIER_)?[0-9]{1,6}K?$'
        then (substring(p_tier from '([0-9]+)'))::integer * case when p_tier like '%K' then 1000 else 1 end end
$_$;

CREATE FUNCTION private.tier_state(p_account_id uuid, p_now timestamp with time zone) RETURNS TABLE(portfolio text, tier_limit integer, used integer, in_flight integer, frees_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_accounts uuid[];
begin
    -- Of a number that was never proven to be ours nothing is told.
    select private.portfolio_of(a) into portfolio from public.whatsapp_accounts a where a.id = p_account_id and a.connected_at is not null;
    select array_agg(a.id), max(private.tier_limit(a.messaging_tier)) into v_accounts, tier_limit
    from public.whatsapp_accounts a where private.portfolio_of(a) = portfolio and a.status <> 'disconnected';
    if tier_limit is null then
        used := 0;
        in_flight := 0;
        return next;
        return;
    end if;
    select coalesce(sum(m.users), 0)::integer, min(m.minute) filter (where m.users > 0) + interval '24 hours 1 minute'
    into used, frees_at
    from (
        select x.minute, sum(x.users) as users from private.portfolio_minutes x
        where x.portfolio = tier_state.portfolio and x.minute > p_now - interval '24 hours 1 minute' group by x.minute
    ) m;
    select count(*)::integer into in_flight from private.outbox o where o.whatsapp_account_id = any (v_accounts) and o.lane = 2;
    return next;
end
$$;

CREATE FUNCTION private.tokens_of(p_contact_id uuid) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select array(
        select l.token from private.links l where l.contact_id = p_contact_id and not l.is_retired
        union all
        select l.token from private.links l where l.contact_id = p_contact_id and l.is_retired)
$$;

CREATE TABLE public.messages (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    direction text NOT NULL,
    type text NOT NULL,
    body text,
    payload jsonb,
    wa_message_id text,
    reply_to_wa_message_id text,
    reply_to_message_id uuid,
    status text NOT NULL,
    is_uncertain boolean DEFAULT false NOT NULL,
    error_code text,
    error_message text,
    client_key text,
    send_try smallint DEFAULT 0 NOT NULL,
    sent_by uuid,
    reactions jsonb DEFAULT '{}'::jsonb NOT NULL,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    accepted_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    failed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    template_id uuid,
    campaign_id uuid,
    CONSTRAINT messages__direction_status__check CHECK (((direction = 'outbound'::text) <> (status = 'received'::text))),
    CONSTRAINT messages__internal_type__check CHECK ((((direction = 'internal'::text) = (type = ANY (ARRAY['system'::text, 'note'::text]))) OR (direction = 'inbound'::text))),
    CONSTRAINT messages_body_check CHECK ((length(body) <= 10000)),
    CONSTRAINT messages_client_key_check CHECK (((length(client_key) >= 8) AND (length(client_key) <= 100))),
    CONSTRAINT messages_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text]))),
    CONSTRAINT messages_status_check CHECK ((status = ANY (ARRAY['received'::text, 'pending'::text, 'sent'::text, 'failed'::text, 'delivered'::text, 'read'::text]))),
    CONSTRAINT messages_type_check CHECK ((type = ANY (ARRAY['text'::text, 'image'::text, 'video'::text, 'audio'::text, 'document'::text, 'sticker'::text, 'location'::text, 'contacts'::text, 'interactive'::text, 'button'::text, 'reaction'::text, 'order'::text, 'template'::text, 'system'::text, 'note'::text, 'unsupported'::text]))),
    CONSTRAINT messages_wa_message_id_check CHECK ((length(wa_message_id) <= 512))
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.messages IS 'Everything said in a conversation, notes and system lines included. Ordered by (occurred_at, id).';

COMMENT ON COLUMN public.messages.is_uncertain IS 'Handed to Meta, but the answer was lost: settled by a status webhook, never sent again by itself.';

COMMENT ON COLUMN public.messages.error_code IS 'A code of the error catalogue, or Meta''s numeric code as text.';

COMMENT ON COLUMN public.messages.client_key IS 'The caller''s idempotency key: the same key again returns the same message.';

COMMENT ON COLUMN public.messages.occurred_at IS 'Meta''s time for inbound messages, ours for the rest.';

CREATE FUNCTION private.touch_conversation(p_conversation_id uuid, p_message public.messages) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    update public.conversations set
        last_message_id = p_message.id, last_message_at = p_message.occurred_at, last_message_type = p_message.type,
        last_message_preview = left(p_message.body, 160), last_message_direction = p_message.direction,
        is_quiet = false, updated_at = now()
    where id = p_conversation_id
$$;

CREATE FUNCTION private.try_audience(p_campaign public.campaigns) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := p_campaign;
begin
    v_campaign.is_marketing := not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null)
        or exists (select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = p_campaign.id and t.category = 'marketing');
    perform private.snapshot_audience(v_campaign, private.clock());
end
$$;

CREATE TABLE private.template_work (
    template_id uuid NOT NULL,
    org_id uuid NOT NULL,
    action text NOT NULL,
    before jsonb,
    handles jsonb DEFAULT '{}'::jsonb NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    run_after timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT template_work_action_check CHECK ((action = ANY (ARRAY['submit'::text, 'edit'::text, 'delete'::text])))
);

COMMENT ON TABLE private.template_work IS 'What Meta is to be asked for a template. A row leaves when Meta has answered for good.';

CREATE FUNCTION private.undo_template_work(p_work private.template_work, p_problem text) RETURNS public.templates
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_before public.templates := jsonb_populate_record(null::public.templates, p_work.before);
    v_template public.templates;
    -- What was approved still stands at Meta; what was rejected or a draft is a person's to correct.
    v_keeps_content boolean := p_work.action = 'submit' or v_before.status = 'rejected';
begin
    delete from private.template_work w where w.template_id = p_work.template_id;
    if p_work.action = 'edit' and v_before.status = 'approved' then
        delete from private.template_edits e where e.template_id = p_work.template_id and e.edited_at = (
            select max(x.edited_at) from private.template_edits x where x.template_id = p_work.template_id);
    end if;
    update public.templates t set
        status = v_before.status, meta_status = v_before.meta_status, problem = left(p_problem, 1000),
        status_reason = v_before.status_reason, rejected_reason = v_before.rejected_reason,
        has_changes = v_keeps_content and p_work.action = 'edit',
        category = case when v_keeps_content then t.category else v_before.category end,
        components = case when v_keeps_content then t.components else v_before.components end,
        links = case when v_keeps_content then t.links else v_before.links end,
        updated_at = clock_timestamp()
    where t.id = p_work.template_id
    returning t.* into v_template;
    return v_template;
end
$$;

CREATE FUNCTION private.update_imported(p_job public.jobs, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed uuid[];
    v_tagged uuid[];
begin
    with changed as (
        update public.contacts c set
            phone = coalesce(c.phone, l.phone), full_name = coalesce(l.full_name, c.full_name), email = coalesce(l.email, c.email),
            company = coalesce(l.company, c.company), job_title = coalesce(l.job_title, c.job_title), notes = coalesce(l.notes, c.notes),
            birthday = coalesce(l.birthday, c.birthday), lifecycle_stage = coalesce(l.lifecycle_stage, c.lifecycle_stage),
            address = case when l.address is null then c.address else coalesce(c.address, '{}') || l.address end,
            custom_fields = c.custom_fields || coalesce(l.custom_fields, '{}'), updated_at = clock_timestamp()
        from unnest(p_contact_ids, p_lines) as l (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
            lifecycle_stage, address, custom_fields, tags, also)
        where c.org_id = p_job.org_id and c.id = l.id and (
            c.phone is null
            or (c.full_name, c.email, c.company, c.job_title, c.notes, c.birthday, c.lifecycle_stage) is distinct from
                (coalesce(l.full_name, c.full_name), coalesce(l.email, c.email), coalesce(l.company, c.company), coalesce(l.job_title, c.job_title),
                coalesce(l.notes, c.notes), coalesce(l.birthday, c.birthday), coalesce(l.lifecycle_stage, c.lifecycle_stage))
            or not coalesce(c.address, '{}') @> coalesce(l.address, '{}') or not c.custom_fields @> coalesce(l.custom_fields, '{}'))
        returning c.id
    )
    select coalesce(array_agg(id), '{}') into v_changed from changed;
    v_tagged := private.link_import_tags(p_job.org_id, p_spec, p_contact_ids, p_lines);
    if jsonb_typeof(p_spec -> 'consent') = 'object' then
        perform private.import_consent(p_job.org_id, p_job.created_by, p_contact_ids, p_spec -> 'consent');
    end if;
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_job.org_id, 'contact.updated', p_job.created_by, x.id, jsonb_build_object('source', 'import', 'job_id', p_job.id)
    from (select unnest(v_changed) as id union select unnest(v_tagged)) x;
end
$$;

CREATE FUNCTION private.use_tier(p_message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := private.clock();
begin
    with taken as materialized (
        select private.portfolio_of(a) as portfolio, m.contact_id
        from public.messages m
        join public.conversations c on c.id = m.conversation_id
        join public.whatsapp_accounts a on a.id = m.whatsapp_account_id
        where m.id = any (p_message_ids) and m.type = 'template' and coalesce(c.window_expires_at <= v_now, true)
            and private.tier_limit(a.messaging_tier) is not null
        group by 1, 2
    ), former as materialized (
        -- In one order, as everywhere.
        select u.portfolio, u.contact_id, u.used_at from private.portfolio_users u
        join taken t on t.portfolio = u.portfolio and t.contact_id = u.contact_id
        order by u.portfolio, u.contact_id for no key update of u
    ), used as (
        insert into private.portfolio_users as u (portfolio, contact_id, used_at)
        select t.portfolio, t.contact_id, v_now from taken t order by t.portfolio, t.contact_id
        on conflict (portfolio, contact_id) do update set used_at = excluded.used_at
        returning u.portfolio
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select x.portfolio, x.minute, sum(x.users) from (
        select u.portfolio, date_trunc('minute', v_now) as minute, 1 as users from used u
        union all
        select f.portfolio, date_trunc('minute', f.used_at), -1 from former f
    ) x group by x.portfolio, x.minute having sum(x.users) <> 0;
end
$$;

CREATE FUNCTION private.variant_bounds(p_campaign public.campaigns) RETURNS TABLE(held_out integer, bounds integer[])
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select h.held_out, array_agg((h.held_out + h.tested * v.upto / v.total)::integer order by v.position)
    from (
        select p_campaign.holdout_percent * 100 as held_out,
            (10000 - p_campaign.holdout_percent * 100) * coalesce((p_campaign.test ->> 'percent')::numeric, 100) / 100 as tested
    ) h
    cross join (
        select v.position, sum(v.share) over (order by v.position) as upto, sum(v.share) over () as total
        from public.campaign_variants v where v.campaign_id = p_campaign.id
    ) v
    group by h.held_out
$$;

CREATE FUNCTION private.variant_budgets(p_campaign_id uuid) RETURNS TABLE(variant integer, template jsonb, variables jsonb, tokens jsonb, fields text[], longest bigint, budget integer, always boolean)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select v.position, x.template, v.variables,
        (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(t.links) l (key)),
        f.fields, f.longest,
        (least(1024 - coalesce(length(x.rendered ->> 'body'), 0), case when f.in_header then 60 - length(x.rendered #>> '{header,text}') end)
            -- A variable may stand in the text more than once.
            / greatest(1, ceil((length(x.template::text) - length(replace(x.template::text, '{{', ''))) / 2.0 / greatest(1, f.count))))::integer,
        coalesce(f.elsewhere, false)
    from public.campaign_variants v
    join public.templates t on t.id = v.template_id
    cross join lateral (
        select private.template_shape(t) as template,
            octopush.render_template(private.template_shape(t), octopush.campaign_values(v.variables, '{}')) as rendered
    ) x
    cross join lateral (
        select array_agg(e.value ->> 'field') as fields, count(*) as count,
            -- As long as the columns of contacts allow.
            sum(case when e.value ->> 'field' in ('full_name', 'first_name', 'company', 'job_title') then 200 when e.value ->> 'field' = 'email' then 320
                when e.value ->> 'field' in ('phone', 'birthday') then 16 when e.value ->> 'field' = 'username' then 100 else 100000 end) as longest, bool_or(e.key like 'header.%') as in_header,
            bool_or(e.key !~ '^(header|body)\.' or e.key in ('header.media', 'header.location')) as elsewhere
        from jsonb_each(v.variables) e where e.value ->> 'source' = 'contact'
    ) f
    where v.campaign_id = p_campaign_id
$$;

CREATE FUNCTION private.verified_email() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_user record;
begin
    select u.email, u.email_confirmed_at into v_user from auth.users u where u.id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
    if v_user.email_confirmed_at is null then
        perform private.raise_error('AUTH_004');
    end if;
    return lower(v_user.email);
end
$$;

CREATE FUNCTION private.waba_token(p_org_id uuid, p_waba_id text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select s.decrypted_secret from public.whatsapp_accounts a
    join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
    join vault.decrypted_secrets s on s.id = c.secret_id
    where a.org_id = p_org_id and a.waba_id = p_waba_id and a.status = 'connected' order by a.id limit 1
$$;

CREATE FUNCTION private.waiting_import(p_job_id uuid) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind <> 'import' or v_job.status <> 'waiting' then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return v_job;
end
$$;

CREATE FUNCTION private.waiting_segment_orgs(p_now timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    with recursive queued as (
        -- Hops from organisation to organisation along the index, however long the queue of one is.
        (select q.org_id from private.contact_changes q order by q.org_id limit 1)
        union all
        select (select q.org_id from private.contact_changes q where q.org_id > w.org_id order by q.org_id limit 1)
        from queued w where w.org_id is not null
    )
    select o.org_id
    from (
        select w.org_id from queued w where w.org_id is not null
        union
        select k.org_id from private.segment_clocks k
        where k.library <> octopush.version()
            or k.has_horizons and (p_now >= k.evaluated_until + interval '1 second' or p_now < k.judged_at)
        union
        select p.org_id from private.segment_programs p where p.rebuild is not null
    ) o
    left join private.segment_clocks k on k.org_id = o.org_id
    order by k.served_at nulls first
    limit 100
$$;

CREATE FUNCTION private.wake_template_workers() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select pg_catalog.pg_notify('octopush_templates', '') $$;

CREATE FUNCTION private.walk_page(p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, p_total bigint DEFAULT NULL::bigint) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET enable_sort TO 'off'
    SET max_parallel_workers_per_gather TO '0'
    AS $_$
declare
    v_from_end boolean := coalesce(p_offset > p_total / 2, false);
    v_direction text := case when p_descending <> v_from_end then 'desc' else 'asc' end;
    v_named text := format('(select c.id from %s where %s and %s is not null order by %3$s %s, c.id %4$s)', p_filter.source, p_filter.condition,
        p_key, v_direction);
    v_unnamed text := format('(select c.id from %s where %s and %s is null order by c.id %s)', p_filter.source, p_filter.condition, p_key, v_direction);
    v_ids uuid[];
begin
    -- Contacts without the key come last whichever way the others are sorted.
    execute format('select array(%s limit $5 offset $6)', case
            when p_key = 'c.created_at' then v_named
            when v_from_end then v_unnamed || ' union all ' || v_named
            else v_named || ' union all ' || v_unnamed end)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit,
            case when v_from_end then p_total - p_offset - p_limit else p_offset end;
    return case when v_from_end then array(select x.id from unnest(v_ids) with ordinality x (id, position) order by x.position desc) else v_ids end;
end
$_$;

CREATE FUNCTION private.with_contacts(p_events jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_senders jsonb;
begin
    -- Again when somebody we found was merged or erased before we held them: their number then names somebody else. What was locked so far is
    -- let go with the subtransaction, because contacts are made before any is locked.
    for i in 1..3 loop
        begin
            with senders as materialized (
                select distinct on (x.org_id, x.wa_id, x.bsuid) x.*
                from jsonb_to_recordset(p_events) as x (
                    org_id uuid, wa_id text, bsuid text, profile_name text, username text, occurred_at timestamptz)
                order by x.org_id, x.wa_id, x.bsuid, x.occurred_at desc
            ), resolved as materialized (
                select s.*, private.resolve_contact(s.org_id, s.wa_id, s.bsuid, s.profile_name, s.username) as contact_id from senders s
            )
            select jsonb_agg(to_jsonb(r)) into v_senders from resolved r;
            perform c.id from public.contacts c
            where c.id in (select s.contact_id from jsonb_to_recordset(v_senders) as s (contact_id uuid))
            order by c.id for no key update;
            if exists (
                select from jsonb_to_recordset(v_senders) as s (contact_id uuid)
                where s.contact_id is not null
                    and not exists (select from public.contacts c where c.id = s.contact_id and c.erased_at is null)) then
                raise exception 'a contact went away while its message was applied' using errcode = 'serialization_failure';
            end if;
            exit;
        exception when serialization_failure then
            if i = 3 then
                raise;
            end if;
        end;
    end loop;
    perform private.enrich_contacts(v_senders);
    return (
        select jsonb_agg(e.value || jsonb_build_object('contact_id', s.contact_id))
        from jsonb_array_elements(p_events) e
        join jsonb_to_recordset(v_senders) as s (org_id uuid, wa_id text, bsuid text, contact_id uuid)
            on s.org_id = (e.value ->> 'org_id')::uuid
            and s.wa_id is not distinct from e.value ->> 'wa_id' and s.bsuid is not distinct from e.value ->> 'bsuid'
    );
end
$$;

CREATE FUNCTION private.with_problem(p_lines private.import_line[], p_problem text) RETURNS private.import_line[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select array(select jsonb_populate_record(l, jsonb_build_object('problem', p_problem)) from unnest(p_lines) l)
$$;

CREATE FUNCTION private.without_lines(p_lines private.import_line[], p_numbers bigint[]) RETURNS private.import_line[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select case when coalesce(p_numbers, '{}') = '{}' then p_lines else array(
        select l from unnest(p_lines) l where not exists (select from unnest(p_numbers) n where n = l.line) order by l.phone) end
$$;

CREATE FUNCTION private.write_opportunity(p_contact public.contacts, p_source text, p_campaign_id uuid, p_fields private.opportunity_fields) RETURNS public.opportunities
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_opportunity public.opportunities;
    v_of record;
begin
    select * into v_of from private.attribute_opportunity(p_contact.org_id, p_contact.id, p_fields.occurred_at, p_campaign_id);
    insert into public.opportunities
        (org_id, contact_id, campaign_id, held_out_campaign_id, source, amount, currency, external_id, note, occurred_at, created_by)
    values (p_contact.org_id, p_contact.id, v_of.campaign_id, v_of.held_out_campaign_id, p_source,
        p_fields.amount, p_fields.currency, p_fields.external_id, p_fields.note, p_fields.occurred_at, (select auth.uid()))
    returning * into v_opportunity;
    perform private.mark_opportunities(v_opportunity);
    perform private.record_activity(p_contact.org_id, 'opportunity.recorded', (select auth.uid()), p_contact.id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', v_opportunity.id, 'campaign_id', v_opportunity.campaign_id,
            'source', p_source, 'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(p_contact.org_id, array[p_contact.id]);
    return v_opportunity;
end
$$;

CREATE FUNCTION public.accept_invitation(p_token text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_invitation record;
begin
    select i.id, i.org_id, i.role, i.email into v_invitation
    from public.org_invitations i
    join public.organizations o on o.id = i.org_id and o.deleted_at is null
    where i.token_hash = extensions.digest(coalesce(p_token, ''), 'sha256')
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > private.clock()
    for update of i;
    -- A right token in the wrong hands is told nothing more than a wrong token.
    if not found or v_invitation.email <> v_email then
        perform private.raise_error('ORG_003');
    end if;
    insert into public.profiles (user_id, full_name, email) values (v_user_id, split_part(v_email, '@', 1), v_email)
    on conflict (user_id) do update set email = excluded.email, updated_at = now();
    insert into public.org_memberships (org_id, user_id, role) values (v_invitation.org_id, v_user_id, v_invitation.role)
    on conflict (org_id, user_id) do nothing;
    update public.org_invitations set accepted_at = now() where id = v_invitation.id;
    perform private.record_activity(v_invitation.org_id, 'member.joined', v_user_id, p_data => jsonb_build_object('role', v_invitation.role));
    return v_invitation.org_id;
end
$$;

COMMENT ON FUNCTION public.accept_invitation(p_token text) IS 'Joins the organisation of the invitation; returns its id. Errors: AUTH_002, AUTH_004, ORG_003.';

CREATE FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
begin
    if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
        perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
    end if;
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.type <> 'note' or v_message.conversation_id <> p_conversation_id or v_message.body <> p_body then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key, sent_by)
    values (v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'internal', 'note',
        p_body, 'received', p_client_key, (select auth.uid()))
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.record_activity(v_conversation.org_id, 'conversation.note_added', (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) IS 'An internal note: a message of direction internal, which no sender ever claims. Errors: AUTH_003, CONVERSATION_001, MESSAGE_002, MESSAGE_005.';

CREATE FUNCTION public.archive_custom_field(p_id uuid) RETURNS public.custom_field_definitions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    update public.custom_field_definitions d set archived_at = coalesce(d.archived_at, now()), updated_at = clock_timestamp()
    where d.id = p_id returning d.* into v_field;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;

COMMENT ON FUNCTION public.archive_custom_field(p_id uuid) IS 'Values stay, new ones are refused. Errors: AUTH_003, FIELD_001.';

CREATE FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations;
begin
    -- Memberships before conversations, as when a member is removed: the right to answer holds until this commits.
    perform from public.conversations c join public.org_memberships m on m.org_id = c.org_id
    where c.id = p_conversation_id and c.org_id = any (private.my_org_ids()) and m.user_id = p_user_id
    for share of m;
    v_conversation := private.conversation_for(p_conversation_id, 'inbox.answer');
    if v_conversation.assigned_to is not distinct from p_user_id then
        return;
    end if;
    if p_user_id is not null and not private.member_has(v_conversation.org_id, p_user_id, 'inbox.answer') then
        perform private.raise_error('CONVERSATION_002');
    end if;
    update public.conversations set assigned_to = p_user_id, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'assigned', jsonb_build_object('user_id', p_user_id));
    perform private.record_activity(v_conversation.org_id, 'conversation.assigned', (select auth.uid()), v_conversation.contact_id,
        p_conversation_id, jsonb_build_object('user_id', p_user_id));
    if p_user_id is not null and p_user_id <> (select auth.uid()) then
        perform private.notify_members(v_conversation.org_id, array[p_user_id], 'conversation.assigned', 'high',
            jsonb_build_object('conversation_id', p_conversation_id, 'contact_id', v_conversation.contact_id, 'by', (select auth.uid())));
    end if;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) IS 'null takes the assignment back. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_002.';

CREATE FUNCTION public.campaign_audience(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_stats jsonb;
    v_excluded jsonb;
    v_is_draft boolean := v_campaign.status in ('draft', 'scheduled');
begin
    begin
        if v_is_draft and v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_stats := private.stats_of(p_id);
        v_excluded := private.reasons_of(p_id, false);
        if v_is_draft then
            raise exception sqlstate 'UNDO0';
        end if;
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return jsonb_build_object('total', v_stats -> 'total',
        'recipients', (v_stats ->> 'total')::bigint - (v_stats ->> 'excluded')::bigint - (v_stats ->> 'held_out')::bigint,
        'held_out', v_stats -> 'held_out', 'excluded', v_excluded, 'tier', private.tier_answer(v_campaign),
        'problems', case when v_is_draft then private.campaign_problems(v_campaign) else '[]' end);
end
$$;

COMMENT ON FUNCTION public.campaign_audience(p_id uuid) IS 'Who would get it, or who was to get it: {"total", "recipients", "held_out", "excluded": {reason: n}, "tier": {"limit", "used"}, "problems"}. Errors: AUTH_003, CAMPAIGN_001.';

CREATE FUNCTION public.campaign_detail(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_stats jsonb := private.stats_of(p_id);
    v_was_launched boolean := v_campaign.launched_at is not null;
begin
    return jsonb_build_object(
        'campaign', to_jsonb(v_campaign),
        'variants', coalesce((
            select jsonb_agg(to_jsonb(v) - array['org_id', 'campaign_id'] || jsonb_build_object('template_name', t.name, 'template_language', t.language,
                'template_category', t.category) order by v.position)
            from public.campaign_variants v left join public.templates t on t.id = v.template_id where v.campaign_id = p_id), '[]'),
        'stats', v_stats,
        'by_variant', coalesce((select jsonb_agg(to_jsonb(s) - 'campaign_id' order by s.variant)
            from private.campaign_variant_stats s where s.campaign_id = p_id and s.variant > 0), '[]'),
        'failures', coalesce((
            select jsonb_agg(jsonb_build_object('code', f.key, 'count', f.value, 'may_be_retried', private.may_be_retried(f.key)) order by f.value::bigint desc, f.key)
            from jsonb_each(private.reasons_of(p_id, true)) f), '[]'),
        'excluded', private.reasons_of(p_id, false),
        'lift', case when v_was_launched then private.campaign_lift(v_campaign, v_stats) end,
        'comparison', case when v_was_launched and (select count(*) > 1 from public.campaign_variants v where v.campaign_id = p_id)
            then private.test_comparison(v_campaign) end,
        'cost', private.spent(v_campaign, (v_stats ->> 'delivered')::bigint),
        'finishes_at', case when v_campaign.status = 'sending' then private.campaign_finishes_at(v_campaign, private.clock()) end,
        'tier', private.tier_answer(v_campaign),
        'audience_name', private.audience_name(v_campaign),
        'created_by_name', (select p.full_name from public.profiles p where p.user_id = v_campaign.created_by));
end
$$;

COMMENT ON FUNCTION public.campaign_detail(p_id uuid) IS '{"campaign", "variants", "stats", "by_variant", "failures": [{"code", "count", "may_be_retried"}], "excluded", "lift", "comparison", "cost", "finishes_at", "tier", "audience_name", "created_by_name"}. Errors: AUTH_002, CAMPAIGN_001.';

CREATE FUNCTION public.campaign_exclusions(p_id uuid, p_reason text DEFAULT NULL::text, p_limit integer DEFAULT 50, p_after uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_page jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        return private.excluded_page(p_id, p_reason, p_limit, p_after);
    end if;
    begin
        if v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_page := private.excluded_page(p_id, p_reason, p_limit, p_after);
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return v_page;
end
$$;

COMMENT ON FUNCTION public.campaign_exclusions(p_id uuid, p_reason text, p_limit integer, p_after uuid) IS 'Who is left out and why: [{contact_id, full_name, phone, reason}]; p_after: the contact_id of the last one before. Errors: AUTH_003, CAMPAIGN_001.';

CREATE FUNCTION public.campaign_links(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.campaign_to_read(p_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('variant', v.position, 'button', b.key::integer, 'destination', b.value,
            'people', coalesce(k.people, 0), 'clicks', coalesce(k.clicks, 0), 'bots', coalesce(k.bots, 0)) order by v.position, b.key::integer)
        from public.campaign_variants v
        cross join lateral jsonb_each_text(v.links) b
        left join (
            select c.variant, c.button, count(distinct c.token) filter (where not c.is_bot) as people,
                sum(c.clicks) filter (where not c.is_bot) as clicks, sum(c.clicks) filter (where c.is_bot) as bots
            from private.link_clicks c where c.campaign_id = p_id group by c.variant, c.button
        ) k on k.variant = v.position and k.button = b.key::integer
        where v.campaign_id = p_id), '[]');
end
$$;

COMMENT ON FUNCTION public.campaign_links(p_id uuid) IS 'Tracked buttons of a campaign: [{"variant", "button", "destination", "people", "clicks", "bots"}]. Errors: CAMPAIGN_001.';

CREATE FUNCTION public.cancel_campaign(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('scheduled', 'sending', 'paused') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'cancelled', waiting_for = null, resumes_at = null, finished_at = private.clock(), updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.cancelled', (select auth.uid()));
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.cancel_campaign(p_id uuid) IS 'Scheduled, sending or paused → cancelled, for good. Whoever still waited gets nothing. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

CREATE FUNCTION public.cancel_job(p_job_id uuid) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    -- Waits for the batch under way: the worker holds the row while it commits one.
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind = 'erasure' or v_job.status not in ('queued', 'running', 'waiting') then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return private.finish_job(p_job_id, 'cancelled');
end
$$;

COMMENT ON FUNCTION public.cancel_job(p_job_id uuid) IS 'Stops a job; what it has done stays done. An erasure cannot be cancelled. Errors: AUTH_003, JOB_001, JOB_002 (details.status).';

CREATE FUNCTION public.change_contacts(p_org_id uuid, p_selection jsonb, p_change jsonb) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_ids uuid[];
    v_job public.jobs;
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_change ->> 'action' = 'delete' then
        perform private.require_permission(p_org_id, 'contacts.delete');
    end if;
    if p_change ->> 'action' = 'restore' or p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    perform private.check_contact_change(p_org_id, p_change);
    v_ids := array(select x.id from private.selected_contacts(p_org_id, p_selection) x (id) order by x.id);
    -- More would keep a person waiting and hold rows that messages want to update.
    if cardinality(v_ids) > 500 then
        v_job := private.create_job(p_org_id, 'bulk_change', jsonb_build_object('change', p_change), cardinality(v_ids));
        insert into private.job_items (job_id, position, contact_id)
        select v_job.id, x.position, x.id from unnest(v_ids) with ordinality x (id, position);
        return v_job;
    end if;
    insert into public.jobs (org_id, kind, status, input, result, done_count, total_count, created_by, started_at, finished_at)
    values (p_org_id, 'bulk_change', 'done', jsonb_build_object('change', p_change),
        jsonb_build_object('changed', private.apply_contact_change(p_org_id, v_ids, p_change, (select auth.uid()))),
        cardinality(v_ids), cardinality(v_ids), (select auth.uid()), now(), now())
    returning * into v_job;
    return v_job;
end
$$;

COMMENT ON FUNCTION public.change_contacts(p_org_id uuid, p_selection jsonb, p_change jsonb) IS 'Adds or removes tags, sets consent or stage, deletes or restores a selection; up to 500 contacts at once (job done, result.changed), more by a worker. Errors: AUTH_003, ORG_001, CONTACT_007 (details.field), CONTACT_012, JOB_005, SEGMENT_002, TAG_001.';

CREATE FUNCTION public.check_template(p_org_id uuid, p_fields jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates;
    v_problems jsonb;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_template.org_id := p_org_id;
    if jsonb_typeof(p_fields) = 'object' then
        begin
            v_template.id := (p_fields ->> 'id')::uuid;
        exception when invalid_text_representation then
            perform private.refuse_template('/id', 'malformed', 'This is no id');
        end;
        p_fields := p_fields - 'id';
    end if;
    v_template.waba_id := private.default_waba(p_org_id);
    v_template.language := 'en_US';
    v_template.category := 'marketing';
    v_template.parameter_format := 'positional';
    v_template.components := '[]';
    v_template.links := '{}';
    v_template := private.merge_template_fields(v_template, p_fields);
    v_problems := octopush.check_template(private.template_shape(v_template));
    if private.is_name_taken(v_template) then
        v_problems := private.template_problem('/name', 'name_taken', 'There is a template of this name in this language already') || v_problems;
    elsif private.name_free_at(v_template) is not null then
        v_problems := private.template_problem('/name', 'name_blocked', 'WhatsApp keeps the name of a deleted template for 30 days') || v_problems;
    end if;
    return v_problems;
end
$$;

COMMENT ON FUNCTION public.check_template(p_org_id uuid, p_fields jsonb) IS 'p_fields: create_template''s, and "id" of the template they are for → [{path, severity error|warning, code, message}]: what Meta refuses, and what it often rejects. Errors: AUTH_003, ORG_001, TEMPLATE_004 (details.problems, when the fields are malformed), WA_006.';

CREATE FUNCTION public.choose_winner(p_id uuid, p_variant integer) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('sending', 'paused') or v_campaign.test is null or v_campaign.winner is not null then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    if not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.position = p_variant) then
        perform private.refuse_campaign_field('winner', 'wrong_value', 'There is no such variant');
    end if;
    return private.set_winner(v_campaign, p_variant);
end
$$;

COMMENT ON FUNCTION public.choose_winner(p_id uuid, p_variant integer) IS 'The rest of the audience gets this variant, now. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_009.';

CREATE FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text DEFAULT 'MY'::text, p_time_zone text DEFAULT 'Asia/Kuala_Lumpur'::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_org_id uuid;
begin
    perform private.check_organization_fields(p_org_name, p_country, p_time_zone);
    insert into public.profiles (user_id, full_name, email)
    values (v_user_id, left(btrim(coalesce(p_full_name, '')), 120), v_email)
    on conflict (user_id) do update set full_name = excluded.full_name, email = excluded.email, updated_at = now();
    -- The upsert above holds the profile's row lock: a second call at the same time waits here and then finds the membership.
    -- Who deleted their organisation may start again.
    if exists (
        select from public.org_memberships m join public.organizations o on o.id = m.org_id and o.deleted_at is null
        where m.user_id = v_user_id
    ) then
        perform private.raise_error('ORG_002');
    end if;
    insert into public.organizations (name, country, time_zone)
    values (btrim(p_org_name), p_country, p_time_zone)
    returning id into v_org_id;
    insert into public.org_memberships (org_id, user_id, role) values (v_org_id, v_user_id, 'owner');
    perform private.record_activity(v_org_id, 'organization.created', v_user_id);
    return v_org_id;
end
$$;

COMMENT ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) IS 'Makes the caller''s organisation and their owner membership; returns its id. Errors: AUTH_002, AUTH_004, ORG_002, ORG_005.';

CREATE FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_account_id uuid;
    v_secret_id uuid;
    v_old_secret_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if coalesce(p_waba_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "waba_id"}');
    end if;
    if coalesce(p_phone_number_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "phone_number_id"}');
    end if;
    if p_access_token is null or length(p_access_token) not between 8 and 2000 or p_access_token !~ '^[[:graph:]]+$' then
        perform private.raise_error('WA_010', '{"field": "access_token"}');
    end if;
    if exists (
        select from public.whatsapp_accounts a
        where a.phone_number_id = p_phone_number_id and a.status = 'connected' and a.org_id <> p_org_id
    ) then
        perform private.raise_error('WA_009');
    end if;
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- Again after the wait: the organisation may be gone, or the right.
    perform private.require_permission(p_org_id, 'settings.manage');
    select a.id into v_account_id from public.whatsapp_accounts a
    where a.org_id = p_org_id and a.phone_number_id = p_phone_number_id order by a.created_at limit 1;
    if v_account_id is null then
        insert into public.whatsapp_accounts (org_id, waba_id, phone_number_id) values (p_org_id, p_waba_id, p_phone_number_id)
        returning id into v_account_id;
    else
        update public.whatsapp_accounts set status = 'connecting', status_reason = null, updated_at = now()
        where id = v_account_id;
    end if;
    v_secret_id := vault.create_secret(p_access_token, 'whatsapp:' || v_account_id || ':' || octopush.uuid_v7(), 'WhatsApp access token');
    select c.secret_id into v_old_secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = v_account_id;
    insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id) values (v_account_id, v_secret_id, p_waba_id)
    on conflict (whatsapp_account_id) do update
    set secret_id = excluded.secret_id, waba_id = excluded.waba_id, checked_at = null, check_attempts = 0, check_after = private.clock();
    delete from vault.secrets where id = v_old_secret_id;
    perform private.record_activity(p_org_id, 'whatsapp_account.connecting', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', v_account_id));
    perform private.broadcast('org:' || p_org_id, 'account', jsonb_build_object('whatsapp_account_id', v_account_id));
    perform pg_catalog.pg_notify('octopush_maintenance', '');
    return v_account_id;
end
$_$;

COMMENT ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) IS 'Stores the token and asks a worker to check it with Meta: status connecting, then connected or error. Calling again replaces the token. Errors: AUTH_003, ORG_001, WA_009, WA_010 (details.field).';

CREATE FUNCTION public.contact_segments(p_contact_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select c.org_id into v_org_id from public.contacts c
    where c.id = p_contact_id and (private.is_database_admin() or c.org_id = any (private.my_org_ids()));
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'kind', s.kind, 'is_member', m.contact_id is not null, 'pin', p.kind)
            order by lower(s.name))
        from public.segments s
        left join public.segment_members m on m.segment_id = s.id and m.contact_id = p_contact_id
        left join public.segment_pins p on p.segment_id = s.id and p.contact_id = p_contact_id
        where s.org_id = v_org_id), '[]');
end
$$;

COMMENT ON FUNCTION public.contact_segments(p_contact_id uuid) IS 'Every segment of the organisation: [{id, name, kind, is_member, pin}]. Errors: CONTACT_001.';

CREATE FUNCTION public.contact_timeline(p_contact_id uuid, p_limit integer DEFAULT 20, p_before text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
    v_limit integer := least(greatest(coalesce(p_limit, 20), 1), 100);
    v_at timestamptz := timestamptz 'infinity';
    v_id uuid := uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    v_events jsonb;
    v_has_more boolean;
begin
    select c.* into v_contact from public.contacts c where c.id = p_contact_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_contact.org_id, case when v_contact.deleted_at is null then 'read' else 'contacts.trash' end);
    if v_contact.erased_at is not null then
        perform private.raise_error('CONTACT_010');
    end if;
    if p_before is not null then
        begin
            v_at := split_part(p_before, ' ', 1)::timestamptz;
            v_id := split_part(p_before, ' ', 2)::uuid;
        exception when data_exception then
            perform private.raise_error('CONTACT_007', '{"field": "before"}');
        end;
    end if;

    with events as (
        select x.* from public.conversations v
        cross join lateral (
            select m.id, m.occurred_at as at,
                case when m.type = 'note' then 'note.added' when m.direction = 'inbound' then 'message.received'
                    when m.campaign_id is not null then 'campaign.received' else 'message.sent' end as kind,
                m.sent_by as actor_id,
                jsonb_build_object('conversation_id', m.conversation_id, 'type', m.type, 'preview', left(m.body, case m.type when 'note' then 4096 else 160 end)) || case
                    when m.direction = 'outbound' then jsonb_build_object('status', m.status) else '{}' end || case
                    when m.campaign_id is not null then jsonb_build_object('campaign_id', m.campaign_id, 'campaign_name', (
                        select k.name from public.campaigns k where k.id = m.campaign_id)) else '{}' end as data
            from public.messages m
            where m.conversation_id = v.id and (m.occurred_at, m.id) < (v_at, v_id) and m.type <> 'system'
            order by m.occurred_at desc, m.id desc limit v_limit + 1
        ) x
        where v.org_id = v_contact.org_id and v.contact_id = p_contact_id
        union all
        (select x.id, x.created_at, 'consent.changed', x.actor_id,
            jsonb_build_object('old', x.old_status, 'new', x.new_status, 'source', x.source, 'evidence', x.evidence)
        from public.contact_consents x
        where x.org_id = v_contact.org_id and x.contact_id = p_contact_id and (x.created_at, x.id) < (v_at, v_id)
        order by x.created_at desc, x.id desc limit v_limit + 1)
        union all
        (select l.id, l.created_at, l.kind, l.actor_id,
            l.data || case when l.conversation_id is null then '{}' else jsonb_build_object('conversation_id', l.conversation_id) end
        from public.activity_log l
        where l.org_id = v_contact.org_id and l.contact_id = p_contact_id and (l.created_at, l.id) < (v_at, v_id)
            -- To the letter the condition of activity_log__timeline__idx.
            and l.kind not in ('message.received', 'conversation.created', 'conversation.note_added', 'contact.consent_changed')
        order by l.created_at desc, l.id desc limit v_limit + 1)
        union all
        (select md5(k.token)::uuid, k.clicked_at, 'link.clicked', null,
            jsonb_build_object('campaign_id', k.campaign_id, 'campaign_name', n.name, 'button', k.button, 'destination', k.destination)
        from private.links k left join public.campaigns n on n.id = k.campaign_id
        where k.contact_id = p_contact_id and k.clicked_at <= v_at and (k.clicked_at, md5(k.token)::uuid) < (v_at, v_id)
        order by k.clicked_at desc, md5(k.token)::uuid desc limit v_limit + 1)
    ), page as (
        select e.id, e.kind, e.at, e.actor_id, e.data || case when e.kind <> 'contact.tags_changed' then '{}' else (
            -- Names as they are now; of a tag that is gone its id is all that is left.
            select jsonb_build_object(
                'added', coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', t.name, 'color', t.color)) filter (where i.side = 'added'), '[]'),
                'removed', coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', t.name, 'color', t.color)) filter (where i.side = 'removed'), '[]'))
            from (
                select 'added' as side, a.id from jsonb_array_elements_text(e.data -> 'added') a (id)
                union all select 'removed', r.id from jsonb_array_elements_text(e.data -> 'removed') r (id)
            ) i left join public.tags t on t.org_id = v_contact.org_id and t.id = i.id::uuid
        ) end as data
        from events e order by e.at desc, e.id desc limit v_limit + 1
    )
    select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'kind', p.kind, 'at', p.at, 'actor_id', p.actor_id, 'actor_name', u.full_name,
            'data', p.data) order by p.place) filter (where p.place <= v_limit), '[]'),
        count(*) > v_limit
    into v_events, v_has_more
    from (select g.*, row_number() over (order by g.at desc, g.id desc) as place from page g) p
    left join public.profiles u on u.user_id = p.actor_id;
    return jsonb_build_object('events', v_events, 'next', case when v_has_more then
        (v_events #>> array[(v_limit - 1)::text, 'at']) || ' ' || (v_events #>> array[(v_limit - 1)::text, 'id']) end);
end
$$;

COMMENT ON FUNCTION public.contact_timeline(p_contact_id uuid, p_limit integer, p_before text) IS 'Messages, notes, consent, tags, edits and assignments, newest first: message.received | message.sent | campaign.received | note.added | consent.changed | link.clicked | opportunity.* | contact.* | conversation.*. p_before: next of the page before. Errors: AUTH_002, AUTH_003, CONTACT_001, CONTACT_007, CONTACT_010.';

CREATE FUNCTION public.create_campaign(p_org_id uuid, p_fields jsonb) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_campaign.org_id := p_org_id;
    v_campaign := private.merge_campaign_fields(v_campaign, p_fields);
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, scheduled_at, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (p_org_id, v_campaign.name, v_campaign.description,
        -- Most have one number.
        coalesce(v_campaign.whatsapp_account_id, (
            select (array_agg(a.id))[1] from public.whatsapp_accounts a where a.org_id = p_org_id and a.status = 'connected' having count(*) = 1)),
        v_campaign.audience, v_campaign.scheduled_at, v_campaign.time_zone, v_campaign.quiet_hours, v_campaign.uncertain_policy,
        v_campaign.uncertain_hours, v_campaign.holdout_percent, v_campaign.test, v_campaign.attribution_days, (select auth.uid()))
    returning * into v_campaign;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_campaign, p_fields -> 'variants');
    end if;
    perform private.record_activity(p_org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_campaign.id, 'name', v_campaign.name));
    perform private.broadcast_campaigns(p_org_id, array[v_campaign.id]);
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.create_campaign(p_org_id uuid, p_fields jsonb) IS 'A draft; all but the name may follow later. p_fields: columns of campaigns, and "variants": [{template_id, variables, links, share}]. Errors: AUTH_003, ORG_001, CAMPAIGN_009 (details.problems), CONTACT_012.';

CREATE FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
    v_existing record;
    v_field text;
    v_status text;
    v_source text;
    v_tag_ids uuid[];
begin
    perform private.require_permission(p_org_id, 'contacts.write');
    v_contact.org_id := p_org_id;
    if jsonb_typeof(p_fields) = 'object' then
        v_status := coalesce(p_fields ->> 'opt_in_status', 'pending');
        v_source := coalesce(p_fields ->> 'opt_in_source', 'manual');
        perform private.check_consent(v_status, v_source, null);
        begin
            v_tag_ids := array(select x.value::uuid from jsonb_array_elements_text(nullif(p_fields -> 'tag_ids', 'null')) x);
        exception when data_exception then
            perform private.raise_error('CONTACT_007', '{"field": "tag_ids"}');
        end;
        p_fields := p_fields - '{opt_in_status,opt_in_source,tag_ids}'::text[];
    end if;
    v_contact := private.merge_contact_fields(v_contact, p_fields);
    if v_contact.phone is null then
        perform private.raise_error('CONTACT_003');
    end if;
    begin
        insert into public.contacts (org_id, phone, full_name, email, avatar_url, company, job_title, address, notes, birthday, lifecycle_stage,
            custom_fields, opt_in_status, opt_in_source, opt_in_at)
        values (p_org_id, v_contact.phone, v_contact.full_name, v_contact.email, v_contact.avatar_url, v_contact.company,
            v_contact.job_title, v_contact.address, v_contact.notes, v_contact.birthday, v_contact.lifecycle_stage,
            coalesce(v_contact.custom_fields, '{}'), v_status, case when v_status <> 'pending' then v_source end,
            case when v_status = 'opted_in' then now() end)
        returning * into v_contact;
    exception
        when unique_violation then
            select c.id, c.deleted_at into v_existing from public.contacts c where c.org_id = p_org_id and c.phone = v_contact.phone;
            perform private.raise_error(case when v_existing.deleted_at is null then 'CONTACT_002' else 'CONTACT_004' end,
                jsonb_build_object('contact_id', v_existing.id));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(p_org_id, 'contact.created', (select auth.uid()), v_contact.id, p_data => '{"source": "manual"}');
    if v_status <> 'pending' then
        perform private.record_consents(p_org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', v_contact.id,
            'old', null, 'new', v_status, 'source', v_source)));
    end if;
    if cardinality(v_tag_ids) > 0 then
        perform private.put_tags(v_contact, v_tag_ids);
    end if;
    perform private.broadcast_contacts(p_org_id, array[v_contact.id]);
    return v_contact;
end
$$;

COMMENT ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) IS 'p_fields: phone (required, any notation; the organisation''s country is the default), PRD §5.1''s fields, custom_fields, tag_ids, opt_in_status, opt_in_source. Errors: AUTH_003, ORG_001, CONTACT_002 (details.contact_id), CONTACT_003, CONTACT_004, CONTACT_007 (details.field, details.problem), TAG_001.';

CREATE FUNCTION public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[] DEFAULT '{}'::text[], p_key text DEFAULT NULL::text) RETURNS public.custom_field_definitions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_field public.custom_field_definitions;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.check_custom_field_room(p_org_id);
    if p_type is null or p_type not in ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice') then
        perform private.raise_error('FIELD_003', '{"part": "type"}');
    end if;
    if p_key !~ '^[a-z][a-z0-9_]{0,49}$' then
        perform private.raise_error('FIELD_003', '{"part": "key"}');
    end if;
    if coalesce(btrim(p_label), '') = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        insert into public.custom_field_definitions (org_id, key, label, type, options, position)
        values (p_org_id, coalesce(p_key, private.custom_field_key(p_org_id, p_label)), btrim(p_label), p_type,
            private.custom_field_options(p_type, coalesce(p_options, '{}')),
            (select coalesce(max(d.position) + 1, 0) from public.custom_field_definitions d where d.org_id = p_org_id))
        returning * into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || p_org_id, 'contacts', '{"all": true}');
    return v_field;
end
$_$;

COMMENT ON FUNCTION public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[], p_key text) IS 'p_type: text | number | date | boolean | choice | multi_choice; p_options for the choices; p_key (a-z, 0-9, _) is made from the label when null. Errors: AUTH_003, ORG_001, FIELD_002 (100), FIELD_003 (details.part), FIELD_004.';

CREATE FUNCTION public.create_export(p_org_id uuid, p_selection jsonb DEFAULT '{}'::jsonb) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    -- Refuses a malformed selection now, while there is somebody to tell.
    perform s from private.selected_contacts(p_org_id, coalesce(p_selection, '{}')) s limit 1;
    return private.create_job(p_org_id, 'export', jsonb_build_object('selection', coalesce(p_selection, '{}')));
end
$$;

COMMENT ON FUNCTION public.create_export(p_org_id uuid, p_selection jsonb) IS 'Writes a CSV file of a selection; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, ORG_001, CONTACT_012, SEGMENT_002, JOB_005.';

CREATE FUNCTION public.create_import(p_org_id uuid, p_path text, p_file_name text) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_path is null or not starts_with(p_path, p_org_id || '/')
        or not exists (select from storage.objects o where o.bucket_id = 'imports' and o.name = p_path)
    then
        perform private.raise_error('JOB_003');
    end if;
    return private.create_job(p_org_id, 'import', jsonb_build_object('path', p_path, 'file_name', left(coalesce(p_file_name, ''), 255)));
end
$$;

COMMENT ON FUNCTION public.create_import(p_org_id uuid, p_path text, p_file_name text) IS 'p_path: an object of bucket imports, <org_id>/…. A worker looks at it: status waiting, result as docs/contacts-and-segments.md says. Errors: AUTH_003, ORG_001, JOB_003, JOB_005.';

CREATE FUNCTION public.create_segment(p_org_id uuid, p_name text, p_kind text, p_rules jsonb DEFAULT NULL::jsonb, p_selection jsonb DEFAULT NULL::jsonb, p_description text DEFAULT NULL::text) RETURNS public.segments
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments;
    v_problems jsonb;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    if p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    perform private.check_segment_name(p_name, p_description);
    if p_kind is null or p_kind not in ('dynamic', 'static') or (p_kind = 'dynamic') <> (p_rules is not null)
        or (p_kind = 'dynamic' and p_selection is not null) then
        perform private.raise_error('SEGMENT_007');
    end if;
    perform private.lock_segments(p_org_id);
    if (select count(*) from public.segments s where s.org_id = p_org_id) >= 200 then
        perform private.raise_error('SEGMENT_008');
    end if;
    if p_kind = 'dynamic' then
        v_problems := private.rule_problems(p_org_id, p_rules);
        if v_problems <> '[]' then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
    end if;
    begin
        insert into public.segments (org_id, name, description, kind, rules, created_by)
        values (p_org_id, btrim(p_name), nullif(btrim(p_description), ''), p_kind, p_rules, (select auth.uid()))
        returning * into v_segment;
    exception when unique_violation then
        perform private.raise_error('SEGMENT_003');
    end;
    if p_kind = 'dynamic' then
        perform private.apply_segment_rules(v_segment, 'created');
    else
        insert into public.segment_pins (segment_id, contact_id, org_id, kind, created_by)
        select v_segment.id, c.id, p_org_id, 'include', (select auth.uid())
        from private.selected_contacts(p_org_id, p_selection) x (id)
        join public.contacts c on c.org_id = p_org_id and c.id = x.id and c.erased_at is null
        where p_selection is not null;
        delete from private.segment_statements s where s.org_id = p_org_id;
        perform private.rebuild_segment(v_segment.id, private.clock());
    end if;
    select s.* into v_segment from public.segments s where s.id = v_segment.id;
    perform private.broadcast_segments(p_org_id, array[v_segment.id]);
    return v_segment;
end
$$;

COMMENT ON FUNCTION public.create_segment(p_org_id uuid, p_name text, p_kind text, p_rules jsonb, p_selection jsonb, p_description text) IS 'Dynamic: p_rules. Static: the contacts of p_selection as they are now. evaluated_at is null while a large one is still being worked out. Errors: AUTH_003, ORG_001, CONTACT_012, SEGMENT_002 (details.problems), SEGMENT_003, SEGMENT_007, SEGMENT_008.';

CREATE FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text DEFAULT '#868e96'::text) RETURNS public.tags
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_tag public.tags;
begin
    perform private.require_permission(p_org_id, 'tags.manage');
    -- Serialises makers of tags, or two of them could both see 49.
    perform from public.organizations o where o.id = p_org_id for no key update;
    if (select count(*) from public.tags t where t.org_id = p_org_id) >= 50 then
        perform private.raise_error('TAG_002');
    end if;
    begin
        insert into public.tags (org_id, name, color) values (p_org_id, btrim(p_name), coalesce(p_color, '#868e96')) returning * into v_tag;
    exception
        when unique_violation then
            perform private.raise_error('TAG_003');
        when check_violation or not_null_violation then
            perform private.raise_error('TAG_004');
    end;
    return v_tag;
end
$$;

COMMENT ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) IS 'p_color: #rrggbb. Errors: AUTH_003, ORG_001, TAG_002 (limit), TAG_003 (name taken), TAG_004 (invalid).';

CREATE FUNCTION public.create_template(p_org_id uuid, p_fields jsonb) RETURNS public.templates
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_template.org_id := p_org_id;
    v_template.waba_id := private.default_waba(p_org_id);
    v_template.language := 'en_US';
    v_template.category := 'marketing';
    v_template.parameter_format := 'positional';
    v_template.components := '[]';
    v_template.links := '{}';
    v_template := private.merge_template_fields(v_template, p_fields);
    -- Meta's own limit for one account (reference/whatsapp.md §8.1); drafts count here, so that nobody is left with what cannot be submitted.
    if (select count(*) from public.templates t where t.org_id = p_org_id and t.waba_id = v_template.waba_id and t.deleted_at is null) >= 6000 then
        perform private.refuse_template('', 'too_many', 'A WhatsApp account has at most 6,000 templates');
    end if;
    begin
        insert into public.templates (org_id, waba_id, name, language, category, parameter_format, components, links, created_by)
        values (p_org_id, v_template.waba_id, v_template.name, v_template.language, v_template.category, v_template.parameter_format,
            v_template.components, v_template.links, (select auth.uid()))
        returning * into v_template;
    exception when unique_violation then
        perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_template.name, 'language', v_template.language));
    end;
    perform private.broadcast_templates(p_org_id, array[v_template.id]);
    return v_template;
end
$$;

COMMENT ON FUNCTION public.create_template(p_org_id uuid, p_fields jsonb) IS 'A draft. p_fields: name (required), language, category, parameter_format, components, links, waba_id. It may be incomplete. Errors: AUTH_003, ORG_001, TEMPLATE_004 (details.problems), TEMPLATE_005, WA_006 (no number is connected).';

CREATE FUNCTION public.delete_campaign(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'draft' then
        perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', v_campaign.status));
    end if;
    delete from public.campaigns c where c.id = p_id;
    perform private.broadcast_campaigns(v_campaign.org_id, array[p_id]);
end
$$;

COMMENT ON FUNCTION public.delete_campaign(p_id uuid) IS 'A draft only. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005 (details.status).';

CREATE FUNCTION public.delete_contact(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.delete');
begin
    update public.contacts set deleted_at = now(), updated_at = clock_timestamp() where id = p_id and deleted_at is null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.deleted', (select auth.uid()), p_id);
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;

COMMENT ON FUNCTION public.delete_contact(p_id uuid) IS 'Moves a contact to the trash. Errors: AUTH_003, CONTACT_001, CONTACT_010.';

CREATE FUNCTION public.delete_opportunity(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_opportunity public.opportunities;
begin
    select o.* into v_opportunity from public.opportunities o where o.id = p_id and o.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    perform private.require_opportunities(v_opportunity.org_id);
    -- Contacts first: what is recorded for this one at the same time waits, or has been.
    perform from public.contacts c where c.id = v_opportunity.contact_id for no key update;
    delete from public.opportunities o where o.id = p_id returning o.* into v_opportunity;
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    perform private.mark_opportunities(v_opportunity);
    perform private.record_activity(v_opportunity.org_id, 'opportunity.deleted', (select auth.uid()), v_opportunity.contact_id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', p_id, 'campaign_id', v_opportunity.campaign_id,
            'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(v_opportunity.org_id, array[v_opportunity.contact_id]);
end
$$;

COMMENT ON FUNCTION public.delete_opportunity(p_id uuid) IS 'Takes back one that was none. Its external id stays counted. Errors: AUTH_003, OPPORTUNITY_001.';

CREATE FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'organization.own');
    update public.organizations set deleted_at = now(), updated_at = now() where id = p_org_id and name = p_confirm_name;
    if not found then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    perform private.disconnect_account(a.id) from public.whatsapp_accounts a where a.org_id = p_org_id and a.status <> 'disconnected';
end
$$;

COMMENT ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) IS 'Hides the organisation from everybody and disconnects its numbers; p_confirm_name must be its name. Errors: AUTH_003, ORG_001, ORG_005.';

CREATE FUNCTION public.delete_segment(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_change(p_id);
    v_users jsonb := (select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(p_id) u);
begin
    if v_users is not null then
        perform private.raise_error('SEGMENT_005', jsonb_build_object('used_by', v_users));
    end if;
    delete from public.segments where id = p_id;
    perform private.arrange_programs(v_segment.org_id);
    perform private.set_segment_clock(v_segment.org_id, private.clock());
    perform private.broadcast_segments(v_segment.org_id, array[p_id]);
end
$$;

COMMENT ON FUNCTION public.delete_segment(p_id uuid) IS 'Errors: AUTH_003, SEGMENT_001, SEGMENT_005 (details.used_by).';

CREATE FUNCTION public.delete_tag(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_tag public.tags := private.tag_for(p_id);
begin
    -- Contacts come before tags wherever both are locked.
    perform c.id from public.contacts c
    where c.org_id = v_tag.org_id and c.id in (select ct.contact_id from public.contact_tags ct where ct.org_id = v_tag.org_id and ct.tag_id = p_id)
    order by c.id for no key update;
    delete from public.tags where id = p_id;
    perform private.broadcast('org:' || v_tag.org_id, 'contacts', '{"all": true}');
end
$$;

COMMENT ON FUNCTION public.delete_tag(p_id uuid) IS 'Also takes it off every contact. Errors: AUTH_003, TAG_001.';

CREATE FUNCTION public.delete_template(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_change(p_id);
begin
    if v_template.status = 'pending' or v_template.meta_status = 'PENDING_DELETION' then
        perform private.refuse_template_state(v_template);
    end if;
    perform private.refuse_used_template(p_id);
    if v_template.wa_template_id is null then
        delete from public.templates t where t.id = p_id;
    elsif v_template.meta_status = 'DISABLED' then
        -- Meta deletes no disabled template: it is only taken away here.
        update public.templates t set deleted_at = private.clock(), updated_at = clock_timestamp() where t.id = p_id;
    else
        -- Meta deletes one after another: until it has, nobody can use it any more.
        perform private.add_template_work(v_template, 'delete', to_jsonb(v_template));
        update public.templates t set status = 'disabled', meta_status = 'PENDING_DELETION', problem = null, updated_at = clock_timestamp()
        where t.id = p_id;
    end if;
    if v_template.wa_template_id is not null then
        perform private.record_activity(v_template.org_id, 'template.deleted', (select auth.uid()),
            p_data => jsonb_build_object('template_id', p_id, 'name', v_template.name));
    end if;
    perform private.broadcast_templates(v_template.org_id, array[p_id]);
end
$$;

COMMENT ON FUNCTION public.delete_template(p_id uuid) IS 'A draft is gone at once; any other is disabled until a worker has deleted it at Meta, in this language only. Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_006 (details.status), TEMPLATE_008 (details.used_by).';

CREATE FUNCTION public.disconnect_whatsapp_account(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select a.org_id into v_org_id from public.whatsapp_accounts a where a.id = p_id and a.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('WA_006');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    perform private.disconnect_account(p_id);
    perform private.record_activity(v_org_id, 'whatsapp_account.disconnected', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', p_id));
end
$$;

COMMENT ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) IS 'Forgets the token, fails what waits to be sent (WA_006), keeps the history. Errors: AUTH_003, WA_006.';

CREATE FUNCTION public.duplicate_campaign(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (v_old.org_id, btrim(left(v_old.name, 93)) || ' (copy)', v_old.description, v_old.whatsapp_account_id, v_old.audience, v_old.time_zone,
        v_old.quiet_hours, v_old.uncertain_policy, v_old.uncertain_hours, v_old.holdout_percent, v_old.test, v_old.attribution_days, (select auth.uid()))
    returning * into v_new;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select v_new.id, v.position, v.org_id, v.template_id, v.variables, v.links, v.share from public.campaign_variants v where v.campaign_id = p_id;
    perform private.record_activity(v_new.org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_new.id, 'name', v_new.name, 'copied_id', p_id));
    perform private.broadcast_campaigns(v_new.org_id, array[v_new.id]);
    return v_new;
end
$$;

COMMENT ON FUNCTION public.duplicate_campaign(p_id uuid) IS 'A new draft with everything but the time. Errors: AUTH_003, CAMPAIGN_001.';

CREATE FUNCTION public.duplicate_template(p_id uuid, p_name text) RETURNS public.templates
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_change(p_id);
begin
    return public.create_template(v_template.org_id, jsonb_build_object('waba_id', v_template.waba_id, 'name', coalesce(p_name, ''),
        'language', v_template.language, 'category', v_template.category, 'parameter_format', v_template.parameter_format,
        'components', v_template.components, 'links', v_template.links));
end
$$;

COMMENT ON FUNCTION public.duplicate_template(p_id uuid, p_name text) IS 'A draft with the same content. Errors: as create_template, and TEMPLATE_001.';

CREATE FUNCTION public.erase_contact(p_id uuid, p_confirmation text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.erase_contact(p_id uuid, p_confirmation text) IS 'Removes everything personal for good; p_confirmation is the word ERASE. Raw webhooks follow within minutes (a job of kind erasure). Errors: AUTH_003, CONTACT_001, CONTACT_010, CONTACT_011.';

CREATE FUNCTION public.explain_segment(p_segment_id uuid, p_contact_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_facts jsonb;
    v_pin text;
    v_explanation jsonb;
begin
    select f.facts into v_facts from private.segment_facts(array(
        select c.id from public.contacts c
        where c.org_id = v_segment.org_id and c.id = p_contact_id
            -- An explanation tells the contact's values, as its row does.
            and (c.deleted_at is null or private.is_database_admin() or c.org_id = any (private.my_orgs_with('contacts.trash'))))) f;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    select p.kind into v_pin from public.segment_pins p where p.segment_id = p_segment_id and p.contact_id = p_contact_id;
    v_explanation := case v_segment.kind
        -- A list has no rules: nobody is in it by them.
        when 'static' then '{"path": "", "is_true": false, "match": "any", "children": [], "flip": null}'::jsonb
        else octopush.explain_segment(v_segment.rules, v_facts, private.segment_context_with_names(v_segment.org_id)) end;
    return v_explanation || jsonb_build_object('pin', v_pin, 'is_member', exists (
        select from public.segment_members m where m.segment_id = p_segment_id and m.contact_id = p_contact_id));
end
$$;

COMMENT ON FUNCTION public.explain_segment(p_segment_id uuid, p_contact_id uuid) IS 'Why a contact is in a segment or not: the rules with the truth and the value of each, the smallest change that would turn it, is_member, pin. Errors: CONTACT_001, SEGMENT_001.';

CREATE FUNCTION public.export_contact(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.bulk');
    v_export jsonb;
begin
    if v_contact.deleted_at is not null then
        perform private.require_permission(v_contact.org_id, 'contacts.trash');
    end if;
    v_export := jsonb_build_object(
        'exported_at', private.clock(),
        'organization', (select o.name from public.organizations o where o.id = v_contact.org_id),
        'contact', to_jsonb(v_contact) - '{search_text,erased_at}'::text[],
        'custom_fields', coalesce((
            select jsonb_agg(jsonb_build_object('label', d.label, 'value', v.value) order by d.position, d.key)
            from jsonb_each(v_contact.custom_fields) v
            join public.custom_field_definitions d on d.org_id = v_contact.org_id and d.key = v.key), '[]'),
        'tags', coalesce((
            select jsonb_agg(jsonb_build_object('name', t.name, 'since', ct.created_at) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = v_contact.org_id and ct.contact_id = p_id), '[]'),
        'segments', coalesce((
            select jsonb_agg(jsonb_build_object('name', s.name, 'since', m.entered_at) order by lower(s.name))
            from public.segment_members m join public.segments s on s.id = m.segment_id
            where m.org_id = v_contact.org_id and m.contact_id = p_id), '[]'),
        'consents', coalesce((
            select jsonb_agg(to_jsonb(x) - '{org_id,contact_id}'::text[] order by x.created_at, x.id)
            from public.contact_consents x where x.org_id = v_contact.org_id and x.contact_id = p_id), '[]'),
        'conversations', coalesce((
            select jsonb_agg(jsonb_build_object('id', c.id, 'our_number', a.display_phone_number, 'status', c.status, 'created_at', c.created_at,
                'messages', coalesce((
                    select jsonb_agg(jsonb_build_object('id', m.id, 'direction', m.direction, 'type', m.type, 'body', m.body, 'payload', m.payload,
                        'status', m.status, 'reactions', m.reactions, 'occurred_at', m.occurred_at, 'delivered_at', m.delivered_at,
                        'read_at', m.read_at) order by m.occurred_at, m.id)
                    from public.messages m where m.conversation_id = c.id), '[]')) order by c.created_at, c.id)
            from public.conversations c join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
            where c.org_id = v_contact.org_id and c.contact_id = p_id), '[]'),
        'clicks', coalesce((
            select jsonb_agg(jsonb_build_object('destination', k.destination, 'clicked_at', k.clicked_at) order by k.clicked_at)
            from private.links k where k.contact_id = p_id and k.clicked_at is not null), '[]'),
        'opportunities', coalesce((
            select jsonb_agg(to_jsonb(o) - '{org_id,contact_id}'::text[] order by o.occurred_at, o.id)
            from public.opportunities o where o.org_id = v_contact.org_id and o.contact_id = p_id), '[]'),
        'activity', coalesce((
            select jsonb_agg(jsonb_build_object('kind', l.kind, 'at', l.created_at, 'data', l.data) order by l.created_at, l.id)
            from public.activity_log l where l.org_id = v_contact.org_id and l.contact_id = p_id), '[]'));
    perform private.record_activity(v_contact.org_id, 'contact.exported', (select auth.uid()), p_id);
    return v_export;
end
$$;

COMMENT ON FUNCTION public.export_contact(p_id uuid) IS 'One person''s data as JSON: contact, tags, segments, consents, conversations with messages, links followed, sales opportunities, activity. Errors: AUTH_003, CONTACT_001, CONTACT_010.';

CREATE FUNCTION public.export_recipients(p_id uuid) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
begin
    perform private.require_permission(v_campaign.org_id, 'contacts.bulk');
    return private.create_job(v_campaign.org_id, 'export', jsonb_build_object('campaign_id', p_id));
end
$$;

COMMENT ON FUNCTION public.export_recipients(p_id uuid) IS 'Writes the ledger of a campaign into a CSV file; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, CAMPAIGN_001, JOB_005.';

CREATE FUNCTION public.inspect_import(p_job_id uuid, p_options jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
begin
    if v_head ? 'problem' then
        perform private.refuse_mapping('options', v_head ->> 'problem');
    end if;
    return v_head - 'cells';
end
$$;

COMMENT ON FUNCTION public.inspect_import(p_job_id uuid, p_options jsonb) IS 'The result of a waiting import as it would be with other options (encoding, delimiter, has_header). Errors: AUTH_003, JOB_001, JOB_002, JOB_004.';

CREATE FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) RETURNS TABLE(id uuid, token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_email text := lower(btrim(coalesce(p_email, '')));
    -- 256 bits: cannot be guessed, and the hash needs no salt.
    v_token text := encode(extensions.gen_random_bytes(32), 'hex');
    v_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if v_email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' or length(v_email) > 320 then
        perform private.raise_error('ORG_008');
    end if;
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if exists (
        select from public.org_memberships m join public.profiles p on p.user_id = m.user_id
        where m.org_id = p_org_id and lower(p.email) = v_email
    ) then
        perform private.raise_error('ORG_002');
    end if;
    -- A new invitation replaces the open one: the old link stops working. One at a time, or two for the same address would collide.
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.require_permission(p_org_id, 'settings.manage');
    update public.org_invitations i set revoked_at = now()
    where i.org_id = p_org_id and i.email = v_email and i.accepted_at is null and i.revoked_at is null;
    insert into public.org_invitations (org_id, email, role, token_hash, invited_by, expires_at)
    values (p_org_id, v_email, p_role, extensions.digest(v_token, 'sha256'), (select auth.uid()), private.clock() + interval '7 days')
    returning org_invitations.id into v_id;
    perform private.record_activity(p_org_id, 'member.invited', (select auth.uid()), p_data => jsonb_build_object('role', p_role));
    return query select v_id, v_token;
end
$_$;

COMMENT ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) IS 'Returns the invitation and its token, once: the link is <app>/invitations/<token>. Errors: AUTH_003, ORG_001, ORG_002, ORG_007, ORG_008.';

CREATE FUNCTION public.launch_campaign(p_id uuid, p_expected_updated_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_now timestamptz := private.clock();
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    perform private.require_complete(v_campaign);
    if private.is_small_organization(v_campaign.org_id) then
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(p_id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', (select auth.uid()));
    else
        -- Longer than a request may take: the worker takes the audience, within a second or two.
        update public.campaigns c set status = 'scheduled', scheduled_at = v_now, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    end if;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.launch_campaign(p_id uuid, p_expected_updated_at timestamp with time zone) IS 'Draft or scheduled → sending; of organisations with more than 200,000 contacts it is scheduled for this moment. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_002, CAMPAIGN_004–007.';

CREATE FUNCTION public.list_campaigns(p_org_id uuid, p_search text DEFAULT NULL::text, p_statuses text[] DEFAULT NULL::text[], p_from timestamp with time zone DEFAULT NULL::timestamp with time zone, p_to timestamp with time zone DEFAULT NULL::timestamp with time zone, p_created_by uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 25, p_offset integer DEFAULT 0) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_search text := '%' || replace(replace(replace(lower(btrim(p_search)), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_ids uuid[];
    v_limit integer := least(greatest(coalesce(p_limit, 25), 1), 100);
    v_offset integer := greatest(coalesce(p_offset, 0), 0);
begin
    perform private.require_permission(p_org_id, 'read');
    v_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and (v_search is null or lower(c.name) like v_search) and (p_statuses is null or c.status = any (p_statuses))
            and (p_from is null or c.created_at >= p_from) and (p_to is null or c.created_at <= p_to)
            and (p_created_by is null or c.created_by = p_created_by)
        order by c.created_at desc, c.id desc);
    return jsonb_build_object('total', cardinality(v_ids), 'campaigns', coalesce((
        select jsonb_agg(to_jsonb(c) || private.stats_of(c.id) || jsonb_build_object('created_by_name', p.full_name, 'audience_name', private.audience_name(c))
            order by i.place)
        from unnest(v_ids[v_offset + 1 : v_offset + v_limit]) with ordinality i (id, place)
        join public.campaigns c on c.id = i.id
        left join public.profiles p on p.user_id = c.created_by), '[]'));
end
$$;

COMMENT ON FUNCTION public.list_campaigns(p_org_id uuid, p_search text, p_statuses text[], p_from timestamp with time zone, p_to timestamp with time zone, p_created_by uuid, p_limit integer, p_offset integer) IS 'Newest first: {"total", "campaigns": [columns + counts + "created_by_name", "audience_name"]}. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.list_contacts(p_org_id uuid, p_search text DEFAULT NULL::text, p_rules jsonb DEFAULT NULL::jsonb, p_sort text DEFAULT 'created_at'::text, p_descending boolean DEFAULT true, p_limit integer DEFAULT 25, p_offset integer DEFAULT 0, p_trash boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_page record;
    v_key text := case p_sort when 'name' then 'lower(c.full_name)' when 'last_message_at' then 'c.last_message_at'
        when 'created_at' then 'c.created_at' when 'phone' then 'c.phone' end;
begin
    perform private.require_permission(p_org_id, case when p_trash then 'contacts.trash' else 'read' end);
    if v_key is null then
        perform private.raise_error('CONTACT_007', '{"field": "sort"}');
    end if;
    v_page := private.list_page(p_org_id, p_search, nullif(p_rules, 'null'), coalesce(p_trash, false), v_key, coalesce(p_descending, true),
        least(greatest(coalesce(p_limit, 25), 1), 200), greatest(coalesce(p_offset, 0), 0));
    return jsonb_build_object('total', v_page.total, 'total_is_minimum', v_page.total_is_minimum, 'contacts', coalesce((
        select jsonb_agg(to_jsonb(c) - 'search_text' || jsonb_build_object('tags', coalesce((
            select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = p_org_id and ct.contact_id = c.id), '[]')) order by p.position)
        from unnest(v_page.ids) with ordinality p (id, position)
        join public.contacts c on c.id = p.id), '[]'));
end
$$;

COMMENT ON FUNCTION public.list_contacts(p_org_id uuid, p_search text, p_rules jsonb, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_trash boolean) IS 'p_search: words of name, phone in any notation, e-mail, company, user name; p_rules: a segment''s; p_sort: name | last_message_at | created_at | phone, contacts without it last; p_limit at most 200 → {"total", "total_is_minimum", "contacts"}; the total is exact up to 50,000, above that a search without rules only says that there are at least as many. Errors: AUTH_002, AUTH_003, ORG_001, CONTACT_007, SEGMENT_002 (details.problems).';

CREATE FUNCTION public.list_recipients(p_id uuid, p_search text DEFAULT NULL::text, p_statuses text[] DEFAULT NULL::text[], p_limit integer DEFAULT 50, p_after text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
    v_after uuid;
    v_ids uuid[];
    v_rows jsonb;
    v_search text := nullif(btrim(p_search), '');
begin
    begin
        v_after := coalesce(p_after, '00000000-0000-0000-0000-000000000000')::uuid;
    exception when data_exception then
        perform private.refuse_campaign_field('after', 'wrong_value', 'This is not the end of a page');
    end;
    if v_search is null then
        v_ids := array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_id and r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    else
        v_ids := array(
            select r.contact_id from private.found_contacts(v_campaign.org_id, v_search) f (id)
            join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = f.id
            where r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    end if;
    select coalesce(jsonb_agg(private.recipient_row(r, c.full_name, coalesce(c.phone, '+' || c.wa_id)) order by i.place), '[]') into v_rows
    from unnest(v_ids) with ordinality i (id, place)
    join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = i.id
    left join public.contacts c on c.id = r.contact_id
    where i.place <= v_limit;
    return jsonb_build_object('recipients', v_rows, 'next', case when cardinality(v_ids) > v_limit then v_ids[v_limit] end);
end
$$;

COMMENT ON FUNCTION public.list_recipients(p_id uuid, p_search text, p_statuses text[], p_limit integer, p_after text) IS 'The ledger, oldest contact first: {"recipients": [columns + "full_name", "phone"], "next"}; p_after: next of the page before. Errors: AUTH_002, CAMPAIGN_001, CAMPAIGN_009.';

CREATE FUNCTION public.list_templates(p_org_id uuid, p_search text DEFAULT NULL::text, p_status text DEFAULT NULL::text, p_category text DEFAULT NULL::text, p_language text DEFAULT NULL::text, p_sort text DEFAULT 'name'::text, p_descending boolean DEFAULT false, p_limit integer DEFAULT 25, p_offset integer DEFAULT 0, p_waba_id text DEFAULT NULL::text, p_is_for_campaigns boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    -- Names are written with underscores; people search them with spaces.
    v_pattern text := private.like_pattern(regexp_replace(btrim(p_search), '\s+', '_', 'g'));
    v_result jsonb;
begin
    perform private.require_permission(p_org_id, 'read');
    if coalesce(p_sort, '') not in ('name', 'created_at', 'sent_count', 'read_rate') then
        perform private.refuse_template('/sort', 'unknown', 'Templates are sorted by name, created_at, sent_count or read_rate');
    end if;
    with fresh as (
        select d.template_id, sum(d.sent) as sent, sum(d.delivered) as delivered, sum(d.read) as read, max(d.last_used_at) as last_used_at
        from private.template_deltas d where d.org_id = p_org_id group by 1
    ), found as materialized (
        select t.id, t.name, t.language, t.created_at, t.sent_count + coalesce(f.sent, 0) as sent, t.delivered_count + coalesce(f.delivered, 0) as delivered,
            t.read_count + coalesce(f.read, 0) as read, greatest(t.last_used_at, f.last_used_at) as last_used_at
        from public.templates t
        left join fresh f on f.template_id = t.id
        where t.org_id = p_org_id and t.deleted_at is null
            and (v_pattern is null or t.name like v_pattern)
            and (p_status is null or t.status = p_status)
            and (p_category is null or t.category = p_category)
            and (p_language is null or t.language = p_language)
            and (p_waba_id is null or t.waba_id = p_waba_id)
            -- A one-time code is for the one person who asked for it.
            and (not coalesce(p_is_for_campaigns, false) or (t.status = 'approved' and t.category <> 'authentication'))
    ), rated as (
        select x.*, case when x.sent >= 50 and x.delivered > 0 then round(x.read::numeric / x.delivered, 4) end as read_rate from found x
    ), sorted as (
        select r.*, row_number() over (order by
            case p_sort when 'created_at' then extract(epoch from r.created_at) when 'sent_count' then r.sent when 'read_rate' then r.read_rate end
                * case when p_descending then -1 else 1 end nulls last,
            case when p_sort = 'name' and p_descending then r.name end collate "C" desc,
            r.name collate "C", r.language, r.id) as position
        from rated r
    ), page as (
        select s.* from sorted s order by s.position
        limit least(greatest(coalesce(p_limit, 25), 1), 200) offset greatest(coalesce(p_offset, 0), 0)
    )
    select jsonb_build_object('total', (select count(*) from found), 'templates', coalesce(jsonb_agg(
        to_jsonb(t) || jsonb_build_object('sent_count', p.sent, 'delivered_count', p.delivered, 'read_count', p.read,
            'last_used_at', p.last_used_at, 'read_rate', p.read_rate) order by p.position), '[]'))
    into v_result
    from page p join public.templates t on t.id = p.id;
    return v_result;
end
$$;

COMMENT ON FUNCTION public.list_templates(p_org_id uuid, p_search text, p_status text, p_category text, p_language text, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_waba_id text, p_is_for_campaigns boolean) IS 'p_search: part of the name; p_sort: name | created_at | sent_count | read_rate (read of delivered, null under 50 sends, last); p_limit at most 200; p_waba_id: of one account; p_is_for_campaigns: only what a campaign may send → {"total", "templates"}. Errors: AUTH_002, ORG_001, TEMPLATE_004.';

CREATE FUNCTION public.mark_conversation_read(p_conversation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if v_conversation.unread_count = 0 then
        return;
    end if;
    update public.conversations set unread_count = 0, last_read_at = clock_timestamp(), updated_at = now() where id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) IS 'Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.mark_conversation_unread(p_conversation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_last timestamptz;
begin
    select m.created_at into v_last from public.messages m
    where m.conversation_id = p_conversation_id and m.direction = 'inbound' order by m.created_at desc limit 1;
    if v_last is null or v_conversation.unread_count > 0 then
        return;
    end if;
    -- Just before the newest inbound message, so that a recount gives what is stored.
    update public.conversations c set
        last_read_at = v_last - interval '1 microsecond', updated_at = now(),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = p_conversation_id and m.direction = 'inbound' and m.created_at >= v_last)
    where c.id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) IS 'From the contact''s last message on. Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[] DEFAULT NULL::uuid[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_count integer;
begin
    perform private.require_permission(p_org_id, 'read');
    update public.notifications n set read_at = now()
    where n.org_id = p_org_id and n.user_id = (select auth.uid()) and n.read_at is null and (p_ids is null or n.id = any (p_ids));
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

COMMENT ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) IS 'The caller''s own notifications, all when p_ids is null; returns how many. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.merge_contacts(p_keep_id uuid, p_merge_id uuid) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_keep public.contacts;
    v_merge public.contacts;
    v_theirs public.conversations;
    v_ours public.conversations;
    v_conversation_ids uuid[];
    v_status text;
    v_waiting integer;
    v_waiting_at timestamptz;
begin
    -- In the order of ids, whichever is kept.
    perform c.id from public.contacts c where c.id in (p_keep_id, p_merge_id) and c.org_id = any (private.my_org_ids()) order by c.id for update;
    select c.* into v_keep from public.contacts c where c.id = p_keep_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_keep.org_id, 'contacts.write');
    perform private.require_permission(v_keep.org_id, 'contacts.delete');
    select c.* into v_merge from public.contacts c where c.id = p_merge_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    if v_keep.id = v_merge.id or v_keep.org_id <> v_merge.org_id or v_keep.deleted_at is not null or v_merge.deleted_at is not null then
        perform private.raise_error('CONTACT_009');
    end if;
    select coalesce(array_agg(x.id), '{}') into v_conversation_ids from (
        select c.id from public.conversations c
        where c.org_id = v_keep.org_id and c.contact_id in (p_keep_id, p_merge_id) order by c.id for update
    ) x;

    for v_theirs in select c.* from public.conversations c where c.org_id = v_keep.org_id and c.contact_id = p_merge_id order by c.id loop
        select c.* into v_ours from public.conversations c
        where c.whatsapp_account_id = v_theirs.whatsapp_account_id and c.contact_id = p_keep_id;
        if found then
            perform private.join_conversations(v_ours, v_theirs);
        else
            perform m.id from public.messages m where m.conversation_id = v_theirs.id order by m.id for no key update;
            update public.messages m set contact_id = p_keep_id where m.conversation_id = v_theirs.id;
            update public.conversations c set contact_id = p_keep_id, updated_at = now() where c.id = v_theirs.id;
        end if;
    end loop;

    insert into public.contact_tags (org_id, contact_id, tag_id, created_at)
    select ct.org_id, p_keep_id, ct.tag_id, ct.created_at from public.contact_tags ct
    where ct.org_id = v_keep.org_id and ct.contact_id = p_merge_id
    on conflict do nothing;
    update public.contact_consents x set contact_id = p_keep_id where x.org_id = v_keep.org_id and x.contact_id = p_merge_id;
    update public.activity_log l set contact_id = p_keep_id where l.org_id = v_keep.org_id and l.contact_id = p_merge_id;
    update public.notifications n set data = n.data || jsonb_build_object('contact_id', p_keep_id)
    where n.org_id = v_keep.org_id and n.data ->> 'contact_id' = p_merge_id::text;
    -- Where a person pinned both, the pin of the one that stays holds.
    insert into public.segment_pins (segment_id, contact_id, org_id, kind, created_by, created_at)
    select p.segment_id, p_keep_id, p.org_id, p.kind, p.created_by, p.created_at from public.segment_pins p
    where p.org_id = v_keep.org_id and p.contact_id = p_merge_id
    on conflict do nothing;
    perform private.move_recipients(p_merge_id, p_keep_id);
    perform private.move_links(p_merge_id, p_keep_id);
    with waiting as (
        delete from private.sent_messages w where w.contact_id in (p_keep_id, p_merge_id) returning w.sent, w.last_at
    )
    -- What was taken back before it was sent was no last message, as in worker.fold_sent_messages.
    select coalesce(sum(w.sent), 0)::integer, case when sum(w.sent) > 0 then max(w.last_at) end into v_waiting, v_waiting_at from waiting w;

    v_status := case
        when 'opted_out' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_out'
        when 'opted_in' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_in'
        else 'pending' end;
    if v_status <> v_keep.opt_in_status then
        perform private.record_consents(v_keep.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_keep_id,
            'old', v_keep.opt_in_status, 'new', v_status, 'source', coalesce(v_merge.opt_in_source, 'manual'), 'evidence', 'Merged contact ' || p_merge_id)));
    end if;
    -- First the one that goes: an identity names one row at a time.
    delete from public.contacts c where c.id = p_merge_id;
    update public.contacts c set
        phone = coalesce(c.phone, v_merge.phone), wa_id = coalesce(c.wa_id, v_merge.wa_id), bsuid = coalesce(c.bsuid, v_merge.bsuid),
        username = coalesce(c.username, v_merge.username), full_name = coalesce(c.full_name, v_merge.full_name),
        email = coalesce(c.email, v_merge.email), avatar_url = coalesce(c.avatar_url, v_merge.avatar_url),
        company = coalesce(c.company, v_merge.company), job_title = coalesce(c.job_title, v_merge.job_title),
        address = coalesce(c.address, v_merge.address), birthday = coalesce(c.birthday, v_merge.birthday),
        notes = nullif(left(concat_ws(E'\n\n', c.notes, case when v_merge.notes is distinct from c.notes then v_merge.notes end), 10000), ''),
        custom_fields = v_merge.custom_fields || c.custom_fields,
        opt_in_status = v_status,
        opt_in_at = case when v_status = 'opted_in' then coalesce(case when c.opt_in_status = 'opted_in' then c.opt_in_at end, v_merge.opt_in_at)
            else coalesce(c.opt_in_at, v_merge.opt_in_at) end,
        opt_in_source = case when v_status = c.opt_in_status then c.opt_in_source else v_merge.opt_in_source end,
        messages_received = c.messages_received + v_merge.messages_received,
        messages_sent = c.messages_sent + v_merge.messages_sent + v_waiting,
        marketing_stopped_at = coalesce(c.marketing_stopped_at, v_merge.marketing_stopped_at),
        last_message_at = greatest(c.last_message_at, v_merge.last_message_at, v_waiting_at),
        last_inbound_at = greatest(c.last_inbound_at, v_merge.last_inbound_at),
        created_at = least(c.created_at, v_merge.created_at), updated_at = clock_timestamp()
    where c.id = p_keep_id returning c.* into v_keep;
    -- Pins moved, which no trigger of the segments watches.
    insert into private.contact_changes (org_id, contact_id) values (v_keep.org_id, p_keep_id);

    perform private.record_activity(v_keep.org_id, 'contact.merged', (select auth.uid()), p_keep_id,
        p_data => jsonb_build_object('merged_id', p_merge_id, 'name', v_merge.full_name));
    perform private.broadcast_contacts(v_keep.org_id, array[p_keep_id, p_merge_id]);
    if cardinality(v_conversation_ids) > 0 then
        perform private.broadcast_conversations(v_keep.org_id, v_conversation_ids);
        perform private.broadcast('conversation:' || x, 'messages', '{"all": true}') from unnest(v_conversation_ids) x;
    end if;
    return v_keep;
end
$$;

COMMENT ON FUNCTION public.merge_contacts(p_keep_id uuid, p_merge_id uuid) IS 'The first contact gets what the second has: identities and fields where it has none, both histories, tags, consents, segment pins; the second is gone. Errors: AUTH_003, CONTACT_001, CONTACT_009.';

CREATE FUNCTION public.pause_campaign(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'sending' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    return private.pause(v_campaign, null);
end
$$;

COMMENT ON FUNCTION public.pause_campaign(p_id uuid) IS 'Sending → paused, at once: only what is on its way to Meta at this moment still arrives. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

CREATE FUNCTION public.pin_segment_contacts(p_segment_id uuid, p_contact_ids uuid[], p_kind text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_change(p_segment_id);
    v_contact_ids uuid[] := array(select distinct x from unnest(p_contact_ids) x where x is not null);
    v_touched uuid[];
begin
    if p_kind not in ('include', 'exclude') or p_kind = 'exclude' and v_segment.kind = 'static' then
        perform private.raise_error('SEGMENT_007');
    end if;
    if p_kind is not null then
        -- Locked against deletion until the pins are written.
        perform c.id from public.contacts c where c.org_id = v_segment.org_id and c.id = any (v_contact_ids) order by c.id for key share;
        if exists (
            select from unnest(v_contact_ids) x
            where not exists (select from public.contacts c where c.org_id = v_segment.org_id and c.id = x and c.erased_at is null)
        ) then
            perform private.raise_error('CONTACT_001');
        end if;
    end if;
    if p_kind is null then
        delete from public.segment_pins p where p.segment_id = p_segment_id and p.contact_id = any (v_contact_ids);
    else
        insert into public.segment_pins as p (segment_id, contact_id, org_id, kind, created_by)
        select p_segment_id, x, v_segment.org_id, p_kind, (select auth.uid()) from unnest(v_contact_ids) x
        on conflict (segment_id, contact_id) do update set kind = excluded.kind, created_by = excluded.created_by, created_at = now()
        where p.kind <> excluded.kind;
    end if;
    v_touched := private.evaluate_contacts(v_segment.org_id, v_contact_ids, 'pin', private.clock());
    update private.segment_clocks k set judged_at = greatest(k.judged_at, private.clock()) where k.org_id = v_segment.org_id;
    perform private.broadcast_segments(v_segment.org_id, array(select distinct t from unnest(array[p_segment_id] || v_touched) t));
end
$$;

COMMENT ON FUNCTION public.pin_segment_contacts(p_segment_id uuid, p_contact_ids uuid[], p_kind text) IS 'include or exclude whatever the rules say; null takes the pins away. A static segment takes include (onto the list) and null (off it). Errors: AUTH_003, CONTACT_001, SEGMENT_001, SEGMENT_007.';

CREATE FUNCTION public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('line', v_head -> 'lines' -> (r.number::integer - 1)) || octopush.read_import_row(v_spec,
            array(select c from jsonb_array_elements_text(r.cells) with ordinality x (c, at) order by at)) order by r.number), '[]')
        from jsonb_array_elements(v_head -> 'cells') with ordinality r (cells, number));
end
$$;

COMMENT ON FUNCTION public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) IS 'The first ten rows as the import would read them. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';

CREATE FUNCTION public.preview_segment(p_org_id uuid, p_rules jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_problems jsonb;
    v_context jsonb;
    v_program record;
    v_found record;
begin
    perform private.require_segment_reader(p_org_id);
    v_problems := private.rule_problems(p_org_id, p_rules);
    if v_problems <> '[]' then
        return jsonb_build_object('count', null, 'contacts', '[]'::jsonb, 'sentence', '', 'problems', v_problems);
    end if;
    v_context := private.segment_context_with_names(p_org_id);
    select p.predicate, p.params into v_program from octopush.compile_segment(p_rules, v_context, 1) p;
    select f.total, f.newest into v_found
    from private.count_matching_contacts(p_org_id, v_program.predicate, v_program.params, private.clock()) f;
    return jsonb_build_object('count', v_found.total, 'sentence', octopush.segment_sentence(p_rules, v_context), 'problems', v_problems,
        'contacts', coalesce((
            select jsonb_agg(to_jsonb(c) - 'search_text' order by n.nth)
            from unnest(v_found.newest) with ordinality as n (id, nth) join public.contacts c on c.id = n.id), '[]'));
end
$$;

COMMENT ON FUNCTION public.preview_segment(p_org_id uuid, p_rules jsonb) IS 'How many contacts match rules that are still being written, and the newest ten. Rules that are not valid yet come back with problems. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.preview_template(p_id uuid, p_values jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.render_template(private.template_shape(v_template), coalesce(p_values, '{}'));
end
$$;

COMMENT ON FUNCTION public.preview_template(p_id uuid, p_values jsonb) IS 'What a phone shows: {"header", "body", "footer", "buttons", "cards"}; a value that is missing shows its placeholder. Errors: TEMPLATE_001.';

CREATE FUNCTION public.record_opportunity(p_contact_id uuid, p_fields jsonb) RETURNS public.opportunities
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'read');
    v_fields private.opportunity_fields;
begin
    perform private.require_opportunities(v_contact.org_id);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_contact_id));
    end if;
    v_fields := private.read_opportunity(p_fields, array['amount', 'currency', 'external_id', 'note', 'campaign_id', 'occurred_at']);
    if v_fields.problem is not null then
        perform private.raise_error('OPPORTUNITY_002', jsonb_build_object('field', v_fields.problem));
    end if;
    if v_fields.campaign_id is not null and not exists (
        select from public.campaigns c
        where c.id = v_fields.campaign_id and c.org_id = v_contact.org_id and c.launched_at <= v_fields.occurred_at
    ) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "campaign_id"}');
    end if;
    if v_fields.external_id is not null and not private.keep_receipt(v_contact.org_id, v_fields.external_id) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "external_id"}');
    end if;
    return private.write_opportunity(v_contact, 'agent', v_fields.campaign_id, v_fields);
end
$$;

COMMENT ON FUNCTION public.record_opportunity(p_contact_id uuid, p_fields jsonb) IS 'p_fields: amount and currency (both or neither), external_id, note, campaign_id (default: the last one received within its attribution window), occurred_at (default: now). Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_010, OPPORTUNITY_002 (details.field).';

CREATE FUNCTION public.rehearse_campaign(p_id uuid, p_limit integer DEFAULT 20) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_stats jsonb;
    v_tier jsonb;
    v_starts_at timestamptz;
    v_quiet timestamptz;
    v_recipients bigint;
    v_conflicts jsonb := '[]'::jsonb;
    v_result jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    v_starts_at := greatest(v_campaign.scheduled_at, private.clock());
    v_problems := private.campaign_problems(v_campaign);
    if v_campaign.audience is null or not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.template_id is not null) then
        return jsonb_build_object('recipients', 0, 'excluded', '{}'::jsonb, 'held_out', 0, 'messages', '[]'::jsonb, 'cost', null,
            'starts_at', v_starts_at, 'finishes_at', null, 'conflicts', '[]'::jsonb, 'problems', v_problems);
    end if;
    v_tier := private.tier_answer(v_campaign);
    v_quiet := private.quiet_until(v_campaign.quiet_hours, private.campaign_zone(v_campaign), v_starts_at);
    begin
        begin
            v_campaign := private.start_campaign(v_campaign, private.clock());
        exception when others then
            if sqlstate <> 'PGRST' then
                raise;
            end if;
            -- Nobody is left to write to: the rows are gone with the block, so they are made once more.
            v_problems := v_problems || private.campaign_problem('audience', 'CAMPAIGN_002', 'Nobody in the audience can receive it');
            perform private.try_audience(v_campaign);
        end;
        v_stats := private.stats_of(p_id);
        v_recipients := (v_stats ->> 'waiting')::bigint;
        v_conflicts := private.campaign_conflicts(v_campaign, v_starts_at);
        v_result := jsonb_build_object('recipients', v_recipients, 'excluded', private.reasons_of(p_id, false), 'held_out', v_stats -> 'held_out',
            'messages', private.rehearsed_messages(p_id, least(greatest(coalesce(p_limit, 20), 0), 200)), 'cost', v_campaign.planned_cost,
            'starts_at', coalesce(v_quiet, v_starts_at), 'finishes_at', private.campaign_finishes_at(v_campaign, v_starts_at));
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    if v_result -> 'excluded' ? 'frequency_cap' then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'frequency_cap', 'contacts', v_result #> '{excluded,frequency_cap}');
    end if;
    if (v_tier ->> 'limit')::integer < (v_tier ->> 'used')::integer + v_recipients then
        v_conflicts := v_conflicts || (jsonb_build_object('kind', 'tier', 'contacts', v_recipients + (v_tier ->> 'used')::integer - (v_tier ->> 'limit')::integer) || v_tier);
    end if;
    if v_quiet is not null then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'quiet_hours', 'until', v_quiet);
    end if;
    return v_result || jsonb_build_object('conflicts', v_conflicts, 'problems', v_problems);
end
$$;

COMMENT ON FUNCTION public.rehearse_campaign(p_id uuid, p_limit integer) IS 'What a launch would do: {"recipients", "excluded", "held_out", "messages", "cost", "starts_at", "finishes_at", "conflicts", "problems"}; runs the launch and rolls it back. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

CREATE FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_role text;
begin
    -- Anyone may leave; removing others needs the right.
    v_role := private.lock_member(p_org_id, p_user_id, case when p_user_id = (select auth.uid()) then 'read' else 'settings.manage' end);
    if v_role = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    delete from public.org_memberships where org_id = p_org_id and user_id = p_user_id;
    delete from public.notifications where org_id = p_org_id and user_id = p_user_id;
    perform private.release_assignments(p_org_id, p_user_id);
    perform private.record_activity(p_org_id, 'member.removed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'role', v_role));
end
$$;

COMMENT ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) IS 'Removes a member, or lets the caller leave. Errors: AUTH_003, ORG_001, ORG_004, ORG_006.';

CREATE FUNCTION public.reopen_conversation(p_conversation_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select private.set_conversation_status(p_conversation_id, 'open', 'reopened') $$;

COMMENT ON FUNCTION public.reopen_conversation(p_conversation_id uuid) IS 'Becomes open, or expired when the 24-hour window is over. Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.resolve_conversation(p_conversation_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select private.set_conversation_status(p_conversation_id, 'resolved', 'resolved') $$;

COMMENT ON FUNCTION public.resolve_conversation(p_conversation_id uuid) IS 'Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.restore_contact(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.trash');
begin
    update public.contacts set deleted_at = null, updated_at = clock_timestamp() where id = p_id and deleted_at is not null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.restored', (select auth.uid()), p_id);
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;

COMMENT ON FUNCTION public.restore_contact(p_id uuid) IS 'Takes a contact back from the trash (undo of delete_contact). Errors: AUTH_003, CONTACT_001, CONTACT_010.';

CREATE FUNCTION public.restore_custom_field(p_id uuid) RETURNS public.custom_field_definitions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if v_field.archived_at is null then
        return v_field;
    end if;
    perform private.check_custom_field_room(v_field.org_id);
    begin
        update public.custom_field_definitions d set archived_at = null, updated_at = clock_timestamp() where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;

COMMENT ON FUNCTION public.restore_custom_field(p_id uuid) IS 'Errors: AUTH_003, FIELD_001, FIELD_002, FIELD_004.';

CREATE FUNCTION public.resume_campaign(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'paused' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'sending', status_reason = null, updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.resumed', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.resume_campaign(p_id uuid) IS 'Paused → sending. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

CREATE FUNCTION public.retry_failed_recipients(p_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_count integer;
begin
    if v_campaign.status not in ('sending', 'paused', 'completed') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Once it is over nothing keeps its templates from being edited.
    v_problems := private.campaign_problems(v_campaign);
    if jsonb_path_exists(v_problems, '$[*] ? (@.field starts with "variants")') then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
    update public.campaign_recipients r set status = 'waiting', ready_at = private.clock(), attempts = 0, failed_at = null, error_code = null, error_message = null
    where r.campaign_id = p_id and r.failed_at is not null and r.status = 'failed'
        and private.may_be_retried(r.error_code);
    get diagnostics v_count = row_count;
    if v_count > 0 then
        update public.campaigns c set status = case when c.status = 'completed' then 'sending' else c.status end, finished_at = null, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.retried', (select auth.uid()));
        perform pg_catalog.pg_notify('octopush_campaigns', '');
    end if;
    return v_count;
end
$_$;

COMMENT ON FUNCTION public.retry_failed_recipients(p_id uuid) IS 'Lets those whose message failed wait again, but for people who opted out or are not on WhatsApp; how many. A completed campaign is sending again. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_006 (its templates have changed).';

CREATE FUNCTION public.retry_message(p_message_id uuid) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_message public.messages;
    v_conversation public.conversations;
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
begin
    select m.* into v_message from public.messages m where m.id = p_message_id and m.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('MESSAGE_001');
    end if;
    v_conversation := private.conversation_for(v_message.conversation_id, 'inbox.answer');
    select m.* into v_message from public.messages m where m.id = p_message_id for no key update;
    -- An uncertain message may have reached the customer; sending it again is a person's decision, made with a new message. A campaign's
    -- is tried again by its campaign, whose ledger knows how often.
    if v_message.direction <> 'outbound' or v_message.status <> 'failed' or v_message.is_uncertain or v_message.campaign_id is not null then
        perform private.raise_error('MESSAGE_004');
    end if;
    v_refusal := private.may_send(v_message.conversation_id, v_message.type, v_message.template_id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    if v_message.type = 'template' then
        -- The template may have been edited since.
        select t.* into v_template from public.templates t where t.id = v_message.template_id;
        v_content := private.template_content(v_template, v_message.payload -> 'values', v_message.contact_id, p_message_id);
        v_message.body := v_content ->> 'body';
        v_message.payload := v_message.payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    update public.messages m set
        body = v_message.body, payload = v_message.payload,
        send_try = m.send_try + 1, status = 'pending', wa_message_id = null, error_code = null, error_message = null, failed_at = null, accepted_at = null, sent_at = null,
        occurred_at = clock_timestamp()
    where m.id = p_message_id returning m.* into v_message;
    perform private.touch_conversation(v_message.conversation_id, v_message);
    perform private.queue_message(p_message_id, 0);
    perform private.broadcast_messages(v_message.conversation_id, array[p_message_id]);
    perform private.broadcast_conversations(v_message.org_id, array[v_message.conversation_id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.retry_message(p_message_id uuid) IS 'Sends a failed message again, a template as it is now. Errors: AUTH_003, MESSAGE_001, MESSAGE_004, WA_002, WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_009 (details.problems).';

CREATE FUNCTION public.revoke_invitation(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select i.org_id into v_org_id from public.org_invitations i where i.id = p_id and i.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('ORG_003');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    update public.org_invitations set revoked_at = now() where id = p_id and accepted_at is null and revoked_at is null;
end
$$;

COMMENT ON FUNCTION public.revoke_invitation(p_id uuid) IS 'The link stops working. Errors: AUTH_003, ORG_003.';

CREATE FUNCTION public.rotate_conversion_secret(p_org_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_secret text := encode(extensions.gen_random_bytes(32), 'hex');
    v_old_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    -- Two at once would leave a secret in Vault that nobody knows of.
    perform from public.organizations o where o.id = p_org_id for no key update;
    select s.secret_id into v_old_id from private.conversion_secrets s where s.org_id = p_org_id;
    insert into private.conversion_secrets (org_id, secret_id)
    values (p_org_id, vault.create_secret(v_secret, 'conversions:' || p_org_id || ':' || octopush.uuid_v7(), 'Conversion callbacks'))
    on conflict (org_id) do update set secret_id = excluded.secret_id, rotated_at = excluded.rotated_at;
    delete from vault.secrets s where s.id = v_old_id;
    perform private.record_activity(p_org_id, 'conversion_secret.rotated', (select auth.uid()));
    return v_secret;
end
$$;

COMMENT ON FUNCTION public.rotate_conversion_secret(p_org_id uuid) IS 'A new secret for conversion callbacks, shown this once; the old one holds no longer. Errors: AUTH_002, AUTH_003, ORG_001.';

CREATE FUNCTION public.schedule_campaign(p_id uuid, p_at timestamp with time zone, p_expected_updated_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    if p_at is null or p_at <= private.clock() then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    perform private.require_complete(v_campaign);
    update public.campaigns c set status = 'scheduled', status_reason = null, scheduled_at = p_at, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.schedule_campaign(p_id uuid, p_at timestamp with time zone, p_expected_updated_at timestamp with time zone) IS 'Draft or scheduled → scheduled; its audience is taken at that time. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_004–008.';

CREATE FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer DEFAULT 30) RETURNS TABLE(conversation_id uuid, matched text, snippet text, message_id uuid, occurred_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_query text := lower(btrim(left(coalesce(p_query, ''), 200)));
    v_pattern text := '%' || replace(replace(replace(v_query, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_words tsquery := plainto_tsquery('simple', v_query);
    v_limit integer := least(greatest(coalesce(p_limit, 30), 1), 100);
begin
    perform private.require_permission(p_org_id, 'read');
    if length(v_query) < 2 then
        return;
    end if;
    -- The last word may be half typed. Punctuation alone leaves no words, and matches no message.
    if numnode(v_words) > 0 then
        v_words := (v_words::text || ':*')::tsquery;
    end if;
    return query
    with people as (
        select c.id, 'contact'::text as matched, null::text as snippet, null::uuid as message_id, c.last_message_at as at
        from private.contact_search p
        join public.conversations c on c.org_id = p.org_id and c.contact_id = p.contact_id
        where p.org_id = p_org_id and p.search_text like v_pattern
        order by c.last_message_at desc limit v_limit
    ), words as (
        select m.conversation_id, m.id, m.body, m.occurred_at
        from public.messages m
        where m.org_id = p_org_id and m.campaign_id is null
            and to_tsvector('simple', coalesce(m.body, '')) @@ v_words
        order by m.id desc limit 200
    ), texts as (
        select distinct on (w.conversation_id) w.conversation_id, w.body, w.id, w.occurred_at
        from words w order by w.conversation_id, w.occurred_at desc
    ), found as (
        select p.id, p.matched, p.snippet, p.message_id, p.at from people p
        union all
        select t.conversation_id, 'message', substr(t.body, greatest(position(v_query in lower(t.body)) - 40, 1), 160), t.id, t.occurred_at
        from texts t
        join public.conversations c on c.id = t.conversation_id
        join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id and p.deleted_at is null
        where t.conversation_id not in (select p.id from people p)
    )
    select f.id, f.matched, f.snippet, f.message_id, f.at from found f order by (f.matched = 'contact') desc, f.at desc limit v_limit;
end
$$;

COMMENT ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) IS 'Conversations whose contact (name, phone, e-mail, company) or messages (but not a campaign''s) match, at least two letters; matched: contact | message. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.segment_catalog(p_org_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_segment_reader(p_org_id);
    return octopush.segment_catalog(private.segment_context(p_org_id) || jsonb_build_object('custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.label)
        from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null), '[]')));
end
$$;

COMMENT ON FUNCTION public.segment_catalog(p_org_id uuid) IS 'The fields rules can ask, with their operators. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.segment_members(p_segment_id uuid, p_limit integer DEFAULT 50, p_after uuid DEFAULT NULL::uuid) RETURNS SETOF public.contacts
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
begin
    -- Ids begin with the time they were made at (UUID version 7): the primary key already has the newest first.
    return query
    select c.*
    from public.segment_members m join public.contacts c on c.id = m.contact_id
    where m.segment_id = v_segment.id and m.contact_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff') and c.deleted_at is null
    order by m.contact_id desc limit least(greatest(p_limit, 0), 1000);
end
$$;

COMMENT ON FUNCTION public.segment_members(p_segment_id uuid, p_limit integer, p_after uuid) IS 'Members, the newest contact first, at most 1000 a page; p_after: the id of the last contact seen. Errors: SEGMENT_001.';

CREATE FUNCTION public.segment_plan(p_segment_id uuid) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select private.explain_plan(public.segment_sql(p_segment_id)) $$;

COMMENT ON FUNCTION public.segment_plan(p_segment_id uuid) IS 'How the database would run that query. Errors: SEGMENT_001.';

CREATE FUNCTION public.segment_sentence(p_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return case v_segment.kind when 'static' then 'Contacts on a list'
        else octopush.segment_sentence(v_segment.rules, private.segment_context_with_names(v_segment.org_id)) end;
end
$$;

COMMENT ON FUNCTION public.segment_sentence(p_id uuid) IS 'The rules in words. Errors: SEGMENT_001.';

CREATE FUNCTION public.segment_sql(p_segment_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_program private.segment_programs;
    v_predicate text;
begin
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    -- In one pass: a value that looks like a parameter stays a value.
    select string_agg(replace(t.text, '$2', quote_literal(private.clock()) || '::timestamptz') || coalesce(k.value, ''), '' order by t.position)
    into v_predicate
    from regexp_split_to_table(coalesce(v_program.predicate, 'false'), '\(\$1\)\[[0-9:]+\]') with ordinality as t (text, position)
    left join (
        select x.position, case
            when x.m[2] is null then quote_literal(v_program.params[x.m[1]::integer]) || '::text'
            else quote_literal(v_program.params[x.m[1]::integer:x.m[2]::integer]) || '::text[]' end as value
        from regexp_matches(v_program.predicate, '\(\$1\)\[(\d+)(?::(\d+))?\]', 'g') with ordinality as x (m, position)
    ) k on k.position = t.position;
    return format(E'select c.*\nfrom public.contacts c\nwhere c.org_id = %L and c.deleted_at is null and c.erased_at is null\n    and (((%s)\n'
        '            and not exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''exclude''))\n'
        '        or exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''include''))',
        v_segment.org_id, v_predicate, p_segment_id, p_segment_id);
end
$_$;

COMMENT ON FUNCTION public.segment_sql(p_segment_id uuid) IS 'The compiled segment as a query that can be run as it stands. Errors: SEGMENT_001.';

CREATE FUNCTION public.segment_summaries(p_org_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_context jsonb;
begin
    perform private.require_segment_reader(p_org_id);
    v_context := private.segment_context_with_names(p_org_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id,
            'sentence', case s.kind when 'dynamic' then octopush.segment_sentence(s.rules, v_context) end,
            'used_by', coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(s.id) u), '[]')))
        from public.segments s where s.org_id = p_org_id), '[]');
end
$$;

COMMENT ON FUNCTION public.segment_summaries(p_org_id uuid) IS '[{id, sentence (null for static ones), used_by: [{kind, id, name}]}] of every segment, at most 200: what a list shows beside each. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.segment_usage(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(v_segment.id) u), '[]');
end
$$;

COMMENT ON FUNCTION public.segment_usage(p_id uuid) IS '[{kind, id, name}]: what keeps it from being deleted. Errors: SEGMENT_001.';

CREATE FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text DEFAULT 'text'::text, p_body text DEFAULT NULL::text, p_payload jsonb DEFAULT NULL::jsonb, p_reply_to uuid DEFAULT NULL::uuid) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
    v_id uuid := octopush.uuid_v7();
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
    v_quoted text;
begin
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.conversation_id <> p_conversation_id or v_message.type is distinct from p_type or v_message.direction <> 'outbound'
            or (p_type <> 'template' and v_message.body is distinct from p_body) or v_message.payload - 'template' is distinct from p_payload
            or v_message.reply_to_message_id is distinct from p_reply_to then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    if p_type = 'template' then
        v_template := private.sendable_template(v_conversation.org_id, p_payload);
    else
        perform private.check_message_content(p_type, p_body, p_payload);
    end if;
    v_refusal := private.may_send(p_conversation_id, p_type, v_template.id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_strip_nulls(jsonb_build_object('window_expires_at', v_conversation.window_expires_at,
            'status', v_template.status)));
    end if;
    if p_reply_to is not null then
        select m.wa_message_id into v_quoted from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation_id;
        if not found then
            perform private.raise_error('MESSAGE_001');
        end if;
    end if;
    if p_type = 'template' then
        v_content := private.template_content(v_template, p_payload -> 'values', v_conversation.contact_id, v_id);
        p_body := v_content ->> 'body';
        p_payload := p_payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, template_id, status,
        client_key, sent_by, reply_to_message_id, reply_to_wa_message_id)
    values (v_id, v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'outbound', p_type,
        p_body, p_payload, v_template.id, 'pending', p_client_key, (select auth.uid()), p_reply_to, v_quoted)
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        -- Used at this very moment in another conversation: the lock above orders one conversation only.
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.touch_conversation(p_conversation_id, v_message);
    perform private.queue_message(v_message.id, 0);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) IS 'Queues a message. p_client_key: 8–100 characters, the same key again returns the same message. p_type: text | image | video | audio | document | sticker | location | interactive | contacts | template (p_payload {"template_id", "values"}; the body is made of them). Errors: AUTH_003, CONVERSATION_001, MESSAGE_001–003, MESSAGE_005, WA_002 (details.status), WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_001, TEMPLATE_009 (details.problems).';

CREATE TABLE public.campaign_settings (
    org_id uuid NOT NULL,
    marketing_cap jsonb,
    message_prices jsonb,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT campaign_settings_marketing_cap_check CHECK ((jsonb_typeof(marketing_cap) = 'object'::text)),
    CONSTRAINT campaign_settings_message_prices_check CHECK ((jsonb_typeof(message_prices) = 'object'::text))
);

COMMENT ON TABLE public.campaign_settings IS 'What an organisation sets for all its campaigns.';

COMMENT ON COLUMN public.campaign_settings.marketing_cap IS '{"messages", "days"}: nobody gets more marketing from campaigns than that. Null: no cap.';

COMMENT ON COLUMN public.campaign_settings.message_prices IS '{"currency", "default": {"marketing", "utility"}, "countries": {"MY": {…}}}: what Meta charges; for estimates.';

CREATE FUNCTION public.set_campaign_settings(p_org_id uuid, p_fields jsonb) RETURNS public.campaign_settings
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_cap jsonb := nullif(p_fields -> 'marketing_cap', 'null');
    v_prices jsonb := nullif(p_fields -> 'message_prices', 'null');
    v_settings public.campaign_settings;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if jsonb_typeof(p_fields) is distinct from 'object' or exists (select from jsonb_object_keys(p_fields) k where k not in ('marketing_cap', 'message_prices')) then
        perform private.refuse_campaign_field(null, 'wrong_value', 'There is no such field');
    end if;
    if v_cap is not null and (jsonb_typeof(v_cap) <> 'object' or (select count(*) from jsonb_object_keys(v_cap)) <> 2
        or coalesce(v_cap ->> 'messages', '') !~ '^([1-9][0-9]?|100)$' or coalesce(v_cap ->> 'days', '') !~ '^([1-9]|[1-8][0-9]|90)$')
    then
        perform private.refuse_campaign_field('marketing_cap', 'wrong_value', '1 to 100 messages in 1 to 90 days');
    end if;
    if v_prices is not null then
        perform private.check_message_prices(v_prices);
    end if;
    insert into public.campaign_settings as s (org_id, marketing_cap, message_prices) values (p_org_id, v_cap, v_prices)
    on conflict (org_id) do update set
        marketing_cap = case when p_fields ? 'marketing_cap' then excluded.marketing_cap else s.marketing_cap end,
        message_prices = case when p_fields ? 'message_prices' then excluded.message_prices else s.message_prices end,
        updated_at = clock_timestamp()
    returning * into v_settings;
    return v_settings;
end
$_$;

COMMENT ON FUNCTION public.set_campaign_settings(p_org_id uuid, p_fields jsonb) IS 'p_fields: marketing_cap {"messages", "days"} | null, message_prices {"currency", "default", "countries"} | null; those not given stay. Errors: AUTH_003, ORG_001, CAMPAIGN_009.';

CREATE TABLE public.consent_keywords (
    org_id uuid NOT NULL,
    kind text NOT NULL,
    word text NOT NULL,
    bare text NOT NULL,
    CONSTRAINT consent_keywords_bare_check CHECK ((bare <> ''::text)),
    CONSTRAINT consent_keywords_kind_check CHECK ((kind = ANY (ARRAY['stop'::text, 'start'::text]))),
    CONSTRAINT consent_keywords_word_check CHECK ((((length(word) >= 1) AND (length(word) <= 40)) AND (word = upper(word))))
);

COMMENT ON TABLE public.consent_keywords IS 'A message that is nothing but such a word withdraws or gives consent to marketing.';

CREATE FUNCTION public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[]) RETURNS SETOF public.consent_keywords
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[]) IS 'At most 20 words each, at least one to stop, no word twice. Errors: AUTH_003, ORG_001, CONTACT_007 (details.field stop | start).';

CREATE FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text DEFAULT 'manual'::text, p_evidence text DEFAULT NULL::text) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    perform private.check_consent(p_status, p_source, p_evidence);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_contact.opt_in_status = p_status then
        return v_contact;
    end if;
    perform private.record_consents(v_contact.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_id,
        'old', v_contact.opt_in_status, 'new', p_status, 'source', p_source, 'evidence', nullif(btrim(p_evidence), ''))));
    update public.contacts c set
        opt_in_status = p_status, opt_in_source = p_source, updated_at = clock_timestamp(),
        opt_in_at = case when p_status = 'opted_in' then now() else c.opt_in_at end
    where c.id = p_id returning c.* into v_contact;
    perform private.broadcast('org:' || v_contact.org_id, 'activity', '{}');
    perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    return v_contact;
end
$$;

COMMENT ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text, p_evidence text) IS 'p_source: form | whatsapp | import | manual; p_evidence: what shows it, at most 500 characters. Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_007 (details.field), CONTACT_010.';

CREATE FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    if private.put_tags(v_contact, p_tag_ids) then
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;

COMMENT ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) IS 'The contact has exactly these tags afterwards. Errors: AUTH_003, CONTACT_001, CONTACT_010, TAG_001.';

CREATE FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old text;
    v_mine text;
begin
    v_old := private.lock_member(p_org_id, p_user_id, 'settings.manage');
    select m.role into v_mine from public.org_memberships m where m.org_id = p_org_id and m.user_id = (select auth.uid());
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if v_old = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    if v_mine is null or private.role_rank(v_mine) < greatest(private.role_rank(v_old), private.role_rank(p_role)) then
        perform private.raise_error('AUTH_003', '{"permission": "settings.manage"}');
    end if;
    update public.org_memberships set role = p_role, updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    if not ('inbox.answer' = any (private.role_permissions(p_role))) then
        perform private.release_assignments(p_org_id, p_user_id);
    end if;
    perform private.record_activity(p_org_id, 'member.role_changed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'old', v_old, 'new', p_role));
end
$$;

COMMENT ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) IS 'Errors: AUTH_003, ORG_001, ORG_004 (an owner: transfer ownership instead), ORG_006 (no such member), ORG_007 (no such role).';

CREATE FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if p_until is null or p_until <= private.clock() or p_until > private.clock() + interval '1 year' then
        perform private.raise_error('CONVERSATION_003');
    end if;
    update public.conversations set status = 'pending', snoozed_until = p_until, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'snoozed', jsonb_build_object('until', p_until));
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) IS 'pending until then, or until the contact writes; at most a year ahead. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_003.';

CREATE FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'inbox.answer');
    v_id uuid;
begin
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004');
    end if;
    if not exists (
        select from public.whatsapp_accounts a where a.id = p_whatsapp_account_id and a.org_id = v_contact.org_id and a.status <> 'disconnected'
    ) then
        perform private.raise_error('WA_006');
    end if;
    -- Nobody has written yet: there is no window, so only templates can go out.
    insert into public.conversations (org_id, whatsapp_account_id, contact_id, status)
    values (v_contact.org_id, p_whatsapp_account_id, p_contact_id, 'expired')
    on conflict (whatsapp_account_id, contact_id) do nothing
    returning id into v_id;
    if v_id is not null then
        perform private.broadcast_conversations(v_contact.org_id, array[v_id]);
        return v_id;
    end if;
    select c.id into v_id from public.conversations c where c.whatsapp_account_id = p_whatsapp_account_id and c.contact_id = p_contact_id;
    return v_id;
end
$$;

COMMENT ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) IS 'The conversation of a contact on a number, made when there is none. Errors: AUTH_003, CONTACT_001, CONTACT_004, WA_006.';

CREATE FUNCTION public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb DEFAULT '{}'::jsonb) RETURNS public.jobs
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    update private.import_files set spec = v_spec where job_id = p_job_id;
    update public.jobs j set
        status = 'queued', done_count = 0, total_count = (v_head ->> 'rows_estimate')::bigint,
        input = j.input || jsonb_build_object('mapping', p_mapping, 'options', p_options)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

COMMENT ON FUNCTION public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) IS 'Starts a waiting import; mapping and options as docs/contacts-and-segments.md says. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';

CREATE FUNCTION public.submit_template(p_id uuid, p_expected_updated_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS public.templates
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_change(p_id);
    v_free_at timestamptz;
begin
    if v_template.status not in ('draft', 'rejected') then
        perform private.refuse_template_state(v_template);
    end if;
    perform private.require_template_version(v_template, coalesce(p_expected_updated_at, v_template.updated_at));
    perform private.refuse_template_errors(v_template);
    if not exists (select from public.whatsapp_accounts a
        where a.org_id = v_template.org_id and a.waba_id = v_template.waba_id and a.status = 'connected') then
        perform private.raise_error('WA_006');
    end if;
    if v_template.wa_template_id is null then
        v_free_at := private.name_free_at(v_template);
        if v_free_at is not null then
            perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_template.name, 'language', v_template.language, 'free_at', v_free_at));
        end if;
        perform private.add_template_work(v_template, 'submit', to_jsonb(v_template));
    else
        perform private.add_template_work(v_template, 'edit', to_jsonb(v_template));
    end if;
    update public.templates t set status = 'pending', submitted_at = private.clock(), has_changes = false, problem = null,
        rejected_reason = null, status_reason = null, updated_at = clock_timestamp()
    where t.id = p_id
    returning t.* into v_template;
    perform private.record_activity(v_template.org_id, 'template.submitted', (select auth.uid()),
        p_data => jsonb_build_object('template_id', p_id, 'name', v_template.name));
    perform private.broadcast_templates(v_template.org_id, array[p_id]);
    return v_template;
end
$$;

COMMENT ON FUNCTION public.submit_template(p_id uuid, p_expected_updated_at timestamp with time zone) IS 'Draft or rejected → pending; a worker brings it to Meta. p_expected_updated_at: the version that was reviewed; null for whatever it is now. Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_004 (details.problems), TEMPLATE_005 (details.free_at: Meta keeps the name until then), TEMPLATE_006 (details.status), TEMPLATE_010 (details.template), WA_006.';

CREATE FUNCTION public.sync_templates(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    perform private.request_template_sync(p_org_id, a.waba_id)
    from (select distinct x.waba_id from public.whatsapp_accounts x where x.org_id = p_org_id and x.status = 'connected') a;
    if not found then
        perform private.raise_error('WA_006');
    end if;
end
$$;

COMMENT ON FUNCTION public.sync_templates(p_org_id uuid) IS 'Asks workers to compare with Meta now; what changes is broadcast. Errors: AUTH_003, ORG_001, WA_006.';

CREATE FUNCTION public.template_analytics(p_id uuid, p_days integer DEFAULT 30) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_read(p_id);
    v_zone text := (select o.time_zone from public.organizations o where o.id = v_template.org_id);
    v_today date := (private.clock() at time zone v_zone)::date;
    v_first date := v_today - (least(greatest(coalesce(p_days, 30), 1), 366) - 1);
    v_days jsonb;
begin
    select jsonb_agg(jsonb_build_object('day', d.day, 'sent', coalesce(c.sent, 0), 'delivered', coalesce(c.delivered, 0),
        'read', coalesce(c.read, 0), 'replied', coalesce(r.replied, 0)) order by d.day)
    into v_days
    from (select v_first + i as day from generate_series(0, v_today - v_first) i) d
    left join (
        select (x.slot at time zone v_zone)::date as day, sum(x.sent) as sent, sum(x.delivered) as delivered, sum(x.read) as read
        from (
            select k.slot, k.sent, k.delivered, k.read from private.template_counts k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
            union all
            select k.slot, k.sent, k.delivered, k.read from private.template_deltas k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
        ) x
        group by 1
    ) c on c.day = d.day
    left join (
        select x.day, sum(x.replied) as replied from private.template_replies(v_template, v_first::timestamp at time zone v_zone, v_zone) x group by 1
    ) r on r.day = d.day;
    return jsonb_build_object('days', v_days,
        'totals', (
            select jsonb_build_object('sent', sum(x.sent), 'delivered', sum(x.delivered), 'read', sum(x.read), 'replied', sum(x.replied))
            from jsonb_to_recordset(v_days) as x (sent bigint, delivered bigint, read bigint, replied bigint)),
        'campaigns', (
            select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'status', u.status)), '[]')
            from private.template_campaigns(p_id) u),
        'flows', '[]'::jsonb);
end
$$;

COMMENT ON FUNCTION public.template_analytics(p_id uuid, p_days integer) IS 'Days of the organisation''s time zone, by when the message was made → {"days": [{"day", "sent", "delivered", "read", "replied"}], "totals", "campaigns", "flows"}. Errors: TEMPLATE_001.';

CREATE FUNCTION public.template_variables(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.template_variables(private.template_shape(v_template));
end
$$;

COMMENT ON FUNCTION public.template_variables(p_id uuid) IS 'What has to be filled in: [{"key", "kind", "example", "label"}]. Errors: TEMPLATE_001.';

CREATE FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.lock_member(p_org_id, p_user_id, 'organization.own');
    update public.org_memberships set role = 'admin', updated_at = now()
    where org_id = p_org_id and user_id = (select auth.uid()) and user_id <> p_user_id;
    update public.org_memberships set role = 'owner', updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    perform private.record_activity(p_org_id, 'organization.ownership_transferred', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id));
end
$$;

COMMENT ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) IS 'The caller becomes an admin, the other member the owner. Errors: AUTH_003, ORG_001, ORG_006.';

CREATE FUNCTION public.unschedule_campaign(p_id uuid) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'scheduled' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'draft', updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.unscheduled', (select auth.uid()));
    return v_campaign;
end
$$;

COMMENT ON FUNCTION public.unschedule_campaign(p_id uuid) IS 'Scheduled → draft. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

CREATE FUNCTION public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) RETURNS public.campaigns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    if v_old.status not in ('draft', 'scheduled') then
        perform private.raise_error('CAMPAIGN_003', jsonb_build_object('status', v_old.status));
    end if;
    perform private.require_version(v_old, p_expected_updated_at);
    v_new := private.merge_campaign_fields(v_old, p_fields);
    if v_old.status = 'scheduled' and v_new.scheduled_at is distinct from v_old.scheduled_at and coalesce(v_new.scheduled_at <= private.clock(), true) then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    update public.campaigns c set
        name = v_new.name, description = v_new.description, whatsapp_account_id = v_new.whatsapp_account_id, audience = v_new.audience,
        scheduled_at = v_new.scheduled_at, time_zone = v_new.time_zone, quiet_hours = v_new.quiet_hours, uncertain_policy = v_new.uncertain_policy,
        uncertain_hours = v_new.uncertain_hours, holdout_percent = v_new.holdout_percent, test = v_new.test,
        attribution_days = v_new.attribution_days, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_new;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_new, p_fields -> 'variants');
    end if;
    if v_old.status = 'scheduled' then
        perform private.require_complete(v_new);
    end if;
    perform private.broadcast_campaigns(v_new.org_id, array[p_id]);
    return v_new;
end
$$;

COMMENT ON FUNCTION public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) IS 'Draft or scheduled; fields not given stay. One that is scheduled must stay complete. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_003, CAMPAIGN_004, CAMPAIGN_006–009, CONTACT_012.';

CREATE FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.contacts := private.contact_for(p_id, 'contacts.write');
    v_new public.contacts;
    v_field text;
begin
    if v_old.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_old.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CONTACT_006', jsonb_build_object('contact', to_jsonb(v_old) - 'search_text'));
    end if;
    v_new := private.merge_contact_fields(v_old, p_fields);
    begin
        update public.contacts c set
            -- Another number is another WhatsApp account: answers must not go to the old one.
            phone = v_new.phone, wa_id = case when v_new.phone is not distinct from v_old.phone then c.wa_id end,
            full_name = v_new.full_name, email = v_new.email, avatar_url = v_new.avatar_url, company = v_new.company,
            custom_fields = v_new.custom_fields, job_title = v_new.job_title, address = v_new.address, notes = v_new.notes, birthday = v_new.birthday,
            lifecycle_stage = v_new.lifecycle_stage, updated_at = clock_timestamp()
        where c.id = p_id
        returning c.* into v_new;
    exception
        when unique_violation then
            perform private.raise_error('CONTACT_002', jsonb_build_object('contact_id',
                (select c.id from public.contacts c where c.org_id = v_old.org_id and c.phone = v_new.phone)));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            if v_field = 'contacts__identity__check' then
                perform private.raise_error('CONTACT_003');
            end if;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(v_old.org_id, 'contact.updated', (select auth.uid()), p_id,
        p_data => jsonb_build_object('fields', (
            select jsonb_agg(k) from (
                select k from jsonb_object_keys(p_fields) k where k <> 'custom_fields'
                union all
                select 'custom.' || k from jsonb_object_keys(p_fields -> 'custom_fields') k
            ) x)));
    perform private.broadcast_contacts(v_old.org_id, array[p_id]);
    return v_new;
end
$$;

COMMENT ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) IS 'Changes the given fields if nobody else did since p_expected_updated_at. Errors: AUTH_003, CONTACT_001–004, CONTACT_006 (details.contact = the other person''s version), CONTACT_007 (details.field, details.problem), CONTACT_010.';

CREATE FUNCTION public.update_custom_field(p_id uuid, p_label text DEFAULT NULL::text, p_options text[] DEFAULT NULL::text[], p_position integer DEFAULT NULL::integer) RETURNS public.custom_field_definitions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if btrim(p_label) = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        update public.custom_field_definitions d set
            label = coalesce(btrim(p_label), d.label), position = coalesce(p_position, d.position), updated_at = clock_timestamp(),
            options = case when p_options is null then d.options else private.custom_field_options(d.type, p_options) end
        where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;

COMMENT ON FUNCTION public.update_custom_field(p_id uuid, p_label text, p_options text[], p_position integer) IS 'null leaves as it is; values with an option that is taken away stay until they are edited. Errors: AUTH_003, FIELD_001, FIELD_003 (details.part), FIELD_004.';

CREATE FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform private.check_organization_fields(p_name, p_country, p_time_zone);
    update public.organizations set name = btrim(p_name), country = p_country, time_zone = p_time_zone, updated_at = now()
    where id = p_org_id;
end
$$;

COMMENT ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) IS 'Errors: AUTH_003, ORG_001, ORG_005.';

CREATE FUNCTION public.update_profile(p_full_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    update public.profiles set full_name = left(btrim(coalesce(p_full_name, '')), 120), updated_at = now()
    where user_id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
end
$$;

COMMENT ON FUNCTION public.update_profile(p_full_name text) IS 'The caller''s own name, as colleagues see it. Errors: AUTH_002.';

CREATE FUNCTION public.update_segment(p_id uuid, p_name text, p_rules jsonb, p_description text, p_expected_updated_at timestamp with time zone) RETURNS public.segments
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.segments := private.segment_to_change(p_id);
    v_new public.segments;
    v_problems jsonb;
begin
    if v_old.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('SEGMENT_006', jsonb_build_object('segment', to_jsonb(v_old)));
    end if;
    if v_old.kind = 'static' and p_rules is not null then
        perform private.raise_error('SEGMENT_007');
    end if;
    perform private.check_segment_name(coalesce(p_name, v_old.name), p_description);
    -- Rules that stay as they are may name what is gone since.
    if p_rules is not null and p_rules <> v_old.rules then
        v_problems := private.rule_problems(v_old.org_id, p_rules);
        if v_problems <> '[]' then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
    end if;
    begin
        update public.segments s set name = btrim(coalesce(p_name, s.name)), rules = coalesce(p_rules, s.rules),
            description = nullif(btrim(p_description), ''), updated_at = clock_timestamp(),
            evaluated_at = case when p_rules <> s.rules and not private.is_small_organization(s.org_id) then null else s.evaluated_at end
        where s.id = p_id returning s.* into v_new;
    exception when unique_violation then
        perform private.raise_error('SEGMENT_003');
    end;
    if v_new.rules is distinct from v_old.rules then
        perform private.apply_segment_rules(v_new, 'rebuild');
        select s.* into v_new from public.segments s where s.id = p_id;
    end if;
    perform private.broadcast_segments(v_old.org_id, array[p_id] || array(select a from private.segments_above(p_id) a));
    return v_new;
end
$$;

COMMENT ON FUNCTION public.update_segment(p_id uuid, p_name text, p_rules jsonb, p_description text, p_expected_updated_at timestamp with time zone) IS 'p_name or p_rules null: as before. Errors: AUTH_003, SEGMENT_001–004, SEGMENT_006 (details.segment = the other person''s version), SEGMENT_007.';

CREATE FUNCTION public.update_tag(p_id uuid, p_name text, p_color text DEFAULT NULL::text) RETURNS public.tags
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_tag public.tags := private.tag_for(p_id);
begin
    begin
        update public.tags t set name = btrim(p_name), color = coalesce(p_color, t.color) where t.id = p_id returning t.* into v_tag;
    exception
        when unique_violation then
            perform private.raise_error('TAG_003');
        when check_violation or not_null_violation then
            perform private.raise_error('TAG_004');
    end;
    perform private.broadcast('org:' || v_tag.org_id, 'contacts', '{"all": true}');
    return v_tag;
end
$$;

COMMENT ON FUNCTION public.update_tag(p_id uuid, p_name text, p_color text) IS 'p_color: #rrggbb, null leaves it. Errors: AUTH_003, TAG_001, TAG_003 (name taken), TAG_004 (invalid).';

CREATE FUNCTION public.update_template(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) RETURNS public.templates
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.templates := private.template_to_change(p_id);
    v_new public.templates;
    v_is_at_meta boolean := v_old.wa_template_id is not null;
    v_is_paused boolean := v_old.status = 'disabled' and v_old.meta_status = 'PAUSED';
    v_submits boolean := v_old.status = 'approved' or v_is_paused;
    v_retry_at timestamptz;
begin
    if not (v_old.status in ('draft', 'rejected') or v_submits) then
        perform private.refuse_template_state(v_old);
    end if;
    perform private.require_template_version(v_old, p_expected_updated_at);
    v_new := private.merge_template_fields(v_old, p_fields);
    if v_is_at_meta and (v_new.name, v_new.language, v_new.waba_id, v_new.parameter_format)
        is distinct from (v_old.name, v_old.language, v_old.waba_id, v_old.parameter_format) then
        perform private.refuse_template('', 'fixed', 'Name, language and kind of variables stay as WhatsApp has them: duplicate the template instead');
    end if;
    if v_old.status = 'approved' and v_new.category <> v_old.category then
        perform private.refuse_template('/category', 'fixed', 'WhatsApp keeps the category of an approved template');
    end if;
    if (v_new.name, v_new.language, v_new.waba_id, v_new.parameter_format, v_new.category, v_new.components, v_new.links)
        is not distinct from (v_old.name, v_old.language, v_old.waba_id, v_old.parameter_format, v_old.category, v_old.components, v_old.links) then
        return v_old;
    end if;
    if v_submits then
        perform private.refuse_used_template(p_id);
        perform private.refuse_template_errors(v_new);
        if v_old.status = 'approved' then
            v_retry_at := private.next_edit_at(p_id);
            if v_retry_at is not null then
                perform private.raise_error('TEMPLATE_007', jsonb_build_object('retry_at', v_retry_at));
            end if;
            insert into private.template_edits (template_id, org_id, edited_at) values (p_id, v_old.org_id, private.clock());
        end if;
        perform private.add_template_work(v_old, 'edit', to_jsonb(v_old));
    end if;
    begin
        update public.templates t set name = v_new.name, language = v_new.language, waba_id = v_new.waba_id,
            parameter_format = v_new.parameter_format, category = v_new.category, components = v_new.components, links = v_new.links,
            status = case when v_submits then 'pending' else t.status end,
            submitted_at = case when v_submits then private.clock() else t.submitted_at end,
            has_changes = not v_submits and v_is_at_meta,
            problem = null, updated_at = clock_timestamp()
        where t.id = p_id
        returning t.* into v_new;
    exception when unique_violation then
        perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_new.name, 'language', v_new.language));
    end;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    return v_new;
end
$$;

COMMENT ON FUNCTION public.update_template(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) IS 'Draft and rejected: changed here, submit_template sends it. Approved and paused: the change goes to Meta at once and the template waits for approval. Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_004 (details.problems), TEMPLATE_005, TEMPLATE_006 (details.status), TEMPLATE_007 (details.retry_at), TEMPLATE_008 (details.used_by), TEMPLATE_010 (details.template).';

CREATE FUNCTION worker.advance_campaigns() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_count integer;
begin
    v_count := private.apply_send_effects(1000) + private.settle_overdue(v_now, 1000);
    perform private.take_back_latecomers();
    perform private.tell_progress();
    perform private.fold_portfolios(v_now);
    for v_campaign in
        select c.* from public.campaigns c where c.status = 'sending' order by c.id for no key update skip locked
    loop
        if v_campaign.test is not null and v_campaign.winner is null then
            if private.advance_test(v_campaign, v_now) then
                v_count := v_count + 1;
            end if;
            select c.* into v_campaign from public.campaigns c where c.id = v_campaign.id;
        end if;
        if private.finish_campaign(v_campaign, v_now) then
            v_count := v_count + 1;
        end if;
    end loop;
    -- Last: whoever settles messages waits for rows of the ledger, so nothing is waited for once these are held.
    perform private.apply_replies(5000);
    return v_count;
end
$$;

COMMENT ON FUNCTION worker.advance_campaigns() IS 'Does what is due for campaigns that were launched; how much it did.';

CREATE FUNCTION worker.announce_sender(p_lock_key integer) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select pg_catalog.pg_try_advisory_lock(private.sender_lock_class(), p_lock_key) $$;

COMMENT ON FUNCTION worker.announce_sender(p_lock_key integer) IS 'Called once on the sender''s LISTEN session; the lock lives as long as the session. false: the key is taken, choose another.';

CREATE FUNCTION worker.apply_bulk_change(p_job_id uuid, p_holder uuid, p_limit integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_ids uuid[];
    v_last integer;
    v_changed integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select array_agg(i.contact_id), max(i.position) into v_ids, v_last from (
        select i.contact_id, i.position from private.job_items i
        where i.job_id = p_job_id and i.position > v_job.done_count order by i.position limit p_limit
    ) i;
    if v_ids is null then
        perform private.finish_job(p_job_id, 'done', coalesce(v_job.result, '{"changed": 0}'));
        return true;
    end if;
    v_changed := private.apply_contact_change(v_job.org_id, v_ids, v_job.input -> 'change', v_job.created_by);
    update public.jobs j set
        done_count = v_last,
        result = jsonb_build_object('changed', coalesce((j.result ->> 'changed')::integer, 0) + v_changed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return false;
end
$$;

CREATE FUNCTION worker.apply_messages(p_events jsonb) RETURNS TABLE(webhook_event_id bigint, problem text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_events jsonb;
    v_new_conversation_ids uuid[];
    v_inserted jsonb;
    v_org record;
begin
    -- What no connected number of ours received is reported back, and stays visible as a rejected webhook.
    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(p_events) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);

    -- One event a Meta message id; a real message beats the 131060 placeholder that may come before or after it under the same id.
    select jsonb_agg(to_jsonb(x)) into v_events from (
        select distinct on (a.id, e.wa_message_id) a.org_id, a.id as whatsapp_account_id, e.*
        from jsonb_to_recordset(p_events) as e (
            webhook_event_id bigint, phone_number_id text, wa_id text, bsuid text, profile_name text, username text, wa_message_id text, occurred_at timestamptz,
            type text, body text, payload jsonb, reply_to text, is_placeholder boolean, reaction_to text, opens_window boolean)
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id and a.is_receiving
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        where m.id is null or (not e.is_placeholder and m.type = 'unsupported' and (m.payload ->> 'is_placeholder')::boolean)
        order by a.id, e.wa_message_id, e.is_placeholder
    ) x;
    if v_events is null then
        return;
    end if;

    -- Locks are taken in one order everywhere: contacts, conversations, messages, outbox.
    v_events := private.with_contacts(v_events);
    return query
    select distinct e.webhook_event_id, 'a sender without a phone number or user id'
    from jsonb_to_recordset(v_events) as e (webhook_event_id bigint, contact_id uuid) where e.contact_id is null;

    with made as (
        insert into public.conversations (org_id, whatsapp_account_id, contact_id, last_message_at)
        select distinct on (e.whatsapp_account_id, e.contact_id) e.org_id, e.whatsapp_account_id, e.contact_id, e.occurred_at
        from jsonb_to_recordset(v_events) as e (org_id uuid, whatsapp_account_id uuid, contact_id uuid, occurred_at timestamptz)
        where e.contact_id is not null
        order by e.whatsapp_account_id, e.contact_id, e.occurred_at
        on conflict (whatsapp_account_id, contact_id) do nothing
        returning id
    )
    select coalesce(array_agg(id), '{}') into v_new_conversation_ids from made;

    perform c.id from public.conversations c
    where (c.whatsapp_account_id, c.contact_id) in (
        select e.whatsapp_account_id, e.contact_id from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, contact_id uuid))
    order by c.id for no key update;

    with written as (
        insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, wa_message_id,
            reply_to_wa_message_id, reply_to_message_id, status, occurred_at)
        select e.org_id, c.id, e.whatsapp_account_id, e.contact_id, 'inbound',
            case when e.type in ('text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'button',
                'reaction', 'order', 'system') then e.type else 'unsupported' end,
            left(e.body, 10000),
            case when e.is_placeholder then coalesce(e.payload, '{}') || '{"is_placeholder": true}' else e.payload end,
            e.wa_message_id, e.reply_to, q.id, 'received', e.occurred_at
        from jsonb_to_recordset(v_events) as e (
            org_id uuid, whatsapp_account_id uuid, contact_id uuid, wa_message_id text, occurred_at timestamptz, type text, body text,
            payload jsonb, reply_to text, is_placeholder boolean, reaction_to text)
        join public.conversations c on c.whatsapp_account_id = e.whatsapp_account_id and c.contact_id = e.contact_id
        left join public.messages q on q.whatsapp_account_id = e.whatsapp_account_id and q.wa_message_id = e.reply_to
        -- A reaction is shown on its message; it becomes a row of its own only when we never saw that message.
        where e.reaction_to is null or not exists (
            select from public.messages t where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to
            union all
            select from jsonb_to_recordset(v_events) as t (whatsapp_account_id uuid, wa_message_id text, reaction_to text)
            where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to and t.reaction_to is null)
        order by e.occurred_at, e.wa_message_id
        on conflict (whatsapp_account_id, wa_message_id) where wa_message_id is not null do update
        set type = excluded.type, body = excluded.body, payload = excluded.payload
        where messages.type = 'unsupported' and (messages.payload ->> 'is_placeholder')::boolean and excluded.type <> 'unsupported'
        returning id, org_id, conversation_id, contact_id, wa_message_id, type, body, occurred_at, reply_to_wa_message_id, reply_to_message_id,
            xmax = 0 as is_new
    )
    select jsonb_agg(to_jsonb(w)) into v_inserted from written w;

    perform private.apply_reactions(jsonb_agg(jsonb_build_object('whatsapp_account_id', e.whatsapp_account_id, 'target', e.reaction_to,
        'emoji', e.body, 'occurred_at', e.occurred_at)))
    from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, reaction_to text, body text, occurred_at timestamptz)
    where e.reaction_to is not null
    having count(*) > 0;

    if v_inserted is null then
        return;
    end if;
    -- Answers to messages of the same batch, which the insert above could not see.
    update public.messages m set reply_to_message_id = q.id
    from jsonb_to_recordset(v_inserted) as i (id uuid, reply_to_wa_message_id text, reply_to_message_id uuid), public.messages q
    where i.reply_to_wa_message_id is not null and i.reply_to_message_id is null and m.id = i.id
        and q.whatsapp_account_id = m.whatsapp_account_id and q.wa_message_id = m.reply_to_wa_message_id;
    perform private.fold_inbound(v_events, v_inserted, v_new_conversation_ids);
    perform private.note_replies(v_inserted);
    perform private.apply_consent_keywords(v_inserted);
    for v_org in
        select i.org_id, array_agg(distinct i.conversation_id) as conversation_ids,
            array_agg(distinct i.contact_id) filter (where i.conversation_id = any (v_new_conversation_ids)) as new_contact_ids
        from jsonb_to_recordset(v_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid) group by i.org_id
    loop
        perform private.broadcast_conversations(v_org.org_id, v_org.conversation_ids);
        if v_org.new_contact_ids is not null then
            perform private.broadcast_contacts(v_org.org_id, v_org.new_contact_ids);
        end if;
        perform private.broadcast('org:' || v_org.org_id, 'activity', '{}');
    end loop;
    perform private.broadcast_messages(i.conversation_id, array_agg(i.id))
    from jsonb_to_recordset(v_inserted) as i (id uuid, conversation_id uuid) group by i.conversation_id;
end
$$;

COMMENT ON FUNCTION worker.apply_messages(p_events jsonb) IS '[{webhook_event_id, phone_number_id, wa_id?, bsuid?, profile_name?, username?, wa_message_id, occurred_at, type, body?, payload?, reply_to?, is_placeholder, reaction_to?, opens_window}] → webhooks that name no connected number.';

CREATE FUNCTION worker.apply_statuses(p_events jsonb) RETURNS TABLE(webhook_event_id bigint, problem text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_known jsonb := private.known_statuses(p_events);
    v_early jsonb;
begin
    if v_known is not null then
        perform private.settle_statuses(v_known);
        -- Settling may have given a message its Meta id while a status of that id was being parked. Messages first, ids second, as everywhere.
        perform private.lock_wa_message_ids(array(select k.wa_message_id from jsonb_to_recordset(v_known) as k (wa_message_id text)));
        perform private.settle_parked_statuses((
            select jsonb_agg(distinct jsonb_build_object('id', k.message_id, 'wa_message_id', k.wa_message_id))
            from jsonb_to_recordset(v_known) as k (message_id uuid, wa_message_id text)));
    end if;
    v_early := private.other_statuses(p_events, v_known);
    if v_early is null then
        return;
    end if;

    perform private.lock_wa_message_ids(array(select e.wa_message_id from jsonb_to_recordset(v_early) as e (wa_message_id text)));
    v_known := private.known_statuses(v_early);
    if v_known is not null then
        perform private.settle_statuses(v_known);
        v_early := private.other_statuses(v_early, v_known);
    end if;
    insert into private.parked_statuses (phone_number_id, wa_message_id, status)
    select a.phone_number_id, e.value ->> 'wa_message_id', e.value
    from jsonb_array_elements(v_early) e
    join public.whatsapp_accounts a on a.phone_number_id = e.value ->> 'phone_number_id' and a.is_receiving
    where e.value ->> 'wa_message_id' is not null;

    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(v_early) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);
end
$$;

COMMENT ON FUNCTION worker.apply_statuses(p_events jsonb) IS '[{webhook_event_id, phone_number_id, wa_message_id, message_id?, send_try?, status sent|delivered|read|failed, occurred_at, error_code?, error_message?}] → webhooks that name no connected number.';

CREATE FUNCTION worker.apply_template_events(p_events jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    AS $$
declare
    v_event record;
    v_template public.templates;
    v_held uuid[];
begin
    select array_agg(x.id) into v_held from (
        select t.id from public.templates t
        where t.id in (
            select o.id from jsonb_to_recordset(p_events) as e (waba_id text, wa_template_id text)
            join public.templates o on o.waba_id = e.waba_id and o.wa_template_id = e.wa_template_id and o.deleted_at is null
            union all
            select o.id from jsonb_to_recordset(p_events) as e (waba_id text, name text, language text)
            join public.whatsapp_accounts a on a.waba_id = e.waba_id and a.is_receiving
            join public.templates o on o.org_id = a.org_id and o.waba_id = e.waba_id and o.name = e.name
                and o.language = private.template_language(e.language) and o.deleted_at is null)
        order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update
    ) x;
    for v_event in
        select e.*, a.org_id from jsonb_to_recordset(p_events) as e (
            webhook_event_id bigint, waba_id text, field text, wa_template_id text, name text, language text, value jsonb, occurred_at timestamptz)
        join lateral (select distinct x.org_id from public.whatsapp_accounts x where x.waba_id = e.waba_id and x.is_receiving) a on true
        order by e.occurred_at, e.webhook_event_id, a.org_id
    loop
        select t.* into v_template from public.templates t
        where t.id = any (v_held) and t.org_id = v_event.org_id and t.waba_id = v_event.waba_id and t.deleted_at is null
            and (t.wa_template_id = v_event.wa_template_id
                -- Its creation is not written down yet.
                or (t.wa_template_id is null and t.status = 'pending' and t.name = v_event.name
                    and t.language = private.template_language(v_event.language)
                    -- Nor is it about one that had the name before.
                    and not exists (
                        select from public.templates d
                        where d.org_id = t.org_id and d.waba_id = t.waba_id and d.wa_template_id = v_event.wa_template_id)))
        order by t.wa_template_id is not null desc limit 1;
        if found then
            if v_template.wa_template_id is null and v_event.wa_template_id is not null then
                update public.templates t set wa_template_id = v_event.wa_template_id where t.id = v_template.id;
            end if;
            perform private.apply_template_event(v_template, v_event.field, coalesce(v_event.value, '{}'), v_event.occurred_at);
        elsif v_event.value ->> 'event' is distinct from 'DELETED' then
            perform private.request_template_sync(v_event.org_id, v_event.waba_id);
        end if;
    end loop;
end
$$;

COMMENT ON FUNCTION worker.apply_template_events(p_events jsonb) IS '[{webhook_event_id, waba_id, field, wa_template_id, name, language, value, occurred_at}]; value as Meta sent it.';

CREATE FUNCTION worker.apply_template_list(p_org_id uuid, p_waba_id text, p_templates jsonb, p_is_complete boolean, p_asked_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    AS $_$
declare
    v_item record;
    v_ours public.templates;
    v_named public.templates;
    v_changed uuid[] := array[]::uuid[];
    v_id uuid;
begin
    -- One list of an account at a time: two would take over the same template twice. Not by the row of the account's synchronisation, which
    -- others touch while they hold templates.
    perform pg_catalog.pg_advisory_xact_lock(hashtextextended('templates of ' || p_org_id || ' ' || p_waba_id, 0));
    if not private.is_own_waba(p_org_id, p_waba_id) then
        return;
    end if;
    -- One that took longer than the next: what it shows has been overtaken.
    if exists (select from private.template_syncs s where s.org_id = p_org_id and s.waba_id = p_waba_id and p_asked_at < s.listed_as_of) then
        return;
    end if;
    -- All of them before the row of the account's synchronisation, which is asked for below, and in the order of webhooks and answers:
    -- whoever holds that row waits for no template.
    perform t.id from public.templates t
    where t.id in (
        select o.id from public.templates o where o.org_id = p_org_id and o.waba_id = p_waba_id and o.deleted_at is null
        union all
        -- Deleted ones, too: Meta may still show them.
        select o.id from jsonb_array_elements(p_templates) x
        join public.templates o on o.waba_id = p_waba_id and o.wa_template_id = x.value ->> 'id' and o.org_id = p_org_id)
    order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update;
    for v_item in
        select x.value, x.value ->> 'id' as wa_template_id, x.value ->> 'name' as name, private.template_language(x.value ->> 'language') as language
        from jsonb_array_elements(p_templates) x
        where x.value ->> 'id' is not null and x.value ->> 'name' ~ '^[a-z0-9_]+$' and length(x.value ->> 'name') <= 512
            and private.template_language(x.value ->> 'language') ~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$'
        order by x.value ->> 'name' collate "C", x.value ->> 'language' collate "C"
    loop
        select t.* into v_ours from public.templates t
        where t.waba_id = p_waba_id and t.wa_template_id = v_item.wa_template_id and t.org_id = p_org_id;
        if v_ours.id is null or v_ours.deleted_at is not null then
            select t.* into v_named from public.templates t
            where t.org_id = p_org_id and t.waba_id = p_waba_id and t.name = v_item.name and t.language = v_item.language and t.deleted_at is null;
            -- The one deleted here, which Meta still shows; its name is another's now.
            continue when v_ours.deleted_at is not null and v_named.id is not null;
            v_ours := case when v_named.id is null then v_ours else v_named end;
        end if;
        if v_ours.status = 'draft' then
            -- Made elsewhere under the name of a draft: the draft is a person's work, so it is told apart, not overwritten.
            if v_ours.problem is distinct from 'TEMPLATE_005' then
                update public.templates t set problem = 'TEMPLATE_005', updated_at = clock_timestamp() where t.id = v_ours.id;
                v_changed := v_changed || v_ours.id;
            end if;
        elsif v_ours.deleted_at is null and v_ours.id is not null then
            if private.take_over_template(v_ours.id, v_item.value, p_asked_at) then
                v_changed := v_changed || v_ours.id;
            end if;
        elsif v_item.value ->> 'status' in ('PENDING_DELETION', 'DELETED') or (v_item.value ->> 'status' = 'DISABLED' and v_ours.id is not null) then
            -- Deleted here; Meta shows it for up to 30 days, and a disabled one for ever.
            continue;
        else
            v_id := v_ours.id;
            if v_id is not null then
                -- A list that lacked it by mistake took it away: it is the same template.
                update public.templates t set deleted_at = null, updated_at = clock_timestamp() where t.id = v_id;
            else
                insert into public.templates (org_id, waba_id, name, language, category, wa_template_id, components, status, meta_status, reviewed_at)
                values (p_org_id, p_waba_id, v_item.name, v_item.language, coalesce(private.category_of_meta(v_item.value ->> 'category'), 'marketing'),
                    v_item.wa_template_id, '[]', coalesce(private.status_of_meta(upper(v_item.value ->> 'status')), 'disabled'),
                    upper(v_item.value ->> 'status'), private.clock())
                returning id into v_id;
            end if;
            perform private.take_over_template(v_id, v_item.value, p_asked_at);
            v_changed := v_changed || v_id;
        end if;
    end loop;
    if p_is_complete then
        with gone as (
            update public.templates t set deleted_at = private.clock(), status = 'disabled', meta_status = 'DELETED', updated_at = clock_timestamp()
            where t.id in (
                select o.id from public.templates o
                where o.org_id = p_org_id and o.waba_id = p_waba_id and o.deleted_at is null and o.status <> 'draft' and o.wa_template_id is not null
                    -- What Meta took while the list was fetched may have come too late for it.
                    and coalesce(o.submitted_at <= p_asked_at, true) and coalesce(o.synced_at <= p_asked_at, true)
                    and not exists (select from private.template_work w where w.template_id = o.id)
                    and not exists (select from jsonb_array_elements(p_templates) x where x.value ->> 'id' = o.wa_template_id))
            returning t.id
        )
        select v_changed || coalesce(array_agg(g.id), '{}') into v_changed from gone g;
    end if;
    if p_is_complete or jsonb_array_length(p_templates) > 0 then
        update private.template_syncs s set listed_as_of = p_asked_at,
            -- Asked again since: that one is still to come.
            synced_at = case when p_is_complete and p_asked_at >= s.claimed_at then private.clock() else s.synced_at end
        where s.org_id = p_org_id and s.waba_id = p_waba_id;
    end if;
    if cardinality(v_changed) > 0 then
        perform private.broadcast_templates(p_org_id, v_changed);
    end if;
end
$_$;

COMMENT ON FUNCTION worker.apply_template_list(p_org_id uuid, p_waba_id text, p_templates jsonb, p_is_complete boolean, p_asked_at timestamp with time zone) IS 'Items of GET /{waba}/message_templates with id, name, language, status, category, components, parameter_format, quality_score, rejected_reason, correct_category. p_is_complete: what is not among them is gone.';

CREATE FUNCTION worker.apply_user_preferences(p_events jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
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
$_$;

COMMENT ON FUNCTION worker.apply_user_preferences(p_events jsonb) IS '[{webhook_event_id, phone_number_id, wa_id, user_id, category, value stop|resume, occurred_at}]: who stopped our marketing inside WhatsApp opts out, who resumes it has the consent back that the stop took.';

CREATE FUNCTION worker.blank_webhooks(p_job_id uuid, p_limit integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION worker.blank_webhooks(p_job_id uuid, p_limit integer) IS 'A slice of the background part of an erasure. true: done; false: call again; null: nothing to do.';

CREATE FUNCTION worker.claim_account_checks(p_limit integer) RETURNS TABLE(whatsapp_account_id uuid, secret_id uuid, waba_id text, phone_number_id text, access_token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
    return query
    with due as (
        select c.whatsapp_account_id from private.whatsapp_credentials c
        where c.checked_at is null and c.check_after <= private.clock()
        order by c.check_after limit p_limit for update skip locked
    ), claimed as (
        -- Pushing check_after ahead is the lease: a worker that dies loses nothing but this minute.
        update private.whatsapp_credentials c
        set check_attempts = c.check_attempts + 1,
            check_after = private.clock() + least(interval '1 minute' * power(2, least(c.check_attempts, 6)), interval '1 hour')
        from due where c.whatsapp_account_id = due.whatsapp_account_id
        returning c.whatsapp_account_id, c.secret_id, c.waba_id
    )
    select a.id, claimed.secret_id, claimed.waba_id, a.phone_number_id, s.decrypted_secret
    from claimed
    join public.whatsapp_accounts a on a.id = claimed.whatsapp_account_id
    join vault.decrypted_secrets s on s.id = claimed.secret_id;
end
$$;

CREATE FUNCTION worker.claim_jobs(p_holder uuid, p_lock_key integer, p_seconds integer, p_limit integer, p_kinds text[]) RETURNS TABLE(job_id uuid, org_id uuid, kind text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
declare
    v_job public.jobs;
begin
    for v_job in
        select j.* from public.jobs j
        where j.status in ('queued', 'running') and j.kind = any (p_kinds) and not exists (
            select from private.job_leases l
            where l.job_id = j.id and l.lease_until >= clock_timestamp() and private.is_session_alive(l.lock_key))
        -- One organisation's long jobs must not keep the others waiting.
        order by (select count(*) from public.jobs r where r.org_id = j.org_id and r.status = 'running' and r.id <> j.id), j.created_at
        limit p_limit for no key update of j skip locked
    loop
        insert into private.job_leases as l (job_id, holder, lock_key, lease_until)
        values (v_job.id, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (job_id) do update set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until;
        update public.jobs j set status = 'running', started_at = coalesce(j.started_at, private.clock())
        where j.id = v_job.id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        job_id := v_job.id;
        org_id := v_job.org_id;
        kind := v_job.kind;
        return next;
    end loop;
end
$$;

CREATE FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer DEFAULT 2) RETURNS TABLE(message_id uuid, send_try integer, attempt integer, recipient_phone text, recipient_bsuid text, type text, body text, payload jsonb, reply_to text, queued_at timestamp with time zone, lane integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_refused jsonb;
    v_claimed uuid[];
begin
    -- Taking the lease's row in share mode keeps a takeover waiting until this claim is on record.
    perform from private.phone_leases l
    where l.whatsapp_account_id = p_account_id and l.holder = p_holder and l.lease_until > clock_timestamp() for share;
    if not found then
        return;
    end if;
    select array_agg(c.message_id) filter (where c.refusal is null),
        jsonb_agg(jsonb_build_object('message_id', c.message_id, 'error_code', c.refusal)) filter (where c.refusal is not null)
    into v_claimed, v_refused from private.lock_next_sends(p_account_id, p_limit, p_most_lane, private.clock()) c;
    update private.outbox o set state = 'sending', holder = p_holder, intent_at = clock_timestamp(), attempt = o.attempt + 1
    where o.message_id = any (v_claimed);
    if v_refused is not null then
        with free as (
            select m.id from public.messages m
            where m.id in (select r.message_id from jsonb_to_recordset(v_refused) as r (message_id uuid))
            for no key update skip locked
        )
        select jsonb_agg(r.value) into v_refused
        from jsonb_array_elements(v_refused) r join free f on f.id = (r.value ->> 'message_id')::uuid;
    end if;
    if v_refused is not null then
        perform private.fail_messages(v_refused);
    end if;
    return query
    select m.id, m.send_try::integer, o.attempt::integer,
        -- The number Meta answered from beats the number somebody typed (reference/whatsapp.md §2.2).
        coalesce('+' || p.wa_id, p.phone), p.bsuid, m.type, m.body, m.payload, m.reply_to_wa_message_id, m.created_at, o.lane::integer
    from private.outbox o
    join public.messages m on m.id = o.message_id
    join public.contacts p on p.org_id = m.org_id and p.id = m.contact_id
    where o.message_id = any (v_claimed) order by o.lane, o.seq;
end
$$;

COMMENT ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer) IS 'Hands out messages and records the intent in the same commit, of lanes up to p_most_lane. Refused ones are failed with their code and not returned.';

CREATE FUNCTION worker.claim_template_work(p_limit integer) RETURNS TABLE(template_id uuid, action text, waba_id text, access_token text, wa_template_id text, payload jsonb, attempt integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
    perform private.fold_template_counts();
    return query
    with due as (
        select w.template_id from private.template_work w
        join public.templates t on t.id = w.template_id
        where w.run_after <= private.clock()
            and exists (select from public.whatsapp_accounts a join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
                where a.org_id = t.org_id and a.waba_id = t.waba_id and a.status = 'connected')
        order by w.run_after, w.template_id limit p_limit for update of w skip locked
    ), claimed as (
        -- Pushing run_after ahead is the lease: a worker that dies loses nothing but these minutes. The largest file takes Meta a while.
        update private.template_work w set attempt = w.attempt + 1, run_after = private.clock() + interval '5 minutes'
        from due where w.template_id = due.template_id
        returning w.template_id, w.action, w.handles, w.before, w.attempt
    )
    select t.id, v.action, t.waba_id, private.waba_token(t.org_id, t.waba_id), t.wa_template_id,
        case v.action
            when 'upload' then jsonb_build_object('files', f.missing)
            when 'submit' then jsonb_build_object('name', t.name, 'language', t.language, 'category', upper(t.category),
                'parameter_format', t.parameter_format, 'components', private.components_for_meta(t.components, c.handles))
            when 'edit' then jsonb_build_object('components', private.components_for_meta(t.components, c.handles),
                -- A rejected one's row had the new category before it was submitted again.
                'category', case when c.before ->> 'status' = 'rejected' or t.category <> c.before ->> 'category' then upper(t.category) end)
            else jsonb_build_object('name', t.name, 'language', t.language)
        end, c.attempt
    from claimed c
    join public.templates t on t.id = c.template_id
    cross join lateral (
        select coalesce(jsonb_agg(x.value), '[]') as missing from jsonb_array_elements(private.template_files(t.components)) x
        where c.action in ('submit', 'edit') and not c.handles ? (x.value ->> 'path')
    ) f
    cross join lateral (select case when f.missing <> '[]' then 'upload' else c.action end as action) v;
end
$$;

COMMENT ON FUNCTION worker.claim_template_work(p_limit integer) IS 'What to ask of Meta. payload of upload: {files: [{path, mime}]}; submit: Meta''s body of a creation; edit: {components, category or null}; delete: {name, language}.';

CREATE FUNCTION worker.claim_webhooks(p_limit integer) RETURNS TABLE(id bigint, body bytea)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select e.id, e.body from private.webhook_events e
    where e.state = 'received' order by e.id limit p_limit for update skip locked
$$;

CREATE FUNCTION worker.conversion_secret(p_org_id uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select d.decrypted_secret
    from private.conversion_secrets s
    join public.organizations o on o.id = s.org_id and o.deleted_at is null
    join vault.decrypted_secrets d on d.id = s.secret_id
    where s.org_id = p_org_id
$$;

CREATE FUNCTION worker.expired_files(p_limit integer) RETURNS TABLE(bucket text, path text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select o.bucket_id, o.name from storage.objects o
    where o.bucket_id in ('imports', 'exports') and o.created_at < private.clock() - interval '7 days'
        and not exists (
            select from public.jobs j
            where o.bucket_id = 'imports' and j.input ->> 'path' = o.name and j.status in ('queued', 'running', 'waiting'))
    order by o.created_at
    limit p_limit
$$;

CREATE FUNCTION worker.export_page(p_job_id uuid, p_holder uuid, p_after integer, p_limit integer) RETURNS TABLE(last_position integer, cells text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_zone text;
begin
    if v_job.id is null then
        return;
    end if;
    select o.time_zone into v_zone from public.organizations o where o.id = v_job.org_id;
    if v_job.input ? 'campaign_id' then
        return query
        select i.position, r.cells
        from (
            select x.position, x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit
        ) i
        left join private.recipient_cells((v_job.input ->> 'campaign_id')::uuid, array(
            select x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit), v_zone) r on r.contact_id = i.contact_id
        order by i.position;
        update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        return;
    end if;
    return query
    with page as (
        select i.position, i.contact_id from private.job_items i
        where i.job_id = p_job_id and i.position > p_after order by i.position limit p_limit
    ), fields as (
        select d.key, d.type, row_number() over (order by d.position, d.key) as number
        from public.custom_field_definitions d where d.org_id = v_job.org_id and d.archived_at is null
    )
    select p.position, case when c.id is not null then array[
            coalesce(c.phone, ''), coalesce(c.full_name, ''), coalesce(c.email, ''), coalesce(c.company, ''), coalesce(c.job_title, ''),
            coalesce(c.address ->> 'street', ''), coalesce(c.address ->> 'city', ''), coalesce(c.address ->> 'state', ''),
            coalesce(c.address ->> 'country', ''), coalesce(c.address ->> 'zip', ''), coalesce(c.birthday::text, ''), c.lifecycle_stage,
            coalesce(c.notes, ''), coalesce(t.names, ''), c.opt_in_status, coalesce(to_char(c.opt_in_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            coalesce(c.opt_in_source, ''), c.source, coalesce(c.username, ''),
            coalesce(to_char(c.last_message_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            to_char(c.created_at at time zone v_zone, 'YYYY-MM-DD HH24:MI')]
        || array(select private.export_value(f.type, c.custom_fields -> f.key) from fields f order by f.number) end
    from page p
    left join public.contacts c on c.id = p.contact_id and c.org_id = v_job.org_id and c.erased_at is null
    left join lateral (
        select string_agg(k.name, ', ' order by lower(k.name)) as names
        from public.contact_tags ct join public.tags k on k.org_id = ct.org_id and k.id = ct.tag_id
        where ct.org_id = v_job.org_id and ct.contact_id = c.id
    ) t on true
    order by p.position;
    update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
end
$$;

CREATE FUNCTION worker.extend_jobs(p_holder uuid, p_job_ids uuid[], p_seconds integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update private.job_leases set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    where job_id = any (p_job_ids) and holder = p_holder
$$;

CREATE FUNCTION worker.fail_job(p_job_id uuid, p_holder uuid, p_problem text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'failed', p_problem => left(p_problem, 500));
    end if;
end
$$;

CREATE FUNCTION worker.feed_campaigns(p_limit_per_number integer) RETURNS TABLE(whatsapp_account_id uuid, queued integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '200ms'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
declare
    v_account public.whatsapp_accounts;
    v_total integer := 0;
begin
    for v_account in
        select a.* from public.whatsapp_accounts a
        where exists (select from public.campaigns c where c.whatsapp_account_id = a.id and c.status = 'sending') order by a.id
    loop
        whatsapp_account_id := v_account.id;
        queued := 0;
        if pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('octopush feeds ' || v_account.id, 0)) then
            -- The fault of one number, or a thread that somebody else made at this moment, must not stop the others.
            begin
                queued := private.feed_number(v_account, p_limit_per_number);
            exception when others then
                queued := 0;
                raise warning 'feeding number %: error %', v_account.id, sqlstate;
            end;
        end if;
        v_total := v_total + queued;
        return next;
    end loop;
    if v_total > 0 then
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
end
$$;

COMMENT ON FUNCTION worker.feed_campaigns(p_limit_per_number integer) IS 'Fills the outbox of every number that has a campaign sending, up to a second''s worth of its rate; one row a number, 0 when there was nothing to add or another worker is at it.';

CREATE FUNCTION worker.finish_export(p_job_id uuid, p_holder uuid, p_path text, p_rows integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', jsonb_build_object('path', p_path, 'rows', p_rows));
    end if;
end
$$;

CREATE FUNCTION worker.finish_import(p_job_id uuid, p_holder uuid, p_errors_path text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', private.import_result(p_job_id, p_errors_path));
    end if;
end
$$;

CREATE FUNCTION worker.finish_webhooks(p_ids bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update private.webhook_events set state = 'applied', applied_at = clock_timestamp(), problem = null where id = any (p_ids)
$$;

CREATE FUNCTION worker.fold_sent_messages(p_limit integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    AS $$
    with lines as materialized (
        select x.contact_id from private.sent_messages x order by x.id limit p_limit
    ), waiting as materialized (
        select distinct l.contact_id from lines l
    ), free as materialized (
        select c.id from public.contacts c where c.id in (select w.contact_id from waiting w) order by c.id for no key update skip locked
    ), taken as (
        delete from private.sent_messages w
        where w.contact_id = any (array(
            select f.id from free f
            union all
            -- Gone with its organisation.
            select x.contact_id from waiting x where not exists (select from public.contacts c where c.id = x.contact_id)))
        returning w.contact_id, w.sent, w.last_at
    ), folded as (
        -- What was taken back before it was sent was no last message.
        select t.contact_id, sum(t.sent)::integer as sent, case when sum(t.sent) > 0 then max(t.last_at) end as last_at
        from taken t group by t.contact_id
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from folded f where c.id = f.contact_id
    )
    -- Those that others hold count as looked at: one of them among the first must not end the sweep, all of them must.
    select case when exists (select from taken) then (select count(*)::integer from lines) else 0 end
$$;

COMMENT ON FUNCTION worker.fold_sent_messages(p_limit integer) IS 'Counts about p_limit messages that wait. Fewer than p_limit: that was all for now.';

CREATE FUNCTION worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    AS $$
declare
    v_now timestamptz := private.clock();
    -- Visitors that nothing is known of count as one.
    v_visitor bytea := coalesce(nullif(p_visitor, ''), '\x00');
    v_link record;
begin
    select l.token, l.org_id, l.campaign_id, l.contact_id, l.variant, l.button, l.destination, l.clicked_at, exists (
        select from private.link_clicks k
        where k.token = l.token and k.visitor = v_visitor and k.is_bot = p_is_bot and k.last_at > v_now - interval '10 minutes') as is_repeated
    into v_link
    from private.links l join public.organizations o on o.id = l.org_id and o.deleted_at is null
    where l.token = p_token;
    if not found then
        return null;
    end if;
    if v_link.contact_id is not null and not v_link.is_repeated then
        -- One person's link has a few visitors. Whoever asks under ever new names fills no disk: beyond a thousand they count as one.
        if (select count(*) from (select from private.link_clicks k where k.token = v_link.token limit 1000) x) = 1000 then
            v_visitor := '';
        end if;
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
        values (v_link.token, v_visitor, p_is_bot, v_link.org_id, v_link.campaign_id, v_link.variant, v_link.button, v_now, v_now)
        on conflict (token, visitor, is_bot) do update set clicks = k.clicks + 1, last_at = excluded.last_at
        where k.last_at <= excluded.last_at - interval '10 minutes';
        if not p_is_bot and v_link.clicked_at is null then
            perform private.mark_clicked(p_token, v_now);
        end if;
    end if;
    -- A shop that wants to tell us of a conversion gets the token where its address asks for it.
    return replace(v_link.destination, '{token}', v_link.token);
end
$$;

COMMENT ON FUNCTION worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea) IS 'Records the click and says where the link leads; null for a token there is not. p_visitor: at most 64 bytes that tell visitors apart.';

CREATE FUNCTION worker.import_batch(p_job_id uuid, p_holder uuid, p_from bigint, p_to bigint, p_lines jsonb, p_total integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_file private.import_files;
    v_lines private.import_line[];
    v_refused private.import_line[];
    v_known private.import_line[];
    v_known_ids uuid[];
    v_settled bigint[];
    v_is_update boolean;
    v_created integer := 0;
    v_later integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select f.* into v_file from private.import_files f where f.job_id = p_job_id for no key update;
    if v_file.line <> p_from then
        return v_file.line;
    end if;
    v_is_update := v_file.spec ->> 'duplicates' = 'update';
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush imports of ' || v_job.org_id, 0));
    v_lines := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is null);
    v_refused := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is not null);
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, v_refused);

    perform private.import_tags(v_job.org_id, v_lines);
    v_refused := array(
        select l from unnest(v_lines) l where l.tags is not null and exists (
            select from unnest(l.tags) t where not exists (select from public.tags k where k.org_id = v_job.org_id and lower(k.name) = lower(t))));
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
        'The organisation has 50 tags already, the most it can have; a tag of this line is not among them.'));
    v_lines := private.without_lines(v_lines, array(select l.line from unnest(v_refused) l));

    -- Once as a rule; again for those whom somebody else created between the look and the insert.
    for v_round in 1..5 loop
        exit when v_lines = '{}';
        if v_is_update then
            perform c.id from public.contacts c
            where c.org_id = v_job.org_id and c.id in (select m.contact_id from private.match_import_lines(v_job.org_id, v_lines) m)
            order by c.id for no key update;
        end if;
        select array_agg(l) filter (where not m.is_trashed), array_agg(m.contact_id) filter (where not m.is_trashed),
            array_agg(l) filter (where m.is_trashed), array_agg(m.line)
        into v_known, v_known_ids, v_refused, v_settled
        from private.match_import_lines(v_job.org_id, v_lines) m join unnest(v_lines) l on l.line = m.line;
        v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
            'A contact with this number is in the trash: restore it there, or erase it first.'));
        if v_known is not null then
            v_later := private.count_lines(v_known);
            if v_is_update then
                perform private.update_imported(v_job, v_file.spec, v_known_ids, v_known);
                v_file.updated := v_file.updated + v_later;
            else
                v_file.skipped := v_file.skipped + v_later;
            end if;
        end if;
        v_lines := private.without_lines(v_lines, v_settled);
        v_settled := private.create_imported(v_job, v_file.spec, v_lines);
        v_created := cardinality(v_settled);
        v_file.created := v_file.created + v_created;
        v_later := private.count_lines(array(select l from unnest(v_lines) l where l.line = any (v_settled))) - v_created;
        v_file.updated := v_file.updated + case when v_is_update then v_later else 0 end;
        v_file.skipped := v_file.skipped + case when v_is_update then 0 else v_later end;
        v_lines := private.without_lines(v_lines, v_settled);
    end loop;
    if v_lines <> '{}' then
        -- Retried as a whole.
        raise exception sqlstate '40001' using message = 'contacts of an import keep being created by somebody else';
    end if;

    update private.import_files f set
        line = p_to, created = v_file.created, updated = v_file.updated, skipped = v_file.skipped, failed = v_file.failed
    where f.job_id = p_job_id;
    update public.jobs j set
        done_count = v_file.created + v_file.updated + v_file.skipped + v_file.failed,
        total_count = greatest(p_total, v_file.created + v_file.updated + v_file.skipped + v_file.failed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    perform private.broadcast('org:' || v_job.org_id, 'contacts', '{"all": true}');
    return p_to;
end
$$;

CREATE FUNCTION worker.import_errors(p_job_id uuid, p_holder uuid, p_after bigint, p_limit integer) RETURNS TABLE(line bigint, cells text[], reason text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select r.line, r.cells, r.reason
    from private.held_job(p_job_id, p_holder) h
    join private.import_rows r on r.job_id = h.id
    where r.line > p_after
    order by r.line
    limit p_limit
$$;

CREATE FUNCTION worker.import_state(p_job_id uuid, p_holder uuid) RETURNS TABLE(path text, file_name text, spec jsonb, line bigint, is_read boolean)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select j.input ->> 'path', j.input ->> 'file_name', f.spec, coalesce(f.line, 0), coalesce(f.is_read, false)
    from private.held_job(p_job_id, p_holder) h
    join public.jobs j on j.id = h.id
    left join private.import_files f on f.job_id = j.id
$$;

CREATE FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) RETURNS TABLE(whatsapp_account_id uuid, phone_number_id text, access_token text, credential_id uuid, messages_per_second integer, ready integer, next_ready_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
declare
    v_account uuid;
    -- A constant, so that the backlog is looked at by index: this runs at every wake-up, however much waits.
    v_now timestamptz := clock_timestamp();
begin
    -- Queued while the number was being disconnected: nobody will ever lease it for these.
    for v_account in
        select a.id from public.whatsapp_accounts a
        where a.status = 'disconnected' and exists (select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready')
    loop
        perform private.fail_outbox(v_account, 'WA_006');
    end loop;
    for v_account in
        select a.id from public.whatsapp_accounts a
        left join private.phone_leases l on l.whatsapp_account_id = a.id
        -- What a dead holder was sending must become uncertain even when the number is no longer connected.
        where exists (
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'sending'
                union all
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready' and a.status = 'connected')
            and (l.holder is null or l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key))
            -- An extension is due at half time; before that there is nothing to write.
            and (l.holder is distinct from p_holder or l.lease_until < clock_timestamp() + make_interval(secs => p_seconds / 2.0))
        order by a.id
    loop
        insert into private.phone_leases as l (whatsapp_account_id, holder, lock_key, lease_until)
        values (v_account, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (whatsapp_account_id) do update
        set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until
        where l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key);
        if found then
            perform private.settle_abandoned_sends(v_account, p_holder);
        end if;
    end loop;
    return query
    select a.id, a.phone_number_id, s.decrypted_secret, c.secret_id, a.messages_per_second, r.ready::integer, r.next_ready_at
    from private.phone_leases l
    join public.whatsapp_accounts a on a.id = l.whatsapp_account_id and a.status = 'connected'
    join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
    join vault.decrypted_secrets s on s.id = c.secret_id
    cross join lateral (
        -- Apart, so that rows waiting for a retry never hide those behind them that are ready.
        select (
            select count(*) from (
                select from private.outbox o
                where o.whatsapp_account_id = a.id and o.state = 'ready' and o.ready_at <= v_now and coalesce(a.paused_until <= v_now, true)
                limit p_ready_cap
            ) x
        ) as ready, case when a.paused_until > v_now then a.paused_until else (
            select min(o.ready_at) from private.outbox o
            where o.whatsapp_account_id = a.id and o.state = 'ready' and o.attempt > 0 and o.ready_at > v_now
        ) end as next_ready_at
    ) r
    where l.holder = p_holder and l.lease_until > clock_timestamp() and r.ready + coalesce(extract(epoch from r.next_ready_at), 0) > 0;
end
$$;

COMMENT ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) IS 'Takes and extends the leases of numbers that have something to send; returns those held, with how many messages are ready (at most p_ready_cap).';

CREATE FUNCTION worker.maintain_segments(p_limit integer) RETURNS TABLE(handled integer, more boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_ids uuid[] := array(select private.waiting_segment_orgs(private.clock()));
    v_org_id uuid;
begin
    handled := 0;
    foreach v_org_id in array v_org_ids loop
        -- Whoever holds it does the same work, or changes segments and will be a moment.
        continue when not pg_catalog.pg_try_advisory_xact_lock(private.segment_lock_key(v_org_id));
        begin
            handled := private.maintain_segments_of(v_org_id, p_limit);
        exception when others then
            -- An organisation whose segments fail, whatever the reason, must not keep all others waiting: its changes stay in the queue, and
            -- it comes last from now on. Without the message, which may quote a contact.
            raise warning 'segments of organization %: error %', v_org_id, sqlstate;
            update private.segment_clocks k set served_at = clock_timestamp() where k.org_id = v_org_id;
            continue;
        end;
        more := cardinality(v_org_ids) > 1 or handled >= p_limit or private.next_rebuild(v_org_id) is not null;
        return next;
        return;
    end loop;
    more := false;
    return next;
end
$$;

COMMENT ON FUNCTION worker.maintain_segments(p_limit integer) IS 'Judges up to p_limit changes of one organisation; more: call again at once.';

CREATE FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update public.whatsapp_accounts set paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => p_seconds))
    where id = p_account_id
$$;

CREATE FUNCTION worker.purge(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_total integer := 0;
    v_count integer;
begin
    -- Retention: webhooks 90 days, activity and read notifications a year (PRD §18); a status nobody claimed in a day belongs to another app.
    delete from private.webhook_events where id in (
        select e.id from private.webhook_events e where e.received_at < private.clock() - interval '90 days' and e.state <> 'received' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from private.parked_statuses where id in (
        select s.id from private.parked_statuses s where s.created_at < private.clock() - interval '1 day' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.activity_log where id in (
        select l.id from public.activity_log l where l.created_at < private.clock() - interval '1 year' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.notifications where id in (
        select n.id from public.notifications n where n.created_at < private.clock() - interval '1 year' and n.read_at is not null limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count + worker.purge_segment_events(p_limit) + worker.purge_link_clicks(p_limit);
    return v_total;
end
$$;

CREATE FUNCTION worker.purge_jobs(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs;
    v_count integer := 0;
begin
    -- Somebody closed the window while an import waited for its mapping: it would count among the five for ever.
    for v_job in
        select j.* from public.jobs j
        where j.status = 'waiting' and j.created_at < private.clock() - interval '1 day'
        order by j.created_at limit p_limit for no key update skip locked
    loop
        perform private.finish_job(v_job.id, 'cancelled');
        v_count := v_count + 1;
    end loop;
    with expired as (
        delete from public.jobs where id in (
            select j.id from public.jobs j
            where j.expires_at < private.clock() and j.status in ('done', 'failed', 'cancelled')
            order by j.expires_at limit p_limit for update skip locked)
        returning 1
    )
    select v_count + count(*)::integer into v_count from expired;
    return v_count;
end
$$;

CREATE FUNCTION worker.purge_link_clicks(p_limit integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    -- 90 days, as raw webhooks.
    select private.forget_visitors(array(
        select k.token from private.link_clicks k
        where k.last_at < private.clock() - interval '90 days' and k.visitor <> '' order by k.last_at limit p_limit
    ), private.clock() - interval '90 days', p_limit)
$$;

CREATE FUNCTION worker.purge_segment_events(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_count integer;
begin
    delete from private.segment_events where id in (
        select e.id from private.segment_events e where e.created_at < private.clock() - interval '30 days' order by e.id limit p_limit);
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

CREATE FUNCTION worker.queue_figures() RETURNS TABLE(webhooks_waiting bigint, webhooks_oldest_seconds double precision, webhooks_rejected bigint, sends_waiting bigint, sends_oldest_seconds double precision, sends_uncertain bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select
        (select count(*) from (select from private.webhook_events where state = 'received' limit 100000) x),
        (select coalesce(extract(epoch from clock_timestamp() - e.received_at), 0)::double precision
            from (select min(id) as id from private.webhook_events where state = 'received') o left join private.webhook_events e on e.id = o.id),
        (select count(*) from (select from private.webhook_events where state = 'rejected' limit 100000) x),
        (select count(*) from private.outbox),
        (select coalesce(extract(epoch from clock_timestamp() - min(o.ready_at)), 0)::double precision
            from private.outbox o where o.state = 'ready' and o.ready_at <= clock_timestamp()),
        (select count(*) from public.messages where is_uncertain)
$$;

CREATE FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_account record;
    v_former uuid;
    v_waba_id text;
    v_reason text := p_outcome ->> 'reason';
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_account_id for no key update;
    if not found or v_account.status = 'disconnected' then
        return;
    end if;
    -- A token replaced since the check began: what is known of the old one says nothing about it.
    select c.waba_id into v_waba_id from private.whatsapp_credentials c
    where c.whatsapp_account_id = p_account_id and c.secret_id = p_secret_id;
    if not found then
        return;
    end if;
    if (p_outcome ->> 'ok')::boolean then
        begin
            -- A number whose token no longer works elsewhere belongs to whoever proves it now.
            for v_former in
                select a.id from public.whatsapp_accounts a
                where a.phone_number_id = v_account.phone_number_id and a.is_receiving and a.status <> 'connected' and a.id <> p_account_id
            loop
                perform private.disconnect_account(v_former);
                update public.whatsapp_accounts set status_reason = 'WA_009' where id = v_former;
            end loop;
            update public.whatsapp_accounts set
                status = 'connected', status_reason = null, waba_id = v_waba_id, connected_at = coalesce(connected_at, now()), updated_at = now(),
                display_phone_number = coalesce(p_outcome ->> 'display_phone_number', display_phone_number),
                verified_name = coalesce(p_outcome ->> 'verified_name', verified_name),
                quality_rating = case when p_outcome ->> 'quality_rating' in ('GREEN', 'YELLOW', 'RED') then p_outcome ->> 'quality_rating' else 'UNKNOWN' end,
                messaging_tier = coalesce(p_outcome ->> 'messaging_tier', messaging_tier),
                business_id = case when p_outcome ->> 'business_id' ~ '^[0-9]{1,32}$' then p_outcome ->> 'business_id' else business_id end,
                messages_per_second = coalesce(least(greatest((p_outcome ->> 'messages_per_second')::integer, 1), 5000), messages_per_second)
            where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        exception when unique_violation then
            update public.whatsapp_accounts set status = 'error', status_reason = 'WA_009', updated_at = now() where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        end;
        perform pg_catalog.pg_notify('octopush_send', '');
    elsif (p_outcome ->> 'final')::boolean then
        update public.whatsapp_accounts set status = 'error', status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
        update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        perform private.notify_members(v_account.org_id, private.members_with(v_account.org_id, 'settings.manage'),
            'whatsapp_account.error', 'high', jsonb_build_object('whatsapp_account_id', p_account_id));
    else
        -- Meta could not be reached: tried again when check_after comes; the reason is shown meanwhile.
        update public.whatsapp_accounts set status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
    end if;
    perform private.broadcast('org:' || v_account.org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$_$;

COMMENT ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) IS 'p_secret_id: the token that was checked. p_outcome: {ok, display_phone_number?, verified_name?, quality_rating?, messaging_tier?, business_id?, messages_per_second?} or {ok: false, final, reason}.';

CREATE FUNCTION worker.record_account_events(p_events jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    -- An item about a WABA concerns every organisation that receives for one of its numbers.
    insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, webhook_event_id, body_hash)
    select a.org_id, a.id, left(coalesce(e.field, ''), 200), coalesce(e.payload, 'null'), e.webhook_event_id, decode(e.body_hash, 'hex')
    from jsonb_to_recordset(p_events) as e (waba_id text, phone_number_id text, field text, payload jsonb, webhook_event_id bigint, body_hash text)
    join lateral (
        select x.org_id, x.id from public.whatsapp_accounts x
        where x.is_receiving
            and case when e.phone_number_id is not null then x.phone_number_id = e.phone_number_id else x.waba_id = e.waba_id end
        limit 100
    ) a on true
    on conflict do nothing
$$;

COMMENT ON FUNCTION worker.record_account_events(p_events jsonb) IS '[{waba_id, phone_number_id?, field, payload, webhook_event_id, body_hash (hex)}]: kept for people to see.';

CREATE FUNCTION worker.record_conversion(p_org_id uuid, p_body jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_fields private.opportunity_fields;
    v_contact public.contacts;
    v_campaign_id uuid;
begin
    v_fields := private.read_opportunity(p_body, array['token', 'phone', 'external_id', 'amount', 'currency', 'occurred_at']);
    if v_fields.problem is not null or v_fields.external_id is null
        or num_nonnulls(nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', '')) <> 1 then
        return 'OPPORTUNITY_002';
    end if;
    if not exists (select from public.organizations o where o.id = p_org_id and o.deleted_at is null) then
        return 'ORG_001';
    end if;
    v_contact := private.converted_contact(p_org_id, nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', ''));
    if v_contact.id is null then
        return case when p_body ? 'token' then 'LINK_001' else 'CONTACT_001' end;
    end if;
    if not private.keep_receipt(p_org_id, v_fields.external_id) then
        return 'CONVERSION_002';
    end if;
    select l.campaign_id into v_campaign_id from private.links l where l.token = p_body ->> 'token' and l.org_id = p_org_id;
    perform private.write_opportunity(v_contact, 'callback', v_campaign_id, v_fields);
    return null;
end
$$;

COMMENT ON FUNCTION worker.record_conversion(p_org_id uuid, p_body jsonb) IS '{"token" | "phone", "external_id", "amount"?, "currency"?, "occurred_at"?} → null, or why not: OPPORTUNITY_002, ORG_001, LINK_001, CONTACT_001, CONVERSION_002 (counted before).';

CREATE FUNCTION worker.record_import_head(p_job_id uuid, p_holder uuid, p_size bigint, p_head bytea, p_sheet_rows jsonb, p_sheet text, p_rows bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_head jsonb;
begin
    if v_job.id is null then
        return;
    end if;
    insert into private.import_files (job_id, size, head, sheet_rows, sheet) values (p_job_id, p_size, p_head, p_sheet_rows, p_sheet)
    on conflict (job_id) do update set size = excluded.size, head = excluded.head, sheet_rows = excluded.sheet_rows, sheet = excluded.sheet;
    v_job.total_count := p_rows::integer;
    v_head := private.import_head(v_job, '{}');
    if v_head ? 'problem' then
        perform private.finish_job(p_job_id, 'failed', p_problem => v_head ->> 'problem');
        return;
    end if;
    update public.jobs j set status = 'waiting', result = v_head - 'cells', total_count = (v_head ->> 'rows_estimate')::bigint
    where j.id = p_job_id returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    perform private.broadcast_job(v_job);
end
$$;

CREATE FUNCTION worker.record_sends(p_results jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
declare
    v_accepted jsonb;
    v_others uuid[];
    v_failures jsonb;
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid))
    order by m.id for no key update;
    perform private.lock_wa_message_ids(array(
        select r.wa_message_id from jsonb_to_recordset(p_results) as r (outcome text, wa_message_id text) where r.outcome = 'accepted'));

    -- What Meta answered is true whoever reports it and however late, even after the lease was lost. Try (a person's) and attempt (ours) keep
    -- a report that comes late or twice from touching a later one.
    with accepted as (
        update public.messages m set wa_message_id = r.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, clock_timestamp()),
            error_code = case when m.status = 'failed' then m.error_code end
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, outcome text, wa_message_id text)
        where r.outcome = 'accepted' and m.id = r.message_id and m.send_try = r.send_try
            and (m.wa_message_id is null or m.wa_message_id = r.wa_message_id)
        returning m.id, m.conversation_id, m.wa_message_id
    ), gone as (
        delete from private.outbox o where o.message_id = any (array(select a.id from accepted a))
    )
    select jsonb_agg(to_jsonb(a)) into v_accepted from accepted a;

    v_others := array(select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid, outcome text) where r.outcome <> 'accepted');
    if cardinality(v_others) > 0 then
        with uncertain as (
            update private.outbox o set state = 'uncertain'
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'uncertain' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state = 'sending'
            returning o.message_id
        ), requeued as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null,
                ready_at = clock_timestamp() + make_interval(secs => r.retry_seconds)
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, retry_seconds double precision)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'retry' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state in ('sending', 'uncertain')
            returning o.message_id
        ), changed as (
            update public.messages m set is_uncertain = x.is_uncertain, error_code = case when x.is_uncertain then 'WA_008' end
            from (select u.message_id, true as is_uncertain from uncertain u union all select q.message_id, false from requeued q) x
            where m.id = x.message_id and m.status = 'pending' and m.wa_message_id is null and (x.is_uncertain or m.is_uncertain)
            returning m.id, m.conversation_id
        )
        select jsonb_agg(to_jsonb(c)) into v_changed from changed c;

        select jsonb_agg(to_jsonb(r)) into v_failures
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, error_code text, error_message text)
        join public.messages m on m.id = r.message_id and m.send_try = r.send_try
        join private.outbox o on o.message_id = r.message_id and o.attempt = r.attempt
        where r.outcome = 'failed' and o.message_id = any (v_others);
        if v_failures is not null then
            perform private.fail_messages(v_failures);
        end if;
    end if;

    v_changed := coalesce(v_accepted, '[]') || coalesce(v_changed, '[]');
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_accepted is not null then
        perform private.use_tier(array(select a.id from jsonb_to_recordset(v_accepted) as a (id uuid)));
        perform private.settle_parked_statuses(v_accepted);
    end if;
    perform private.broadcast_outcomes(v_changed);
end
$$;

COMMENT ON FUNCTION worker.record_sends(p_results jsonb) IS '[{message_id, send_try, attempt, outcome accepted|failed|retry|uncertain, wa_message_id?, error_code?, error_message?, retry_seconds?}].';

CREATE FUNCTION worker.record_template_work(p_results jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_result record;
    v_work private.template_work;
    v_template public.templates;
begin
    -- All of them before anything else that others hold, and in the order of lists and webhooks.
    perform t.id from public.templates t
    where t.id in (select r.template_id from jsonb_to_recordset(p_results) as r (template_id uuid))
    order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update;
    for v_result in
        select r.* from jsonb_to_recordset(p_results) as r (template_id uuid, action text, attempt integer, outcome text, wa_template_id text,
            category text, status text, handles jsonb, error_code text, error_message text, retry_seconds double precision)
    loop
        select t.* into v_template from public.templates t where t.id = v_result.template_id;
        select w.* into v_work from private.template_work w
        where w.template_id = v_result.template_id and w.attempt = v_result.attempt for update;
        continue when not found;
        if v_result.outcome = 'retry' then
            update private.template_work w set run_after = private.clock() + make_interval(secs => coalesce(v_result.retry_seconds, 60))
            where w.template_id = v_work.template_id;
            continue;
        elsif v_result.outcome = 'failed' then
            v_template := private.undo_template_work(v_work, coalesce(v_result.error_message, v_result.error_code, 'WA_001'));
            perform private.tell_of_template(v_template, 'template.failed',
                jsonb_build_object('action', v_work.action, 'code', v_result.error_code));
            -- What Meta said of it meanwhile was not listened to.
            if v_work.action <> 'submit' then
                perform private.request_template_sync(v_template.org_id, v_template.waba_id);
            end if;
        elsif v_result.action = 'upload' then
            -- What comes next is a first try: nothing of it can have happened at Meta.
            update private.template_work w set handles = w.handles || coalesce(v_result.handles, '{}'), run_after = private.clock(), attempt = 0
            where w.template_id = v_work.template_id;
            perform private.wake_template_workers();
            continue;
        elsif v_work.action = 'delete' then
            delete from private.template_work w where w.template_id = v_work.template_id;
            update public.templates t set deleted_at = private.clock(), updated_at = clock_timestamp() where t.id = v_work.template_id;
        else
            delete from private.template_work w where w.template_id = v_work.template_id;
            update public.templates t set wa_template_id = coalesce(v_result.wa_template_id, t.wa_template_id), synced_at = private.clock(),
                updated_at = clock_timestamp()
            where t.id = v_work.template_id;
            if v_result.category is not null then
                perform private.set_meta_category(v_work.template_id, private.category_of_meta(v_result.category), null, null);
            end if;
            -- A webhook may have said how the review went before this answer to the creation was written down.
            if v_result.status is not null and v_template.status = 'pending' then
                perform private.set_meta_status(v_work.template_id, jsonb_build_object('status', v_result.status), null);
            end if;
            if v_work.action = 'edit' then
                perform private.request_template_sync(v_template.org_id, v_template.waba_id);
            end if;
        end if;
        perform private.broadcast_templates(v_template.org_id, array[v_template.id]);
    end loop;
end
$$;

COMMENT ON FUNCTION worker.record_template_work(p_results jsonb) IS '[{template_id, action, attempt, outcome done|failed|retry, wa_template_id?, category?, status?, handles?, error_code?, error_message?, retry_seconds?}]: what Meta answered.';

CREATE FUNCTION worker.reject_webhook(p_id bigint, p_problem text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update private.webhook_events set state = 'rejected', applied_at = clock_timestamp(), attempts = attempts + 1, problem = left(p_problem, 2000)
    where id = p_id
$$;

COMMENT ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) IS 'Kept, not understood: listed by worker.rejected_webhooks, tried again by worker.replay_webhooks.';

CREATE FUNCTION worker.rejected_webhooks(p_limit integer) RETURNS TABLE(id bigint, received_at timestamp with time zone, problem text, bytes integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select e.id, e.received_at, e.problem, length(e.body) from private.webhook_events e
    where e.state = 'rejected' order by e.id desc limit p_limit
$$;

CREATE FUNCTION worker.release_job(p_job_id uuid, p_holder uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ delete from private.job_leases where job_id = p_job_id and holder = p_holder $$;

CREATE FUNCTION worker.release_leases(p_holder uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ delete from private.phone_leases where holder = p_holder $$;

CREATE FUNCTION worker.replay_webhooks(p_ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_count integer;
begin
    -- Safe for applied rows too: applying is idempotent. null: everything that was rejected.
    update private.webhook_events e set state = 'received'
    where case when p_ids is null then e.state = 'rejected' else e.id = any (p_ids) end;
    get diagnostics v_count = row_count;
    perform pg_catalog.pg_notify('octopush_apply', '');
    return v_count;
end
$$;

CREATE FUNCTION worker.start_due_campaigns() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_campaign public.campaigns;
    v_now timestamptz := private.clock();
    v_message text;
    v_state text;
begin
    select c.* into v_campaign from public.campaigns c
    where c.status = 'scheduled' and c.scheduled_at <= v_now order by c.scheduled_at limit 1 for no key update skip locked;
    if not found then
        return 0;
    end if;
    begin
        perform private.require_complete(v_campaign);
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(v_campaign.id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', v_campaign.created_by);
    exception when others then
        get stacked diagnostics v_message = message_text, v_state = returned_sqlstate;
        -- What is no answer to a person is for the worker's log, and is tried again.
        if v_state <> 'PGRST' then
            raise;
        end if;
        update public.campaigns c set status = 'failed', status_reason = v_message::jsonb ->> 'code', finished_at = v_now, updated_at = clock_timestamp()
        where c.id = v_campaign.id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.failed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.failed', 'high');
    end;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return 1;
end
$$;

COMMENT ON FUNCTION worker.start_due_campaigns() IS 'Starts the scheduled campaign that is due longest, or says failed and why; how many it took: call again until none.';

CREATE FUNCTION worker.start_export(p_job_id uuid, p_holder uuid) RETURNS TABLE(header text[], total integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
begin
    if v_job.id is null then
        return;
    end if;
    -- A worker that takes over writes the file again, of the same contacts.
    if v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by r.contact_id), r.contact_id
        from public.campaign_recipients r
        where r.org_id = v_job.org_id and r.campaign_id = (v_job.input ->> 'campaign_id')::uuid;
    end if;
    if not v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by c.id), c.id
        from private.selected_contacts(v_job.org_id, v_job.input -> 'selection') s (id)
        join public.contacts c on c.org_id = v_job.org_id and c.id = s.id
        -- Ids may be of contacts in the trash, which only those may read who asked for the trash.
        where c.deleted_at is null or v_job.input #> '{selection,trash}' = 'true';
    end if;
    update public.jobs j set done_count = 0, total_count = (select count(*) from private.job_items i where i.job_id = p_job_id)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    header := case when v_job.input ? 'campaign_id' then private.recipient_header() else private.export_header(v_job.org_id) end;
    total := v_job.total_count;
    return next;
end
$$;

CREATE FUNCTION worker.store_webhooks(p_bodies bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.webhook_events (body) select b from unnest(p_bodies) b;
    -- Once for the whole batch: NOTIFY serialises commits (reference/model-codebases.md §3.1).
    perform pg_catalog.pg_notify('octopush_apply', '');
end
$$;

COMMENT ON FUNCTION worker.store_webhooks(p_bodies bytea[]) IS 'Keeps raw bodies, many requests in one commit. Called before Meta is answered.';

CREATE FUNCTION worker.suspend_number(p_account_id uuid, p_reason text, p_credential_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    -- The token or the account needs a person. What waits stays in the outbox until the number is connected again.
    update public.whatsapp_accounts set status = 'error', status_reason = left(p_reason, 500), updated_at = now()
    where id = p_account_id and status = 'connected'
        -- A token that was replaced meanwhile may be refused; the new one has been proven.
        and exists (select from private.whatsapp_credentials c where c.whatsapp_account_id = p_account_id and c.secret_id = p_credential_id)
    returning org_id into v_org_id;
    if v_org_id is null then
        return;
    end if;
    perform private.notify_members(v_org_id, private.members_with(v_org_id, 'settings.manage'), 'whatsapp_account.error', 'high',
        jsonb_build_object('whatsapp_account_id', p_account_id));
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

CREATE FUNCTION worker.sweep_windows(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org record;
    v_count integer := 0;
    v_soon record;
begin
    for v_org in
        with closed as (
            update public.conversations c set status = 'expired', updated_at = now()
            where c.id in (
                select x.id from public.conversations x
                where x.status in ('open', 'pending') and x.snoozed_until is null and x.window_expires_at <= private.clock()
                order by x.window_expires_at limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select c.org_id, array_agg(c.id) as ids from closed c group by c.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;

    -- An hour before the end, once for each window, and only where a customer still waits for an answer.
    for v_soon in
        update public.conversations c set window_warned_at = private.clock()
        where c.id in (
            select x.id from public.conversations x
            where x.status in ('open', 'pending') and x.window_expires_at > private.clock()
                and x.window_expires_at <= private.clock() + interval '1 hour'
                and coalesce(x.window_warned_at < x.window_expires_at - interval '24 hours', true)
                and x.last_message_direction = 'inbound'
            order by x.window_expires_at limit p_limit for update skip locked)
        returning c.id, c.org_id, c.contact_id, c.assigned_to, c.window_expires_at
    loop
        perform private.notify_members(v_soon.org_id,
            case when v_soon.assigned_to is null then private.members_with(v_soon.org_id, 'inbox.answer') else array[v_soon.assigned_to] end,
            'conversation.window_closing', 'high', jsonb_build_object('conversation_id', v_soon.id, 'contact_id', v_soon.contact_id,
                'window_expires_at', v_soon.window_expires_at));
    end loop;
    return v_count;
end
$$;

CREATE FUNCTION worker.versions() RETURNS TABLE(extension_version text, schema_version integer, code_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select octopush.version(), (select max(version) from private.schema_migrations), (select hash from private.schema_code)
$$;

CREATE FUNCTION worker.wabas_to_sync(p_limit integer) RETURNS TABLE(org_id uuid, waba_id text, access_token text, asked_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
    return query
    with accounts as (
        select a.org_id, a.waba_id, max(a.connected_at) as connected_at from public.whatsapp_accounts a
        join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
        where a.status = 'connected' group by 1, 2
    ), due as (
        select a.org_id, a.waba_id from accounts a
        left join private.template_syncs s on s.org_id = a.org_id and s.waba_id = a.waba_id
        where s.claimed_at is null or (s.requested_at > s.claimed_at and s.requested_at <= private.clock()) or a.connected_at > s.claimed_at
            or s.claimed_at <= private.clock() - interval '1 hour'
            -- A list that was not finished, and reviews whose end we did not hear of.
            or (s.claimed_at <= private.clock() - interval '10 minutes' and (
                coalesce(s.synced_at < s.claimed_at, true)
                or exists (select from public.templates t where t.org_id = a.org_id and t.waba_id = a.waba_id and t.status = 'pending'
                    and t.deleted_at is null and t.submitted_at <= private.clock() - interval '10 minutes')))
        order by s.requested_at nulls last, s.claimed_at nulls first limit p_limit
    ), claimed as (
        insert into private.template_syncs as s (org_id, waba_id, claimed_at) select d.org_id, d.waba_id, private.clock() from due d
        on conflict (org_id, waba_id) do update set claimed_at = excluded.claimed_at
        -- Another worker has just taken it.
        where s.claimed_at is null or s.claimed_at < excluded.claimed_at - interval '1 second' or s.requested_at > s.claimed_at
        returning s.org_id, s.waba_id, s.claimed_at
    )
    select c.org_id, c.waba_id, private.waba_token(c.org_id, c.waba_id), c.claimed_at from claimed c;
end
$$;

COMMENT ON FUNCTION worker.wabas_to_sync(p_limit integer) IS 'Accounts whose list is to be fetched now: hourly, once connected, on request, and sooner while reviews are open. asked_at is handed back with the list.';

CREATE FUNCTION worker.wake_snoozed(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org record;
    v_count integer := 0;
begin
    for v_org in
        with woken as (
            update public.conversations c set snoozed_until = null, updated_at = now(),
                status = case when c.window_expires_at > private.clock() then 'open' else 'expired' end
            where c.id in (
                select x.id from public.conversations x where x.snoozed_until <= private.clock()
                order by x.snoozed_until limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select w.org_id, array_agg(w.id) as ids from woken w group by w.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;
    return v_count;
end
$$;

CREATE TABLE private.campaign_counts (
    campaign_id uuid NOT NULL,
    variant smallint NOT NULL,
    total bigint DEFAULT 0 NOT NULL,
    excluded bigint DEFAULT 0 NOT NULL,
    held_out bigint DEFAULT 0 NOT NULL,
    waiting bigint DEFAULT 0 NOT NULL,
    queued bigint DEFAULT 0 NOT NULL,
    sent bigint DEFAULT 0 NOT NULL,
    delivered bigint DEFAULT 0 NOT NULL,
    read bigint DEFAULT 0 NOT NULL,
    replied bigint DEFAULT 0 NOT NULL,
    clicked bigint DEFAULT 0 NOT NULL,
    opportunities bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    uncertain bigint DEFAULT 0 NOT NULL,
    held_out_replied bigint DEFAULT 0 NOT NULL,
    held_out_opportunities bigint DEFAULT 0 NOT NULL,
    folded_at timestamp with time zone
)
WITH (fillfactor='50');

COMMENT ON TABLE private.campaign_counts IS 'The ledger counted, by variant; what happened since is in private.campaign_deltas.';

CREATE TABLE private.campaign_deltas (
    id bigint NOT NULL,
    campaign_id uuid NOT NULL,
    variant smallint NOT NULL,
    total integer NOT NULL,
    excluded integer NOT NULL,
    held_out integer NOT NULL,
    waiting integer NOT NULL,
    queued integer NOT NULL,
    sent integer NOT NULL,
    delivered integer NOT NULL,
    read integer NOT NULL,
    replied integer NOT NULL,
    clicked integer NOT NULL,
    opportunities integer NOT NULL,
    failed integer NOT NULL,
    uncertain integer NOT NULL,
    held_out_replied integer NOT NULL,
    held_out_opportunities integer NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='2000');

COMMENT ON TABLE private.campaign_deltas IS 'Changes of counts, one row a statement, campaign and variant; folded every second.';

ALTER TABLE private.campaign_deltas ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.campaign_deltas_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW private.campaign_reactions AS
 SELECT r.org_id,
    r.contact_id,
    r.campaign_id,
    COALESCE(r.delivered_at, r.read_at) AS received_at,
    r.read_at,
    r.replied_at,
    r.clicked_at
   FROM public.campaign_recipients r
  WHERE ((COALESCE(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) IS NOT NULL) AND (r.exclusion_reason IS NULL));

CREATE TABLE private.campaign_reasons (
    id bigint NOT NULL,
    campaign_id uuid NOT NULL,
    is_failure boolean NOT NULL,
    reason text NOT NULL,
    recipients integer NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='2000');

COMMENT ON TABLE private.campaign_reasons IS 'Recipients left out or failed, by reason: appended like the deltas, and folded.';

ALTER TABLE private.campaign_reasons ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.campaign_reasons_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW private.campaign_variant_stats AS
 SELECT x.campaign_id,
    x.variant,
    (sum(x.total))::bigint AS total,
    (sum(x.excluded))::bigint AS excluded,
    (sum(x.held_out))::bigint AS held_out,
    (sum(x.waiting))::bigint AS waiting,
    (sum(x.queued))::bigint AS queued,
    (sum(x.sent))::bigint AS sent,
    (sum(x.delivered))::bigint AS delivered,
    (sum(x.read))::bigint AS read,
    (sum(x.replied))::bigint AS replied,
    (sum(x.clicked))::bigint AS clicked,
    (sum(x.opportunities))::bigint AS opportunities,
    (sum(x.failed))::bigint AS failed,
    (sum(x.uncertain))::bigint AS uncertain,
    (sum(x.held_out_replied))::bigint AS held_out_replied,
    (sum(x.held_out_opportunities))::bigint AS held_out_opportunities
   FROM ( SELECT k.campaign_id,
            k.variant,
            k.total,
            k.excluded,
            k.held_out,
            k.waiting,
            k.queued,
            k.sent,
            k.delivered,
            k.read,
            k.replied,
            k.clicked,
            k.opportunities,
            k.failed,
            k.uncertain,
            k.held_out_replied,
            k.held_out_opportunities
           FROM private.campaign_counts k
        UNION ALL
         SELECT d.campaign_id,
            d.variant,
            d.total,
            d.excluded,
            d.held_out,
            d.waiting,
            d.queued,
            d.sent,
            d.delivered,
            d.read,
            d.replied,
            d.clicked,
            d.opportunities,
            d.failed,
            d.uncertain,
            d.held_out_replied,
            d.held_out_opportunities
           FROM private.campaign_deltas d) x
  GROUP BY x.campaign_id, x.variant;

CREATE VIEW private.campaign_stats AS
 SELECT c.id AS campaign_id,
    c.org_id,
    (COALESCE(sum(v.total), (0)::numeric))::bigint AS total,
    (COALESCE(sum(v.excluded), (0)::numeric))::bigint AS excluded,
    (COALESCE(sum(v.held_out), (0)::numeric))::bigint AS held_out,
    (COALESCE(sum(v.waiting), (0)::numeric))::bigint AS waiting,
    (COALESCE(sum(v.queued), (0)::numeric))::bigint AS queued,
    (COALESCE(sum(v.sent), (0)::numeric))::bigint AS sent,
    (COALESCE(sum(v.delivered), (0)::numeric))::bigint AS delivered,
    (COALESCE(sum(v.read), (0)::numeric))::bigint AS read,
    (COALESCE(sum(v.replied), (0)::numeric))::bigint AS replied,
    (COALESCE(sum(v.clicked), (0)::numeric))::bigint AS clicked,
    (COALESCE(sum(v.opportunities), (0)::numeric))::bigint AS opportunities,
    (COALESCE(sum(v.failed), (0)::numeric))::bigint AS failed,
    (COALESCE(sum(v.uncertain), (0)::numeric))::bigint AS uncertain,
    (COALESCE(sum(v.held_out_replied), (0)::numeric))::bigint AS held_out_replied,
    (COALESCE(sum(v.held_out_opportunities), (0)::numeric))::bigint AS held_out_opportunities
   FROM (public.campaigns c
     LEFT JOIN private.campaign_variant_stats v ON ((v.campaign_id = c.id)))
  GROUP BY c.id, c.org_id;

CREATE TABLE private.contact_changes (
    id bigint NOT NULL,
    org_id uuid NOT NULL,
    contact_id uuid,
    is_time boolean DEFAULT false NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_insert_scale_factor='0.5');

COMMENT ON TABLE private.contact_changes IS 'Contacts whose place in segments may have changed. Appended in the transaction of the change, taken away in that of the members.';

ALTER TABLE private.contact_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.contact_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.contact_search (
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    search_text text NOT NULL COLLATE pg_catalog."C"
);

COMMENT ON TABLE private.contact_search IS 'Kept by triggers on contacts (sql/code/30_contacts/40_search.sql).';

CREATE TABLE private.conversion_receipts (
    org_id uuid NOT NULL,
    external_hash bytea NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE private.conversion_receipts IS 'External ids that were counted: the same one again is a replay.';

CREATE TABLE private.conversion_secrets (
    org_id uuid NOT NULL,
    secret_id uuid NOT NULL,
    rotated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE private.conversion_secrets IS 'Which Vault secret signs an organisation''s conversion callbacks.';

CREATE TABLE private.erasures (
    job_id uuid NOT NULL,
    org_id uuid NOT NULL,
    needles text[] NOT NULL,
    done_id bigint NOT NULL,
    last_id bigint NOT NULL,
    blanked integer DEFAULT 0 NOT NULL
);

COMMENT ON TABLE private.erasures IS 'What the background part of an erasure still looks for; worker.blank_webhooks works it off.';

CREATE VIEW private.flow_runs AS
 SELECT NULL::uuid AS org_id,
    NULL::uuid AS contact_id,
    NULL::uuid AS flow_id,
    NULL::text AS status
  WHERE false;

COMMENT ON VIEW private.flow_runs IS 'status: in_progress or completed.';

CREATE TABLE private.import_files (
    job_id uuid NOT NULL,
    size bigint NOT NULL,
    head bytea,
    sheet_rows jsonb,
    sheet text,
    spec jsonb,
    line bigint DEFAULT 0 NOT NULL,
    is_read boolean DEFAULT false NOT NULL,
    created integer DEFAULT 0 NOT NULL,
    updated integer DEFAULT 0 NOT NULL,
    skipped integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    CONSTRAINT import_files__source__check CHECK ((num_nonnulls(head, sheet_rows) = 1))
);

COMMENT ON TABLE private.import_files IS 'What an import knows of its file, and how far it is.';

CREATE TABLE private.import_rows (
    job_id uuid NOT NULL,
    line bigint NOT NULL,
    cells text[] NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT import_rows_outcome_check CHECK ((outcome = 'failed'::text))
);

COMMENT ON TABLE private.import_rows IS 'Lines of a file that were refused, as they were, with the reason; the error file is made from these.';

CREATE TABLE private.job_items (
    job_id uuid NOT NULL,
    "position" integer NOT NULL,
    contact_id uuid NOT NULL
);

COMMENT ON TABLE private.job_items IS 'The contacts of an export or a bulk change as they were chosen, in order.';

CREATE TABLE private.job_leases (
    job_id uuid NOT NULL,
    holder uuid NOT NULL,
    lock_key integer NOT NULL,
    lease_until timestamp with time zone NOT NULL
);

CREATE TABLE private.link_clicks (
    token text NOT NULL COLLATE pg_catalog."C",
    visitor bytea NOT NULL,
    is_bot boolean NOT NULL,
    org_id uuid NOT NULL,
    campaign_id uuid,
    variant smallint NOT NULL,
    button smallint NOT NULL,
    clicks integer DEFAULT 1 NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT link_clicks_clicks_check CHECK ((clicks > 0)),
    CONSTRAINT link_clicks_visitor_check CHECK ((length(visitor) <= 64))
);

COMMENT ON TABLE private.link_clicks IS 'Who followed a link how often: one row a visitor. After 90 days a link''s visitors become one row, its counts stay.';

CREATE TABLE private.links (
    token text NOT NULL COLLATE pg_catalog."C",
    org_id uuid NOT NULL,
    campaign_id uuid,
    contact_id uuid,
    message_id uuid,
    variant smallint NOT NULL,
    button smallint NOT NULL,
    destination text NOT NULL,
    is_retired boolean DEFAULT false NOT NULL,
    clicked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT links_destination_check CHECK (((destination ~* '^https://'::text) AND (length(destination) <= 2000))),
    CONSTRAINT links_token_check CHECK ((length(token) = 22))
);

COMMENT ON TABLE private.links IS 'What /t/{token} leads to: one token for each recipient and tracked button of a campaign.';

COMMENT ON COLUMN private.links.campaign_id IS 'Null in a message that somebody sent from the inbox: each such message has tokens of its own.';

COMMENT ON COLUMN private.links.contact_id IS 'Null once the person was erased: the link is still followed, and nothing is recorded.';

COMMENT ON COLUMN private.links.is_retired IS 'A merge left two tokens of one button: this one is still followed and not handed out again.';

COMMENT ON COLUMN private.links.clicked_at IS 'The first time a person, not a machine, followed it.';

CREATE TABLE private.outbox (
    message_id uuid NOT NULL,
    seq bigint NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    lane smallint DEFAULT 0 NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    ready_at timestamp with time zone DEFAULT now() NOT NULL,
    holder uuid,
    intent_at timestamp with time zone,
    CONSTRAINT outbox__sending__check CHECK (((state = 'ready'::text) = ((holder IS NULL) AND (intent_at IS NULL)))),
    CONSTRAINT outbox_lane_check CHECK (((lane >= 0) AND (lane <= 2))),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'uncertain'::text])))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='500');

COMMENT ON TABLE private.outbox IS 'Messages ready to be sent now. Small by construction: rows leave when Meta has answered.';

ALTER TABLE private.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.parked_statuses (
    id bigint NOT NULL,
    phone_number_id text NOT NULL,
    wa_message_id text NOT NULL,
    status jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE private.parked_statuses IS 'Statuses that overtook the record of their own message; applied when it is written, dropped after a day.';

ALTER TABLE private.parked_statuses ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.parked_statuses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.phone_leases (
    whatsapp_account_id uuid NOT NULL,
    holder uuid NOT NULL,
    lock_key integer NOT NULL,
    lease_until timestamp with time zone NOT NULL
);

CREATE TABLE private.portfolio_minutes (
    id bigint NOT NULL,
    portfolio text NOT NULL,
    minute timestamp with time zone NOT NULL,
    users integer NOT NULL
);

COMMENT ON TABLE private.portfolio_minutes IS 'portfolio_users counted by minute, appended and folded: the sum of a day is what the limit allows no more of.';

ALTER TABLE private.portfolio_minutes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.portfolio_minutes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.portfolio_users (
    portfolio text NOT NULL,
    contact_id uuid NOT NULL,
    used_at timestamp with time zone NOT NULL
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE private.portfolio_users IS 'Who was written to outside the 24-hour window, by business portfolio: what Meta''s messaging limit counts. Kept for a day.';

CREATE TABLE private.schema_code (
    is_current boolean DEFAULT true NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schema_code_is_current_check CHECK (is_current)
);

CREATE TABLE private.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE private.segment_clocks (
    org_id uuid NOT NULL,
    evaluated_until timestamp with time zone NOT NULL,
    judged_at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    library text NOT NULL,
    has_horizons boolean NOT NULL,
    served_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);

COMMENT ON TABLE private.segment_clocks IS 'How far the dynamic segments of an organisation are in time.';

CREATE TABLE private.segment_edges (
    org_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    uses_id uuid NOT NULL,
    CONSTRAINT segment_edges_check CHECK ((segment_id <> uses_id))
);

COMMENT ON TABLE private.segment_edges IS 'Which segments the rules of a segment name. Without a circle.';

CREATE TABLE private.segment_events (
    id bigint NOT NULL,
    org_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    kind text NOT NULL,
    cause text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT segment_events_cause_check CHECK ((cause = ANY (ARRAY['change'::text, 'time'::text, 'rebuild'::text, 'pin'::text]))),
    CONSTRAINT segment_events_kind_check CHECK ((kind = ANY (ARRAY['entered'::text, 'left'::text])))
);

COMMENT ON TABLE private.segment_events IS 'Who entered and left which segment, for flows and timelines. Kept for 30 days.';

ALTER TABLE private.segment_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.segment_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.segment_programs (
    segment_id uuid NOT NULL,
    org_id uuid NOT NULL,
    predicate text NOT NULL,
    params text[] NOT NULL,
    rolling jsonb NOT NULL,
    is_calendar boolean NOT NULL,
    level integer DEFAULT 0 NOT NULL,
    problem text,
    rebuild text,
    CONSTRAINT segment_programs_rebuild_check CHECK ((rebuild = ANY (ARRAY['created'::text, 'rebuild'::text, 'time'::text])))
);

COMMENT ON TABLE private.segment_programs IS 'The compiled rules of each dynamic segment.';

CREATE TABLE private.send_effects (
    id bigint NOT NULL,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    contact_id uuid,
    campaign_id uuid,
    whatsapp_account_id uuid,
    code text,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT send_effects_kind_check CHECK ((kind = ANY (ARRAY['stopped_marketing'::text, 'not_on_whatsapp'::text, 'pause'::text, 'replied'::text])))
);

COMMENT ON TABLE private.send_effects IS 'What a refusal or an answer means for its contact, campaign or ledger row. Whoever learns of it holds messages already, or will, and must not wait for those; a worker applies these within a second.';

ALTER TABLE private.send_effects ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.send_effects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.sent_messages (
    id bigint NOT NULL,
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    sent integer NOT NULL,
    last_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE private.sent_messages IS 'Messages to contacts, not yet counted in contacts.messages_sent: those of campaigns, which a worker adds up every minute, and those whose contact was locked by somebody else. Whoever sends holds the conversation and must not wait for the contact, so there is no key to it either.';

ALTER TABLE private.sent_messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.sent_messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.template_counts (
    template_id uuid NOT NULL,
    slot timestamp with time zone NOT NULL,
    org_id uuid NOT NULL,
    sent integer DEFAULT 0 NOT NULL,
    delivered integer DEFAULT 0 NOT NULL,
    read integer DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE private.template_counts IS 'Messages of a template by when they were made: how many Meta took, how many were delivered and read.';

CREATE TABLE private.template_deltas (
    id bigint NOT NULL,
    org_id uuid NOT NULL,
    template_id uuid NOT NULL,
    slot timestamp with time zone NOT NULL,
    sent integer NOT NULL,
    delivered integer NOT NULL,
    read integer NOT NULL,
    last_used_at timestamp with time zone
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='2000');

COMMENT ON TABLE private.template_deltas IS 'Changes of counts not yet added to private.template_counts and templates.sent_count.';

ALTER TABLE private.template_deltas ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.template_deltas_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.template_edits (
    template_id uuid NOT NULL,
    org_id uuid NOT NULL,
    edited_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE private.template_edits IS 'Edits of approved templates: Meta allows one in 24 hours and ten in 30 days (reference/whatsapp.md §8.1).';

CREATE TABLE private.template_syncs (
    org_id uuid NOT NULL,
    waba_id text NOT NULL,
    requested_at timestamp with time zone,
    claimed_at timestamp with time zone,
    synced_at timestamp with time zone,
    listed_as_of timestamp with time zone
);

COMMENT ON TABLE private.template_syncs IS 'When the list of a WhatsApp account was last compared with ours.';

COMMENT ON COLUMN private.template_syncs.listed_as_of IS 'When the list was asked for that was applied last: an older one that comes later says nothing new.';

CREATE TABLE private.webhook_events (
    id bigint NOT NULL,
    body bytea NOT NULL,
    state text DEFAULT 'received'::text NOT NULL,
    problem text,
    attempts smallint DEFAULT 0 NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_at timestamp with time zone,
    CONSTRAINT webhook_events_state_check CHECK ((state = ANY (ARRAY['received'::text, 'applied'::text, 'rejected'::text])))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_insert_scale_factor='0.1');

COMMENT ON TABLE private.webhook_events IS 'Webhooks exactly as received. rejected = kept but not understood: see problem, and `octopush replay`.';

ALTER TABLE private.webhook_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.webhook_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.whatsapp_credentials (
    whatsapp_account_id uuid NOT NULL,
    secret_id uuid NOT NULL,
    waba_id text NOT NULL,
    checked_at timestamp with time zone,
    check_attempts integer DEFAULT 0 NOT NULL,
    check_after timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE private.whatsapp_credentials IS 'Which Vault secret holds the access token, and when it is to be checked with Meta.';

CREATE TABLE public.activity_log (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    actor_id uuid,
    contact_id uuid,
    conversation_id uuid,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT activity_log_kind_check CHECK ((kind ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'::text))
);

COMMENT ON TABLE public.activity_log IS 'What happened in an organisation, append-only, kept for a year.';

COMMENT ON COLUMN public.activity_log.kind IS 'subject.event, for example conversation.assigned; docs/state-machines.md lists them.';

CREATE TABLE public.campaign_variants (
    campaign_id uuid NOT NULL,
    "position" integer NOT NULL,
    org_id uuid NOT NULL,
    template_id uuid,
    variables jsonb DEFAULT '{}'::jsonb NOT NULL,
    links jsonb DEFAULT '{}'::jsonb NOT NULL,
    share integer DEFAULT 1 NOT NULL,
    CONSTRAINT campaign_variants_links_check CHECK ((jsonb_typeof(links) = 'object'::text)),
    CONSTRAINT campaign_variants_position_check CHECK ((("position" >= 1) AND ("position" <= 3))),
    CONSTRAINT campaign_variants_share_check CHECK (((share >= 1) AND (share <= 10000))),
    CONSTRAINT campaign_variants_variables_check CHECK ((jsonb_typeof(variables) = 'object'::text))
);

COMMENT ON TABLE public.campaign_variants IS 'What a campaign says; more than one is an A/B test.';

CREATE TABLE public.contact_consents (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    old_status text,
    new_status text NOT NULL,
    source text NOT NULL,
    evidence text,
    actor_id uuid,
    decided_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT contact_consents_evidence_check CHECK ((length(evidence) <= 500)),
    CONSTRAINT contact_consents_new_status_check CHECK ((new_status = ANY (ARRAY['opted_in'::text, 'opted_out'::text, 'pending'::text]))),
    CONSTRAINT contact_consents_old_status_check CHECK ((old_status = ANY (ARRAY['opted_in'::text, 'opted_out'::text, 'pending'::text]))),
    CONSTRAINT contact_consents_source_check CHECK ((source = ANY (ARRAY['form'::text, 'whatsapp'::text, 'import'::text, 'manual'::text])))
);

COMMENT ON TABLE public.contact_consents IS 'Every change of a contact''s consent to marketing: who, when, from what to what, on what ground. Append-only.';

COMMENT ON COLUMN public.contact_consents.evidence IS 'What shows it: a form''s name, a file, or the word and id of the message.';

CREATE TABLE public.contact_tags (
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.contact_tags IS 'Which contact carries which tag.';

CREATE VIEW public.conversation_list WITH (security_invoker='true') AS
 SELECT c.id,
    c.org_id,
    c.whatsapp_account_id,
    c.contact_id,
    c.status,
    c.folder,
    c.assigned_to,
    c.window_expires_at,
    c.snoozed_until,
    c.unread_count,
    c.last_read_at,
    c.last_inbound_at,
    c.last_message_id,
    c.last_message_at,
    c.last_message_preview,
    c.last_message_type,
    c.last_message_direction,
    c.created_at,
    c.updated_at,
    m.status AS last_message_status,
    COALESCE(p.full_name, p.username) AS contact_name,
    COALESCE(p.phone, ('+'::text || p.wa_id)) AS contact_phone,
    p.avatar_url AS contact_avatar_url,
    p.opt_in_status AS contact_opt_in_status,
    a.display_phone_number AS account_display_phone_number
   FROM (((public.conversations c
     JOIN public.contacts p ON (((p.org_id = c.org_id) AND (p.id = c.contact_id))))
     JOIN public.whatsapp_accounts a ON ((a.id = c.whatsapp_account_id)))
     LEFT JOIN public.messages m ON ((m.id = c.last_message_id)));

COMMENT ON VIEW public.conversation_list IS 'Conversations with what a row of the inbox shows. Page by (last_message_at desc, id desc) within one org_id and folder.';

CREATE TABLE public.notifications (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    priority text DEFAULT 'normal'::text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    read_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT notifications_priority_check CHECK ((priority = ANY (ARRAY['normal'::text, 'high'::text])))
);

COMMENT ON TABLE public.notifications IS 'What one person is told; each has a row and a read mark of their own.';

CREATE TABLE public.profiles (
    user_id uuid NOT NULL,
    full_name text DEFAULT ''::text NOT NULL,
    email text NOT NULL,
    avatar_url text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT profiles_full_name_check CHECK ((length(full_name) <= 120))
);

COMMENT ON TABLE public.profiles IS 'What colleagues see of a person. Made when they onboard or accept an invitation.';

CREATE VIEW public.opportunity_list WITH (security_invoker='true') AS
 SELECT o.id,
    o.org_id,
    o.contact_id,
    o.campaign_id,
    o.source,
    o.amount,
    o.currency,
    o.external_id,
    o.note,
    o.occurred_at,
    o.created_by,
    o.created_at,
    c.name AS campaign_name,
    p.full_name AS created_by_name
   FROM ((public.opportunities o
     LEFT JOIN public.campaigns c ON ((c.id = o.campaign_id)))
     LEFT JOIN public.profiles p ON ((p.user_id = o.created_by)));

COMMENT ON VIEW public.opportunity_list IS 'Opportunities with names. Of a contact: by (org_id, contact_id), newest occurred_at first.';

CREATE TABLE public.org_invitations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT org_invitations_email_check CHECK (((email = lower(btrim(email))) AND (email ~~ '%_@_%'::text) AND (length(email) <= 320))),
    CONSTRAINT org_invitations_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'campaign_manager'::text, 'agent'::text, 'viewer'::text])))
);

COMMENT ON TABLE public.org_invitations IS 'Open, accepted and revoked invitations; at most one open for an address.';

COMMENT ON COLUMN public.org_invitations.token_hash IS 'SHA-256 of the token in the invitation link; the token itself is shown once and not kept.';

CREATE TABLE public.org_memberships (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT org_memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'campaign_manager'::text, 'agent'::text, 'viewer'::text])))
);

COMMENT ON TABLE public.org_memberships IS 'Who belongs to an organisation, in which role. Changed by RPC only; an organisation always keeps an owner.';

CREATE TABLE public.organizations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    name text NOT NULL,
    country text DEFAULT 'MY'::text NOT NULL,
    time_zone text DEFAULT 'Asia/Kuala_Lumpur'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT organizations_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT organizations_name_check CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 120)))
);

COMMENT ON TABLE public.organizations IS 'A tenant. country is the default region of phone numbers (ISO 3166-1 alpha-2); time_zone an IANA name.';

CREATE TABLE public.segment_pins (
    segment_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT segment_pins_kind_check CHECK ((kind = ANY (ARRAY['include'::text, 'exclude'::text])))
);

COMMENT ON TABLE public.segment_pins IS 'Contacts that a person put into a segment or keeps out of it, whatever the rules say; the whole list of a static segment.';

CREATE VIEW public.tag_usage WITH (security_invoker='true') AS
 SELECT t.id AS tag_id,
    t.org_id,
    ( SELECT count(*) AS count
           FROM (public.contact_tags ct
             JOIN public.contacts c ON (((c.org_id = ct.org_id) AND (c.id = ct.contact_id) AND (c.deleted_at IS NULL))))
          WHERE ((ct.org_id = t.org_id) AND (ct.tag_id = t.id))) AS contacts
   FROM public.tags t;

COMMENT ON VIEW public.tag_usage IS 'How many contacts outside the trash carry each tag.';

CREATE TABLE public.whatsapp_events (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid,
    field text NOT NULL,
    payload jsonb NOT NULL,
    webhook_event_id bigint,
    body_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.whatsapp_events IS 'Webhook items about an organisation''s account or number that no other table holds, unknown ones included.';

ALTER TABLE ONLY private.campaign_counts
    ADD CONSTRAINT campaign_counts_pkey PRIMARY KEY (campaign_id, variant);

ALTER TABLE ONLY private.campaign_deltas
    ADD CONSTRAINT campaign_deltas_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.campaign_reasons
    ADD CONSTRAINT campaign_reasons_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.contact_changes
    ADD CONSTRAINT contact_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.contact_search
    ADD CONSTRAINT contact_search_pkey PRIMARY KEY (org_id, contact_id);

ALTER TABLE ONLY private.conversion_receipts
    ADD CONSTRAINT conversion_receipts_pkey PRIMARY KEY (org_id, external_hash);

ALTER TABLE ONLY private.conversion_secrets
    ADD CONSTRAINT conversion_secrets_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY private.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY private.import_files
    ADD CONSTRAINT import_files_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY private.import_rows
    ADD CONSTRAINT import_rows_pkey PRIMARY KEY (job_id, line);

ALTER TABLE ONLY private.job_items
    ADD CONSTRAINT job_items_pkey PRIMARY KEY (job_id, "position");

ALTER TABLE ONLY private.job_leases
    ADD CONSTRAINT job_leases_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY private.link_clicks
    ADD CONSTRAINT link_clicks_pkey PRIMARY KEY (token, visitor, is_bot);

ALTER TABLE ONLY private.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (token);

ALTER TABLE ONLY private.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY private.parked_statuses
    ADD CONSTRAINT parked_statuses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.phone_leases
    ADD CONSTRAINT phone_leases_pkey PRIMARY KEY (whatsapp_account_id);

ALTER TABLE ONLY private.portfolio_minutes
    ADD CONSTRAINT portfolio_minutes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.portfolio_users
    ADD CONSTRAINT portfolio_users_pkey PRIMARY KEY (portfolio, contact_id);

ALTER TABLE ONLY private.schema_code
    ADD CONSTRAINT schema_code_pkey PRIMARY KEY (is_current);

ALTER TABLE ONLY private.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY private.segment_clocks
    ADD CONSTRAINT segment_clocks_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY private.segment_edges
    ADD CONSTRAINT segment_edges_pkey PRIMARY KEY (segment_id, uses_id);

ALTER TABLE ONLY private.segment_events
    ADD CONSTRAINT segment_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.segment_programs
    ADD CONSTRAINT segment_programs_pkey PRIMARY KEY (segment_id);

ALTER TABLE ONLY private.segment_statements
    ADD CONSTRAINT segment_statements_pkey PRIMARY KEY (org_id, level);

ALTER TABLE ONLY private.send_effects
    ADD CONSTRAINT send_effects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.sent_messages
    ADD CONSTRAINT sent_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.template_counts
    ADD CONSTRAINT template_counts_pkey PRIMARY KEY (template_id, slot);

ALTER TABLE ONLY private.template_deltas
    ADD CONSTRAINT template_deltas_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.template_edits
    ADD CONSTRAINT template_edits_pkey PRIMARY KEY (template_id, edited_at);

ALTER TABLE ONLY private.template_syncs
    ADD CONSTRAINT template_syncs_pkey PRIMARY KEY (org_id, waba_id);

ALTER TABLE ONLY private.template_work
    ADD CONSTRAINT template_work_pkey PRIMARY KEY (template_id);

ALTER TABLE ONLY private.webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.whatsapp_credentials
    ADD CONSTRAINT whatsapp_credentials_pkey PRIMARY KEY (whatsapp_account_id);

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.campaign_recipients
    ADD CONSTRAINT campaign_recipients_pkey PRIMARY KEY (campaign_id, contact_id);

ALTER TABLE ONLY public.campaign_settings
    ADD CONSTRAINT campaign_settings_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.campaign_variants
    ADD CONSTRAINT campaign_variants_pkey PRIMARY KEY (campaign_id, "position");

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_keywords
    ADD CONSTRAINT consent_keywords_pkey PRIMARY KEY (org_id, bare);

ALTER TABLE ONLY public.contact_consents
    ADD CONSTRAINT contact_consents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_pkey PRIMARY KEY (org_id, contact_id, tag_id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_whatsapp_account_id_contact_id_key UNIQUE (whatsapp_account_id, contact_id);

ALTER TABLE ONLY public.custom_field_definitions
    ADD CONSTRAINT custom_field_definitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_pkey PRIMARY KEY (org_id, user_id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_pkey PRIMARY KEY (segment_id, contact_id);

ALTER TABLE ONLY public.segment_pins
    ADD CONSTRAINT segment_pins_pkey PRIMARY KEY (segment_id, contact_id);

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_pkey PRIMARY KEY (id);

CREATE INDEX campaign_deltas__campaign__idx ON private.campaign_deltas USING btree (campaign_id);

CREATE INDEX campaign_reasons__campaign__idx ON private.campaign_reasons USING btree (campaign_id);

CREATE INDEX contact_changes__org__idx ON private.contact_changes USING btree (org_id, id);

CREATE INDEX contact_search__text__idx ON private.contact_search USING gin (search_text extensions.gin_trgm_ops) WITH (gin_pending_list_limit='512');

CREATE INDEX link_clicks__campaign__idx ON private.link_clicks USING btree (campaign_id) WHERE (campaign_id IS NOT NULL);

CREATE INDEX link_clicks__last_at__idx ON private.link_clicks USING btree (last_at) WHERE (visitor <> '\x'::bytea);

CREATE INDEX links__clicked__idx ON private.links USING btree (contact_id, clicked_at DESC) WHERE (clicked_at IS NOT NULL);

CREATE UNIQUE INDEX links__recipient__idx ON private.links USING btree (contact_id, campaign_id, button) WHERE (NOT is_retired);

CREATE INDEX links__retired__idx ON private.links USING btree (contact_id) WHERE is_retired;

CREATE INDEX outbox__conversation__idx ON private.outbox USING btree (conversation_id, seq) WHERE (state <> 'uncertain'::text);

CREATE INDEX outbox__ready__idx ON private.outbox USING btree (whatsapp_account_id, lane, seq) WHERE (state = 'ready'::text);

CREATE INDEX outbox__retry__idx ON private.outbox USING btree (whatsapp_account_id, ready_at) WHERE ((state = 'ready'::text) AND (attempt > 0));

CREATE INDEX outbox__sending__idx ON private.outbox USING btree (whatsapp_account_id) WHERE (state = 'sending'::text);

CREATE INDEX outbox__uncertain__idx ON private.outbox USING btree (whatsapp_account_id) WHERE (state = 'uncertain'::text);

CREATE INDEX parked_statuses__created_at__idx ON private.parked_statuses USING btree (created_at);

CREATE INDEX parked_statuses__message__idx ON private.parked_statuses USING btree (wa_message_id);

CREATE INDEX portfolio_minutes__portfolio__idx ON private.portfolio_minutes USING btree (portfolio, minute);

CREATE INDEX portfolio_users__used_at__idx ON private.portfolio_users USING btree (used_at);

CREATE INDEX segment_edges__org__idx ON private.segment_edges USING btree (org_id);

CREATE INDEX segment_edges__uses__idx ON private.segment_edges USING btree (uses_id);

CREATE INDEX segment_events__created_at__idx ON private.segment_events USING brin (created_at);

CREATE INDEX segment_events__segment__idx ON private.segment_events USING btree (segment_id, id);

CREATE INDEX segment_programs__org__idx ON private.segment_programs USING btree (org_id, level);

CREATE INDEX segment_programs__rebuild__idx ON private.segment_programs USING btree (org_id) WHERE (rebuild IS NOT NULL);

CREATE INDEX sent_messages__contact__idx ON private.sent_messages USING btree (contact_id);

CREATE INDEX template_work__run_after__idx ON private.template_work USING btree (run_after);

CREATE INDEX webhook_events__received__idx ON private.webhook_events USING btree (id) WHERE (state = 'received'::text);

CREATE INDEX webhook_events__received_at__idx ON private.webhook_events USING brin (received_at);

CREATE INDEX webhook_events__rejected__idx ON private.webhook_events USING btree (id) WHERE (state = 'rejected'::text);

CREATE INDEX whatsapp_credentials__check_after__idx ON private.whatsapp_credentials USING btree (check_after) WHERE (checked_at IS NULL);

CREATE INDEX activity_log__actor_id__idx ON public.activity_log USING btree (actor_id) WHERE (actor_id IS NOT NULL);

CREATE INDEX activity_log__contact__idx ON public.activity_log USING btree (org_id, contact_id, created_at DESC) WHERE (contact_id IS NOT NULL);

CREATE INDEX activity_log__created_at__idx ON public.activity_log USING brin (created_at);

CREATE INDEX activity_log__org__idx ON public.activity_log USING btree (org_id, created_at DESC, id DESC);

CREATE INDEX activity_log__timeline__idx ON public.activity_log USING btree (org_id, contact_id, created_at DESC, id DESC) WHERE ((contact_id IS NOT NULL) AND (kind <> ALL (ARRAY['message.received'::text, 'conversation.created'::text, 'conversation.note_added'::text, 'contact.consent_changed'::text])));

CREATE INDEX campaign_recipients__contact__idx ON public.campaign_recipients USING btree (org_id, contact_id);

CREATE INDEX campaign_recipients__excluded__idx ON public.campaign_recipients USING btree (campaign_id, exclusion_reason) WHERE (exclusion_reason IS NOT NULL);

CREATE INDEX campaign_recipients__ready__idx ON public.campaign_recipients USING btree (campaign_id, (
CASE
    WHEN (variant IS NULL) THEN 1
    ELSE 0
END), ready_at, "position") WHERE (ready_at IS NOT NULL);

CREATE INDEX campaign_variants__campaign__idx ON public.campaign_variants USING btree (org_id, campaign_id);

CREATE INDEX campaign_variants__template__idx ON public.campaign_variants USING btree (org_id, template_id);

CREATE INDEX campaigns__account__idx ON public.campaigns USING btree (org_id, whatsapp_account_id);

CREATE INDEX campaigns__created_by__idx ON public.campaigns USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE INDEX campaigns__due__idx ON public.campaigns USING btree (scheduled_at) WHERE (status = 'scheduled'::text);

CREATE INDEX campaigns__list__idx ON public.campaigns USING btree (org_id, created_at DESC, id DESC);

CREATE INDEX campaigns__sending__idx ON public.campaigns USING btree (whatsapp_account_id) WHERE (status = ANY (ARRAY['sending'::text, 'paused'::text]));

CREATE INDEX contact_consents__actor_id__idx ON public.contact_consents USING btree (actor_id) WHERE (actor_id IS NOT NULL);

CREATE INDEX contact_consents__contact__idx ON public.contact_consents USING btree (org_id, contact_id, created_at DESC, id DESC);

CREATE INDEX contact_tags__tag__idx ON public.contact_tags USING btree (org_id, tag_id, contact_id);

CREATE UNIQUE INDEX contacts__bsuid__idx ON public.contacts USING btree (org_id, bsuid);

CREATE INDEX contacts__created__idx ON public.contacts USING btree (org_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX contacts__last_inbound__idx ON public.contacts USING btree (org_id, last_inbound_at) WHERE ((deleted_at IS NULL) AND (last_inbound_at IS NOT NULL));

CREATE INDEX contacts__last_message__idx ON public.contacts USING btree (org_id, last_message_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX contacts__name__idx ON public.contacts USING btree (org_id, lower(full_name), id) WHERE (deleted_at IS NULL);

CREATE INDEX contacts__opt_in_at__idx ON public.contacts USING btree (org_id, opt_in_at) WHERE ((deleted_at IS NULL) AND (opt_in_at IS NOT NULL));

CREATE UNIQUE INDEX contacts__phone__idx ON public.contacts USING btree (org_id, phone);

CREATE INDEX contacts__trash__idx ON public.contacts USING btree (org_id, deleted_at DESC, id DESC) WHERE ((deleted_at IS NOT NULL) AND (erased_at IS NULL));

CREATE UNIQUE INDEX contacts__wa_id__idx ON public.contacts USING btree (org_id, wa_id);

CREATE INDEX conversations__assigned__idx ON public.conversations USING btree (org_id, folder, assigned_to, last_message_at DESC, id DESC);

CREATE INDEX conversations__assigned_to__idx ON public.conversations USING btree (assigned_to) WHERE (assigned_to IS NOT NULL);

CREATE INDEX conversations__contact__idx ON public.conversations USING btree (org_id, contact_id);

CREATE INDEX conversations__list__idx ON public.conversations USING btree (org_id, folder, last_message_at DESC, id DESC);

CREATE INDEX conversations__snoozed__idx ON public.conversations USING btree (snoozed_until) WHERE (snoozed_until IS NOT NULL);

CREATE INDEX conversations__unread__idx ON public.conversations USING btree (org_id) WHERE ((unread_count > 0) AND (status <> 'resolved'::text));

CREATE INDEX conversations__window__idx ON public.conversations USING btree (window_expires_at) WHERE (status = ANY (ARRAY['open'::text, 'pending'::text]));

CREATE UNIQUE INDEX custom_field_definitions__key__idx ON public.custom_field_definitions USING btree (org_id, key);

CREATE UNIQUE INDEX custom_field_definitions__label__idx ON public.custom_field_definitions USING btree (org_id, lower(label)) WHERE (archived_at IS NULL);

CREATE INDEX jobs__created_by__idx ON public.jobs USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE INDEX jobs__expires_at__idx ON public.jobs USING btree (expires_at);

CREATE INDEX jobs__open__idx ON public.jobs USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text]));

CREATE INDEX jobs__org__idx ON public.jobs USING btree (org_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX messages__client_key__idx ON public.messages USING btree (org_id, client_key) WHERE (client_key IS NOT NULL);

CREATE INDEX messages__conversation__idx ON public.messages USING btree (conversation_id, occurred_at DESC, id DESC);

CREATE INDEX messages__sent_by__idx ON public.messages USING btree (sent_by) WHERE (sent_by IS NOT NULL);

CREATE INDEX messages__template__idx ON public.messages USING btree (template_id, created_at) WHERE ((template_id IS NOT NULL) AND (campaign_id IS NULL));

CREATE INDEX messages__text__idx ON public.messages USING gin (to_tsvector('simple'::regconfig, COALESCE(body, ''::text))) WHERE (campaign_id IS NULL);

CREATE INDEX messages__uncertain__idx ON public.messages USING btree (created_at) WHERE is_uncertain;

CREATE UNIQUE INDEX messages__wa_message_id__idx ON public.messages USING btree (whatsapp_account_id, wa_message_id) WHERE (wa_message_id IS NOT NULL);

CREATE INDEX notifications__created_at__idx ON public.notifications USING brin (created_at);

CREATE INDEX notifications__org_id__idx ON public.notifications USING btree (org_id);

CREATE INDEX notifications__unread__idx ON public.notifications USING btree (user_id, org_id) WHERE (read_at IS NULL);

CREATE INDEX notifications__user__idx ON public.notifications USING btree (user_id, org_id, created_at DESC, id DESC);

CREATE INDEX opportunities__campaign__idx ON public.opportunities USING btree (org_id, campaign_id, contact_id) WHERE (campaign_id IS NOT NULL);

CREATE INDEX opportunities__contact__idx ON public.opportunities USING btree (org_id, contact_id, occurred_at DESC);

CREATE INDEX opportunities__created_by__idx ON public.opportunities USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE INDEX opportunities__held_out__idx ON public.opportunities USING btree (org_id, held_out_campaign_id, contact_id) WHERE (held_out_campaign_id IS NOT NULL);

CREATE INDEX org_invitations__invited_by__idx ON public.org_invitations USING btree (invited_by);

CREATE UNIQUE INDEX org_invitations__open__idx ON public.org_invitations USING btree (org_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX org_invitations__org_id__idx ON public.org_invitations USING btree (org_id, created_at DESC);

CREATE INDEX org_memberships__user_id__idx ON public.org_memberships USING btree (user_id);

CREATE INDEX segment_members__contact__idx ON public.segment_members USING btree (org_id, contact_id);

CREATE INDEX segment_pins__contact__idx ON public.segment_pins USING btree (org_id, contact_id);

CREATE INDEX segment_pins__created_by__idx ON public.segment_pins USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE INDEX segments__created_by__idx ON public.segments USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE UNIQUE INDEX segments__name__idx ON public.segments USING btree (org_id, lower(name));

CREATE UNIQUE INDEX tags__name__idx ON public.tags USING btree (org_id, lower(name));

CREATE INDEX templates__created_at__idx ON public.templates USING btree (org_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX templates__created_by__idx ON public.templates USING btree (created_by) WHERE (created_by IS NOT NULL);

CREATE UNIQUE INDEX templates__name__idx ON public.templates USING btree (org_id, waba_id, name, language) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX templates__wa_template_id__idx ON public.templates USING btree (waba_id, wa_template_id, org_id) WHERE (wa_template_id IS NOT NULL);

CREATE INDEX whatsapp_accounts__org_id__idx ON public.whatsapp_accounts USING btree (org_id);

CREATE INDEX whatsapp_accounts__phone_number_id__idx ON public.whatsapp_accounts USING btree (phone_number_id);

CREATE UNIQUE INDEX whatsapp_accounts__receiving_number__idx ON public.whatsapp_accounts USING btree (phone_number_id) WHERE is_receiving;

CREATE INDEX whatsapp_events__account__idx ON public.whatsapp_events USING btree (org_id, whatsapp_account_id);

CREATE UNIQUE INDEX whatsapp_events__once__idx ON public.whatsapp_events USING btree (whatsapp_account_id, body_hash, field, md5((payload)::text));

CREATE INDEX whatsapp_events__org__idx ON public.whatsapp_events USING btree (org_id, created_at DESC);

CREATE TRIGGER campaign_recipients__count_delete AFTER DELETE ON public.campaign_recipients REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.count_gone_recipients();

CREATE TRIGGER campaign_recipients__count_insert AFTER INSERT ON public.campaign_recipients REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.count_new_recipients();

CREATE TRIGGER campaign_recipients__count_update AFTER UPDATE ON public.campaign_recipients REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.count_changed_recipients();

CREATE TRIGGER campaigns__forget AFTER DELETE ON public.campaigns REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.forget_deleted_campaigns();

CREATE TRIGGER contacts__add_to_search AFTER INSERT ON public.contacts REFERENCING NEW TABLE AS new_contacts FOR EACH STATEMENT EXECUTE FUNCTION private.add_to_search();

CREATE TRIGGER contacts__follow_in_search AFTER UPDATE ON public.contacts FOR EACH ROW WHEN (((old.search_text IS DISTINCT FROM new.search_text) OR (old.wa_id IS DISTINCT FROM new.wa_id) OR (old.created_at <> new.created_at) OR ((old.deleted_at IS NULL) <> (new.deleted_at IS NULL)))) EXECUTE FUNCTION private.follow_in_search();

CREATE TRIGGER contacts__forget_unreachable BEFORE UPDATE OF phone, wa_id ON public.contacts FOR EACH ROW WHEN (((new.not_on_whatsapp_at IS NOT NULL) AND ((new.phone IS DISTINCT FROM old.phone) OR (new.wa_id IS DISTINCT FROM old.wa_id)))) EXECUTE FUNCTION private.forget_unreachable();

CREATE TRIGGER contacts__take_from_search AFTER DELETE ON public.contacts REFERENCING OLD TABLE AS old_contacts FOR EACH STATEMENT EXECUTE FUNCTION private.take_from_search();

CREATE TRIGGER messages__count_sent AFTER INSERT ON public.messages REFERENCING NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION private.count_sent();

CREATE TRIGGER messages__count_template_delete AFTER DELETE ON public.messages REFERENCING OLD TABLE AS old_messages FOR EACH STATEMENT EXECUTE FUNCTION private.count_gone_template_messages();

CREATE TRIGGER messages__count_template_insert AFTER INSERT ON public.messages REFERENCING NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION private.count_new_template_messages();

CREATE TRIGGER messages__count_template_update AFTER UPDATE ON public.messages REFERENCING OLD TABLE AS old_messages NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION private.count_changed_template_messages();

CREATE TRIGGER organizations__default_keywords AFTER INSERT ON public.organizations REFERENCING NEW TABLE AS new_organizations FOR EACH STATEMENT EXECUTE FUNCTION private.add_default_keywords();

CREATE TRIGGER segments_delete AFTER DELETE ON public.contact_tags REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_old_rows();

CREATE TRIGGER segments_delete AFTER DELETE ON public.contacts REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_deleted_contacts();

CREATE TRIGGER segments_delete AFTER DELETE ON public.conversations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_old_rows();

CREATE TRIGGER segments_delete AFTER DELETE ON public.custom_field_definitions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_removed_definitions();

CREATE TRIGGER segments_delete AFTER DELETE ON public.segments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.forget_deleted_segments();

CREATE TRIGGER segments_insert AFTER INSERT ON public.contact_tags REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_new_rows();

CREATE TRIGGER segments_insert AFTER INSERT ON public.contacts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_new_contacts();

CREATE TRIGGER segments_insert AFTER INSERT ON public.conversations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_new_rows();

CREATE TRIGGER segments_update AFTER UPDATE ON public.campaign_recipients REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_reactions();

CREATE TRIGGER segments_update AFTER UPDATE ON public.contact_tags REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_moved_tags();

CREATE TRIGGER segments_update AFTER UPDATE ON public.contacts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_changed_contacts();

CREATE TRIGGER segments_update AFTER UPDATE ON public.conversations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_contacts_of_changed_conversations();

CREATE TRIGGER segments_update AFTER UPDATE ON public.custom_field_definitions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_changed_definitions();

CREATE TRIGGER segments_update AFTER UPDATE ON public.organizations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.queue_changed_time_zones();

ALTER TABLE ONLY private.campaign_counts
    ADD CONSTRAINT campaign_counts_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaigns(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.conversion_receipts
    ADD CONSTRAINT conversion_receipts_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.conversion_secrets
    ADD CONSTRAINT conversion_secrets_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.import_files
    ADD CONSTRAINT import_files_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.import_rows
    ADD CONSTRAINT import_rows_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.job_items
    ADD CONSTRAINT job_items_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.job_leases
    ADD CONSTRAINT job_leases_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.outbox
    ADD CONSTRAINT outbox_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.messages(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.phone_leases
    ADD CONSTRAINT phone_leases_whatsapp_account_id_fkey FOREIGN KEY (whatsapp_account_id) REFERENCES public.whatsapp_accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_clocks
    ADD CONSTRAINT segment_clocks_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_edges
    ADD CONSTRAINT segment_edges_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_edges
    ADD CONSTRAINT segment_edges_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.segments(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_edges
    ADD CONSTRAINT segment_edges_uses_id_fkey FOREIGN KEY (uses_id) REFERENCES public.segments(id);

ALTER TABLE ONLY private.segment_programs
    ADD CONSTRAINT segment_programs_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_programs
    ADD CONSTRAINT segment_programs_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.segments(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.segment_statements
    ADD CONSTRAINT segment_statements_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.template_counts
    ADD CONSTRAINT template_counts_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.templates(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.template_edits
    ADD CONSTRAINT template_edits_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.templates(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.template_syncs
    ADD CONSTRAINT template_syncs_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.template_work
    ADD CONSTRAINT template_work_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.templates(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.whatsapp_credentials
    ADD CONSTRAINT whatsapp_credentials_whatsapp_account_id_fkey FOREIGN KEY (whatsapp_account_id) REFERENCES public.whatsapp_accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.campaign_recipients
    ADD CONSTRAINT campaign_recipients_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.campaign_settings
    ADD CONSTRAINT campaign_settings_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.campaign_variants
    ADD CONSTRAINT campaign_variants_org_id_campaign_id_fkey FOREIGN KEY (org_id, campaign_id) REFERENCES public.campaigns(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.campaign_variants
    ADD CONSTRAINT campaign_variants_org_id_template_id_fkey FOREIGN KEY (org_id, template_id) REFERENCES public.templates(org_id, id) ON DELETE SET NULL (template_id);

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_org_id_whatsapp_account_id_fkey FOREIGN KEY (org_id, whatsapp_account_id) REFERENCES public.whatsapp_accounts(org_id, id) ON DELETE SET NULL (whatsapp_account_id);

ALTER TABLE ONLY public.consent_keywords
    ADD CONSTRAINT consent_keywords_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_consents
    ADD CONSTRAINT contact_consents_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.contact_consents
    ADD CONSTRAINT contact_consents_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_org_id_tag_id_fkey FOREIGN KEY (org_id, tag_id) REFERENCES public.tags(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_whatsapp_account_id_fkey FOREIGN KEY (org_id, whatsapp_account_id) REFERENCES public.whatsapp_accounts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.custom_field_definitions
    ADD CONSTRAINT custom_field_definitions_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_org_id_conversation_id_fkey FOREIGN KEY (org_id, conversation_id) REFERENCES public.conversations(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_sent_by_fkey FOREIGN KEY (sent_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_org_id_campaign_id_fkey FOREIGN KEY (org_id, campaign_id) REFERENCES public.campaigns(org_id, id) ON DELETE SET NULL (campaign_id);

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.opportunities
    ADD CONSTRAINT opportunities_org_id_held_out_campaign_id_fkey FOREIGN KEY (org_id, held_out_campaign_id) REFERENCES public.campaigns(org_id, id) ON DELETE SET NULL (held_out_campaign_id);

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_user_id_fkey1 FOREIGN KEY (user_id) REFERENCES public.profiles(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.segment_members
    ADD CONSTRAINT segment_members_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.segment_pins
    ADD CONSTRAINT segment_pins_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.segment_pins
    ADD CONSTRAINT segment_pins_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.segment_pins
    ADD CONSTRAINT segment_pins_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES public.segments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_created_by_fkey FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_org_id_whatsapp_account_id_fkey FOREIGN KEY (org_id, whatsapp_account_id) REFERENCES public.whatsapp_accounts(org_id, id) ON DELETE CASCADE;

ALTER TABLE private.campaign_counts ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.campaign_deltas ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.campaign_reasons ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.contact_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.contact_search ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.conversion_receipts ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.conversion_secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.erasures ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.import_files ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.import_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.job_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.job_leases ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.link_clicks ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.links ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.parked_statuses ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.phone_leases ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.portfolio_minutes ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.portfolio_users ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.schema_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.segment_clocks ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.segment_edges ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.segment_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.segment_programs ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.segment_statements ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.send_effects ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.sent_messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.template_counts ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.template_deltas ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.template_edits ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.template_syncs ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.template_work ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.webhook_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.whatsapp_credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activity_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.campaign_recipients ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.campaign_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.campaign_variants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.campaigns ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.consent_keywords ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_consents ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_tags ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.custom_field_definitions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;

CREATE POLICY octopush_colleagues_select ON public.profiles FOR SELECT TO authenticated USING (((user_id = ( SELECT auth.uid() AS uid)) OR (user_id = ANY (( SELECT private.my_colleague_ids() AS my_colleague_ids)::uuid[]))));

CREATE POLICY octopush_managers_select ON public.org_invitations FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_orgs_with('settings.manage'::text) AS my_orgs_with)::uuid[])));

CREATE POLICY octopush_managers_select ON public.whatsapp_events FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_orgs_with('settings.manage'::text) AS my_orgs_with)::uuid[])));

CREATE POLICY octopush_members_select ON public.activity_log FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.campaign_recipients FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.campaign_settings FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.campaign_variants FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.campaigns FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.consent_keywords FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.contact_consents FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.contact_tags FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.contacts FOR SELECT TO authenticated USING (((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])) AND ((deleted_at IS NULL) OR (org_id = ANY (( SELECT private.my_orgs_with('contacts.trash'::text) AS my_orgs_with)::uuid[])))));

CREATE POLICY octopush_members_select ON public.conversations FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.custom_field_definitions FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.jobs FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_orgs_with('contacts.bulk'::text) AS my_orgs_with)::uuid[])));

CREATE POLICY octopush_members_select ON public.messages FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.opportunities FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.org_memberships FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.organizations FOR SELECT TO authenticated USING ((id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.segment_members FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.segment_pins FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.segments FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.tags FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.templates FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.whatsapp_accounts FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_recipient_select ON public.notifications FOR SELECT TO authenticated USING (((user_id = ( SELECT auth.uid() AS uid)) AND (org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[]))));

ALTER TABLE public.opportunities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.org_invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.org_memberships ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.segment_members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.segment_pins ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.segments ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tags ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_events ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA private TO authenticated;
GRANT USAGE ON SCHEMA private TO service_role;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO postgres;
GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;

GRANT USAGE ON SCHEMA worker TO octopush_worker;

REVOKE ALL ON FUNCTION private.add_default_keywords() FROM PUBLIC;

GRANT SELECT ON TABLE public.conversations TO authenticated;
GRANT SELECT ON TABLE public.conversations TO service_role;

REVOKE ALL ON FUNCTION private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb) FROM PUBLIC;

GRANT SELECT ON TABLE public.templates TO authenticated;
GRANT SELECT ON TABLE public.templates TO service_role;

REVOKE ALL ON FUNCTION private.add_template_work(p_template public.templates, p_action text, p_before jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.add_to_search() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.advance_segment_clock(p_org_id uuid, p_now timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE public.campaigns TO authenticated;
GRANT SELECT ON TABLE public.campaigns TO service_role;

REVOKE ALL ON FUNCTION private.advance_test(p_campaign public.campaigns, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.all_components(p_components jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.analyze_ledger(p_rows bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_consent_keywords(p_inserted jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_contact_change(p_org_id uuid, p_contact_ids uuid[], p_change jsonb, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_contact_effects(p_effects jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_reactions(p_reactions jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_replies(p_limit integer) FROM PUBLIC;

GRANT SELECT ON TABLE public.segments TO authenticated;
GRANT SELECT ON TABLE public.segments TO service_role;

REVOKE ALL ON FUNCTION private.apply_segment_rules(p_segment public.segments, p_cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_send_effects(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_template_event(p_template public.templates, p_field text, p_value jsonb, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.arrange_programs(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.attribute_opportunity(p_org_id uuid, p_contact_id uuid, p_at timestamp with time zone, p_campaign_id uuid, OUT campaign_id uuid, OUT held_out_campaign_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.audience_contacts(p_org_id uuid, p_audience jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.audience_name(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.bare_word(p_text text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast(p_topic text, p_event text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_campaigns(p_org_id uuid, p_campaign_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_contacts(p_org_id uuid, p_contact_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[]) FROM PUBLIC;

GRANT SELECT ON TABLE public.jobs TO authenticated;
GRANT SELECT ON TABLE public.jobs TO service_role;

REVOKE ALL ON FUNCTION private.broadcast_job(p_job public.jobs) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_outcomes(p_changed jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_segments(p_org_id uuid, p_segment_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_templates(p_org_id uuid, p_template_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.calling_codes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_conflicts(p_campaign public.campaigns, p_starts_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_finishes_at(p_campaign public.campaigns, p_from timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_lift(p_campaign public.campaigns, p_stats jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_problem(p_field text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_problems(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_to_change(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_to_read(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.campaign_zone(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.capped_contacts(p_org_id uuid, p_contact_ids uuid[], p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.category_of_meta(p_category text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.change_custom_values(p_org_id uuid, p_present jsonb, p_given jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_audience(p_org_id uuid, p_audience jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_campaign_test(p_test jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_consent(p_status text, p_source text, p_evidence text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_contact_change(p_org_id uuid, p_change jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_custom_field_room(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_message_content(p_type text, p_body text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_message_prices(p_prices jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_organization_fields(p_name text, p_country text, p_time_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_quiet_hours(p_quiet_hours jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_segment_name(p_name text, p_description text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_tags(p_org_id uuid, p_tag_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_template_parts(p_org_id uuid, p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.clock() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.compile_program(p_segment public.segments, p_context jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.compile_programs(p_org_id uuid, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.components_for_meta(p_components jsonb, p_handles jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.components_to_compare(p_components jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.consent_reply(p_org_id uuid, p_kind text, p_word text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.contact_filter(p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_needs_contacts boolean) FROM PUBLIC;

GRANT SELECT ON TABLE public.contacts TO authenticated;
GRANT SELECT ON TABLE public.contacts TO service_role;

REVOKE ALL ON FUNCTION private.contact_for(p_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.contact_phone(p_org_id uuid, p_phone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.contact_search_text(p_search_text text, p_wa_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.conversation_for(p_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.converted_contact(p_org_id uuid, p_token text, p_phone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_changed_recipients() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_changed_template_messages() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_gone_recipients() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_gone_template_messages() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_lines(p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamp with time zone, OUT total bigint, OUT newest uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_new_recipients() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_new_template_messages() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_sent() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.create_imported(p_job public.jobs, p_spec jsonb, p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.create_job(p_org_id uuid, p_kind text, p_input jsonb, p_total integer) FROM PUBLIC;

GRANT SELECT ON TABLE public.custom_field_definitions TO authenticated;
GRANT SELECT ON TABLE public.custom_field_definitions TO service_role;

REVOKE ALL ON FUNCTION private.custom_field_for(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.custom_field_key(p_org_id uuid, p_label text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.custom_field_options(p_type text, p_options text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.default_keywords() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.default_waba(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.destination_problem(p_url text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.disconnect_account(p_account_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.due_recipients(p_campaign public.campaigns, p_now timestamp with time zone, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.enrich_contacts(p_senders jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.erase_links(p_contact_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.erase_recipients(p_org_id uuid, p_contact_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.evaluate_contacts(p_org_id uuid, p_contact_ids uuid[], p_cause text, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.excluded_page(p_campaign_id uuid, p_reason text, p_limit integer, p_after uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.exclusion_reason(p_deleted_at timestamp with time zone, p_wa_id text, p_phone text, p_bsuid text, p_not_on_whatsapp_at timestamp with time zone, p_marketing_stopped_at timestamp with time zone, p_opt_in_status text, p_is_marketing boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.explain_plan(p_sql text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.export_header(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.export_value(p_type text, p_value jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fail_messages(p_failures jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fail_outbox(p_account_id uuid, p_code text) FROM PUBLIC;

GRANT SELECT ON TABLE public.whatsapp_accounts TO authenticated;
GRANT SELECT ON TABLE public.whatsapp_accounts TO service_role;

REVOKE ALL ON FUNCTION private.feed_campaign(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_limit integer, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.feed_number(p_account public.whatsapp_accounts, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.finish_campaign(p_campaign public.campaigns, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.finish_estimate(p_count bigint, p_from timestamp with time zone, p_rate integer, p_quiet_hours jsonb, p_zone text, p_tier_limit integer, p_portfolio text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.finish_job(p_job_id uuid, p_status text, p_result jsonb, p_problem text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fold_campaigns(p_campaign_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fold_portfolios(p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fold_template_counts() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.follow_in_search() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_deleted_campaigns() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_deleted_segments() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_unreachable() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_visitors(p_tokens text[], p_before timestamp with time zone, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.found_contacts(p_org_id uuid, p_search text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.free_contacts(p_org_id uuid, p_contact_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.held_job(p_job_id uuid, p_holder uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hold_campaign(p_campaign public.campaigns, p_reason text, p_until timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.impersonal(p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_consent(p_org_id uuid, p_actor uuid, p_contact_ids uuid[], p_consent jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_definitions(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_head(p_job public.jobs, p_options jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_result(p_job_id uuid, p_errors_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_spec(p_job public.jobs, p_head jsonb, p_mapping jsonb, p_options jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.import_tags(p_org_id uuid, p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_database_admin() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_held(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_name_taken(p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_own_waba(p_org_id uuid, p_waba_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_price(p_price jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_refused_for_now(p_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_session_alive(p_lock_key integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_small_organization(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_time_zone(p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.job_for(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.join_conversations(p_keep public.conversations, p_merge public.conversations) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_files(p_theirs jsonb, p_ours jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_links(p_components jsonb, p_links jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_receipt(p_org_id uuid, p_external_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.known_statuses(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.like_pattern(p_search text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.link_import_tags(p_org_id uuid, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.list_page(p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_key text, p_descending boolean, p_limit integer, p_offset bigint, OUT total bigint, OUT total_is_minimum boolean, OUT ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_member(p_org_id uuid, p_user_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_next_sends(p_account_id uuid, p_limit integer, p_most_lane integer, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_segments(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_wa_message_ids(p_wa_message_ids text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.maintain_segments_of(p_org_id uuid, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.make_campaign_messages(p_campaign public.campaigns, p_contact_ids uuid[], p_portfolio text, p_capacity integer, p_now timestamp with time zone, OUT made integer, OUT over_tier integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.make_links(p_links jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.make_statements(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mark_clicked(p_token text, p_at timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE public.opportunities TO authenticated;
GRANT SELECT ON TABLE public.opportunities TO service_role;

REVOKE ALL ON FUNCTION private.mark_opportunities(p_opportunity public.opportunities) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.match_import_lines(p_org_id uuid, p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE public.segment_members TO authenticated;
GRANT SELECT ON TABLE public.segment_members TO service_role;

REVOKE ALL ON FUNCTION private.matching_segments(p_statement private.segment_statements, p_contact_ids uuid[], p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.may_be_retried(p_error_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.may_hear(p_topic text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.may_hear(p_topic text) TO authenticated;
GRANT ALL ON FUNCTION private.may_hear(p_topic text) TO service_role;

REVOKE ALL ON FUNCTION private.may_send(p_conversation_id uuid, p_type text, p_template_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.member_has(p_org_id uuid, p_user_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_with(p_org_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.merge_campaign_fields(p_old public.campaigns, p_fields jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.merge_contact_fields(p_base public.contacts, p_fields jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.merge_template_fields(p_base public.templates, p_fields jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.move_links(p_from uuid, p_to uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.move_recipients(p_from uuid, p_to uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.my_colleague_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_colleague_ids() TO authenticated;
GRANT ALL ON FUNCTION private.my_colleague_ids() TO service_role;

REVOKE ALL ON FUNCTION private.my_org_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_org_ids() TO authenticated;
GRANT ALL ON FUNCTION private.my_org_ids() TO service_role;

REVOKE ALL ON FUNCTION private.my_orgs_with(p_permission text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_orgs_with(p_permission text) TO authenticated;
GRANT ALL ON FUNCTION private.my_orgs_with(p_permission text) TO service_role;

REVOKE ALL ON FUNCTION private.name_free_at(p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.next_edit_at(p_template_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.next_rebuild(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_replies(p_inserted jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.notify_members(p_org_id uuid, p_user_ids uuid[], p_kind text, p_priority text, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.notify_of_campaign(p_campaign public.campaigns, p_kind text, p_priority text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.other_statuses(p_events jsonb, p_known jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pause(p_campaign public.campaigns, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.planned_cost(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.portfolio_of(p_account public.whatsapp_accounts) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.probe_page(p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.put_tags(p_contact public.contacts, p_tag_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_changed_contacts() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_changed_definitions() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_changed_time_zones() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_contacts_of_changed_conversations() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_contacts_of_moved_tags() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_contacts_of_new_rows() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_contacts_of_old_rows() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_contacts_of_reactions() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_deleted_contacts() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_message(p_message_id uuid, p_lane integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_new_contacts() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_removed_definitions() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_time_boundaries(p_org_id uuid, p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.quiet_from(p_quiet_hours jsonb, p_time_zone text, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.quiet_until(p_quiet_hours jsonb, p_time_zone text, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.raise_error(p_code text, p_details jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.read_opportunity(p_fields jsonb, p_allowed text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reason_to_wait(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reasons_of(p_campaign_id uuid, p_is_failure boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rebuild_segment(p_segment_id uuid, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.recipient_cells(p_campaign_id uuid, p_contact_ids uuid[], p_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.recipient_header() FROM PUBLIC;

GRANT SELECT ON TABLE public.campaign_recipients TO authenticated;
GRANT SELECT ON TABLE public.campaign_recipients TO service_role;

REVOKE ALL ON FUNCTION private.recipient_row(p_recipient public.campaign_recipients, p_full_name text, p_phone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.record_activity(p_org_id uuid, p_kind text, p_actor_id uuid, p_contact_id uuid, p_conversation_id uuid, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.record_consents(p_org_id uuid, p_actor uuid, p_changes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_campaign_field(p_field text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_campaign_state(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_import_lines(p_job_id uuid, p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_mapping(p_field text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_segment(p_path text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_template(p_path text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_template_errors(p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_template_state(p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_used_template(p_template_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rehearsed_messages(p_campaign_id uuid, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.release_assignments(p_org_id uuid, p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.request_rebuilds(p_org_id uuid, p_segment_ids uuid[], p_cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.request_template_sync(p_org_id uuid, p_waba_id text, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_complete(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_opportunities(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_permission(p_org_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_segment_reader(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_template_version(p_template public.templates, p_expected_updated_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_version(p_campaign public.campaigns, p_expected_updated_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.resume_marketing(p_org_id uuid, p_contact_ids uuid[], p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.role_permissions(p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.role_rank(p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rule_leaves(p_rules jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rule_problems(p_org_id uuid, p_rules jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.search_count_limit() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.search_patterns(p_org_id uuid, p_search text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_context(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_context_with_names(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_differences(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_facts(p_contact_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_lock_key(p_org_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_to_change(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_to_read(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segment_users(p_segment_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.segments_above(p_segment_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.selected_contacts(p_org_id uuid, p_selection jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.send_refusal(p_account_status text, p_quality_rating text, p_contact_deleted boolean, p_opt_in_status text, p_window_expires_at timestamp with time zone, p_type text, p_template_status text, p_template_category text, p_is_campaign boolean, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sendable_template(p_org_id uuid, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sender_lock_class() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_campaign_variants(p_campaign public.campaigns, p_variants jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_meta_category(p_id uuid, p_category text, p_correct text, p_changes_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_meta_status(p_id uuid, p_event jsonb, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_segment_clock(p_org_id uuid, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_segment_edges(p_segment public.segments) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_winner(p_campaign public.campaigns, p_variant integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_ledger(p_message_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_overdue(p_now timestamp with time zone, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_parked_statuses(p_accepted jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_statuses(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.snapshot_audience(p_campaign public.campaigns, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sort_page(p_org_id uuid, p_filter private.contact_filter, p_id text, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, OUT total bigint, OUT ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.spent(p_campaign public.campaigns, p_delivered bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.start_campaign(p_campaign public.campaigns, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.stats_of(p_campaign_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_meta(p_meta_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_rank(p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.stored_digits(p_org_id uuid, p_digits text) FROM PUBLIC;

GRANT SELECT ON TABLE public.tags TO authenticated;
GRANT SELECT ON TABLE public.tags TO service_role;

REVOKE ALL ON FUNCTION private.tag_for(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_back(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_back_latecomers() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_from_search() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_over_template(p_id uuid, p_item jsonb, p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tell_of_campaign(p_campaign public.campaigns, p_kind text, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tell_of_template(p_template public.templates, p_kind text, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tell_progress() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_campaigns(p_template_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_content(p_template public.templates, p_values jsonb, p_contact_id uuid, p_message_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_files(p_components jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_language(p_language text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_problem(p_path text, p_code text, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_replies(p_template public.templates, p_since timestamp with time zone, p_time_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_shape(p_template public.templates) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_to_change(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_to_read(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.template_users(p_template_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.test_comparison(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tier_answer(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tier_limit(p_tier text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tier_state(p_account_id uuid, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tokens_of(p_contact_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE public.messages TO authenticated;
GRANT SELECT ON TABLE public.messages TO service_role;

REVOKE ALL ON FUNCTION private.touch_conversation(p_conversation_id uuid, p_message public.messages) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.try_audience(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.undo_template_work(p_work private.template_work, p_problem text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.update_imported(p_job public.jobs, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.use_tier(p_message_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.variant_bounds(p_campaign public.campaigns) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.variant_budgets(p_campaign_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.verified_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.waba_token(p_org_id uuid, p_waba_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.waiting_import(p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.waiting_segment_orgs(p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.wake_template_workers() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.walk_page(p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, p_total bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.with_contacts(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.with_problem(p_lines private.import_line[], p_problem text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.without_lines(p_lines private.import_line[], p_numbers bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.write_opportunity(p_contact public.contacts, p_source text, p_campaign_id uuid, p_fields private.opportunity_fields) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.accept_invitation(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.accept_invitation(p_token text) TO authenticated;

REVOKE ALL ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) TO authenticated;

REVOKE ALL ON FUNCTION public.archive_custom_field(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.archive_custom_field(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.campaign_audience(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.campaign_audience(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.campaign_detail(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.campaign_detail(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.campaign_exclusions(p_id uuid, p_reason text, p_limit integer, p_after uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.campaign_exclusions(p_id uuid, p_reason text, p_limit integer, p_after uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.campaign_links(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.campaign_links(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.cancel_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.cancel_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_job(p_job_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.change_contacts(p_org_id uuid, p_selection jsonb, p_change jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.change_contacts(p_org_id uuid, p_selection jsonb, p_change jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.check_template(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.check_template(p_org_id uuid, p_fields jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.choose_winner(p_id uuid, p_variant integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.choose_winner(p_id uuid, p_variant integer) TO authenticated;

REVOKE ALL ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) TO authenticated;

REVOKE ALL ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) TO authenticated;

REVOKE ALL ON FUNCTION public.contact_segments(p_contact_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.contact_segments(p_contact_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.contact_timeline(p_contact_id uuid, p_limit integer, p_before text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.contact_timeline(p_contact_id uuid, p_limit integer, p_before text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_campaign(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_campaign(p_org_id uuid, p_fields jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[], p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[], p_key text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_export(p_org_id uuid, p_selection jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_export(p_org_id uuid, p_selection jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.create_import(p_org_id uuid, p_path text, p_file_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_import(p_org_id uuid, p_path text, p_file_name text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_segment(p_org_id uuid, p_name text, p_kind text, p_rules jsonb, p_selection jsonb, p_description text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_segment(p_org_id uuid, p_name text, p_kind text, p_rules jsonb, p_selection jsonb, p_description text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_template(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_template(p_org_id uuid, p_fields jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_contact(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_contact(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_opportunity(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_opportunity(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_segment(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_segment(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_tag(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_tag(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_template(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_template(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.duplicate_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.duplicate_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.duplicate_template(p_id uuid, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.duplicate_template(p_id uuid, p_name text) TO authenticated;

REVOKE ALL ON FUNCTION public.erase_contact(p_id uuid, p_confirmation text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_contact(p_id uuid, p_confirmation text) TO authenticated;

REVOKE ALL ON FUNCTION public.explain_segment(p_segment_id uuid, p_contact_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.explain_segment(p_segment_id uuid, p_contact_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.export_contact(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_contact(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.export_recipients(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_recipients(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.inspect_import(p_job_id uuid, p_options jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.inspect_import(p_job_id uuid, p_options jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) TO authenticated;

REVOKE ALL ON FUNCTION public.launch_campaign(p_id uuid, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.launch_campaign(p_id uuid, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.list_campaigns(p_org_id uuid, p_search text, p_statuses text[], p_from timestamp with time zone, p_to timestamp with time zone, p_created_by uuid, p_limit integer, p_offset integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_campaigns(p_org_id uuid, p_search text, p_statuses text[], p_from timestamp with time zone, p_to timestamp with time zone, p_created_by uuid, p_limit integer, p_offset integer) TO authenticated;

REVOKE ALL ON FUNCTION public.list_contacts(p_org_id uuid, p_search text, p_rules jsonb, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_trash boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_contacts(p_org_id uuid, p_search text, p_rules jsonb, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_trash boolean) TO authenticated;

REVOKE ALL ON FUNCTION public.list_recipients(p_id uuid, p_search text, p_statuses text[], p_limit integer, p_after text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_recipients(p_id uuid, p_search text, p_statuses text[], p_limit integer, p_after text) TO authenticated;

REVOKE ALL ON FUNCTION public.list_templates(p_org_id uuid, p_search text, p_status text, p_category text, p_language text, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_waba_id text, p_is_for_campaigns boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_templates(p_org_id uuid, p_search text, p_status text, p_category text, p_language text, p_sort text, p_descending boolean, p_limit integer, p_offset integer, p_waba_id text, p_is_for_campaigns boolean) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.merge_contacts(p_keep_id uuid, p_merge_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.merge_contacts(p_keep_id uuid, p_merge_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.pause_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.pause_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.pin_segment_contacts(p_segment_id uuid, p_contact_ids uuid[], p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.pin_segment_contacts(p_segment_id uuid, p_contact_ids uuid[], p_kind text) TO authenticated;

REVOKE ALL ON FUNCTION public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.preview_segment(p_org_id uuid, p_rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.preview_segment(p_org_id uuid, p_rules jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.preview_template(p_id uuid, p_values jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.preview_template(p_id uuid, p_values jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.record_opportunity(p_contact_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.record_opportunity(p_contact_id uuid, p_fields jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.rehearse_campaign(p_id uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rehearse_campaign(p_id uuid, p_limit integer) TO authenticated;

REVOKE ALL ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.reopen_conversation(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reopen_conversation(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.resolve_conversation(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resolve_conversation(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.restore_contact(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.restore_contact(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.restore_custom_field(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.restore_custom_field(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.resume_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resume_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.retry_failed_recipients(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_failed_recipients(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.retry_message(p_message_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_message(p_message_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.revoke_invitation(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.revoke_invitation(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.rotate_conversion_secret(p_org_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rotate_conversion_secret(p_org_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.schedule_campaign(p_id uuid, p_at timestamp with time zone, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.schedule_campaign(p_id uuid, p_at timestamp with time zone, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_catalog(p_org_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_catalog(p_org_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_members(p_segment_id uuid, p_limit integer, p_after uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_members(p_segment_id uuid, p_limit integer, p_after uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_plan(p_segment_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_plan(p_segment_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_sentence(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_sentence(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_sql(p_segment_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_sql(p_segment_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_summaries(p_org_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_summaries(p_org_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.segment_usage(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.segment_usage(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) TO authenticated;

GRANT SELECT ON TABLE public.campaign_settings TO authenticated;
GRANT SELECT ON TABLE public.campaign_settings TO service_role;

REVOKE ALL ON FUNCTION public.set_campaign_settings(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_campaign_settings(p_org_id uuid, p_fields jsonb) TO authenticated;

GRANT SELECT ON TABLE public.consent_keywords TO authenticated;
GRANT SELECT ON TABLE public.consent_keywords TO service_role;

REVOKE ALL ON FUNCTION public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[]) TO authenticated;

REVOKE ALL ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text, p_evidence text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text, p_evidence text) TO authenticated;

REVOKE ALL ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) TO authenticated;

REVOKE ALL ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.submit_template(p_id uuid, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.submit_template(p_id uuid, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.sync_templates(p_org_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sync_templates(p_org_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.template_analytics(p_id uuid, p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.template_analytics(p_id uuid, p_days integer) TO authenticated;

REVOKE ALL ON FUNCTION public.template_variables(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.template_variables(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.unschedule_campaign(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unschedule_campaign(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.update_custom_field(p_id uuid, p_label text, p_options text[], p_position integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_custom_field(p_id uuid, p_label text, p_options text[], p_position integer) TO authenticated;

REVOKE ALL ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) TO authenticated;

REVOKE ALL ON FUNCTION public.update_profile(p_full_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_profile(p_full_name text) TO authenticated;

REVOKE ALL ON FUNCTION public.update_segment(p_id uuid, p_name text, p_rules jsonb, p_description text, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_segment(p_id uuid, p_name text, p_rules jsonb, p_description text, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.update_tag(p_id uuid, p_name text, p_color text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_tag(p_id uuid, p_name text, p_color text) TO authenticated;

REVOKE ALL ON FUNCTION public.update_template(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_template(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION worker.advance_campaigns() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.advance_campaigns() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.announce_sender(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.announce_sender(p_lock_key integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_bulk_change(p_job_id uuid, p_holder uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_bulk_change(p_job_id uuid, p_holder uuid, p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_messages(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_messages(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_statuses(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_statuses(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_template_events(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_template_events(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_template_list(p_org_id uuid, p_waba_id text, p_templates jsonb, p_is_complete boolean, p_asked_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_template_list(p_org_id uuid, p_waba_id text, p_templates jsonb, p_is_complete boolean, p_asked_at timestamp with time zone) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_user_preferences(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_user_preferences(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.blank_webhooks(p_job_id uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.blank_webhooks(p_job_id uuid, p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_account_checks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_account_checks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_jobs(p_holder uuid, p_lock_key integer, p_seconds integer, p_limit integer, p_kinds text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_jobs(p_holder uuid, p_lock_key integer, p_seconds integer, p_limit integer, p_kinds text[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_template_work(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_template_work(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_webhooks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_webhooks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.conversion_secret(p_org_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.conversion_secret(p_org_id uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.expired_files(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.expired_files(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.export_page(p_job_id uuid, p_holder uuid, p_after integer, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.export_page(p_job_id uuid, p_holder uuid, p_after integer, p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.extend_jobs(p_holder uuid, p_job_ids uuid[], p_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.extend_jobs(p_holder uuid, p_job_ids uuid[], p_seconds integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.fail_job(p_job_id uuid, p_holder uuid, p_problem text) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.fail_job(p_job_id uuid, p_holder uuid, p_problem text) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.feed_campaigns(p_limit_per_number integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.feed_campaigns(p_limit_per_number integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.finish_export(p_job_id uuid, p_holder uuid, p_path text, p_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.finish_export(p_job_id uuid, p_holder uuid, p_path text, p_rows integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.finish_import(p_job_id uuid, p_holder uuid, p_errors_path text) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.finish_import(p_job_id uuid, p_holder uuid, p_errors_path text) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.finish_webhooks(p_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.finish_webhooks(p_ids bigint[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.fold_sent_messages(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.fold_sent_messages(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.import_batch(p_job_id uuid, p_holder uuid, p_from bigint, p_to bigint, p_lines jsonb, p_total integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.import_batch(p_job_id uuid, p_holder uuid, p_from bigint, p_to bigint, p_lines jsonb, p_total integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.import_errors(p_job_id uuid, p_holder uuid, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.import_errors(p_job_id uuid, p_holder uuid, p_after bigint, p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.import_state(p_job_id uuid, p_holder uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.import_state(p_job_id uuid, p_holder uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.maintain_segments(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.maintain_segments(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.purge(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.purge(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.purge_jobs(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.purge_jobs(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.purge_link_clicks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.purge_link_clicks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.purge_segment_events(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.purge_segment_events(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.queue_figures() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.queue_figures() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_account_events(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_account_events(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_conversion(p_org_id uuid, p_body jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_conversion(p_org_id uuid, p_body jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_import_head(p_job_id uuid, p_holder uuid, p_size bigint, p_head bytea, p_sheet_rows jsonb, p_sheet text, p_rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_import_head(p_job_id uuid, p_holder uuid, p_size bigint, p_head bytea, p_sheet_rows jsonb, p_sheet text, p_rows bigint) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_sends(p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_sends(p_results jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_template_work(p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_template_work(p_results jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.rejected_webhooks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.rejected_webhooks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.release_job(p_job_id uuid, p_holder uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.release_job(p_job_id uuid, p_holder uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.release_leases(p_holder uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.release_leases(p_holder uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.replay_webhooks(p_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.replay_webhooks(p_ids bigint[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.start_due_campaigns() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.start_due_campaigns() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.start_export(p_job_id uuid, p_holder uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.start_export(p_job_id uuid, p_holder uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.store_webhooks(p_bodies bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.store_webhooks(p_bodies bytea[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.suspend_number(p_account_id uuid, p_reason text, p_credential_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.suspend_number(p_account_id uuid, p_reason text, p_credential_id uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.sweep_windows(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.sweep_windows(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.versions() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.versions() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.wabas_to_sync(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.wabas_to_sync(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.wake_snoozed(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.wake_snoozed(p_limit integer) TO octopush_worker;

GRANT SELECT ON TABLE public.activity_log TO authenticated;
GRANT SELECT ON TABLE public.activity_log TO service_role;

GRANT SELECT ON TABLE public.campaign_variants TO authenticated;
GRANT SELECT ON TABLE public.campaign_variants TO service_role;

GRANT SELECT ON TABLE public.contact_consents TO authenticated;
GRANT SELECT ON TABLE public.contact_consents TO service_role;

GRANT SELECT ON TABLE public.contact_tags TO authenticated;
GRANT SELECT ON TABLE public.contact_tags TO service_role;

GRANT SELECT ON TABLE public.conversation_list TO authenticated;
GRANT SELECT ON TABLE public.conversation_list TO service_role;

GRANT SELECT ON TABLE public.notifications TO authenticated;
GRANT SELECT ON TABLE public.notifications TO service_role;

GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT ON TABLE public.profiles TO service_role;

GRANT SELECT ON TABLE public.opportunity_list TO authenticated;
GRANT SELECT ON TABLE public.opportunity_list TO service_role;

GRANT SELECT(id) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(org_id) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(email) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(role) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(invited_by) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(expires_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(accepted_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(revoked_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(created_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT ON TABLE public.org_memberships TO authenticated;
GRANT SELECT ON TABLE public.org_memberships TO service_role;

GRANT SELECT ON TABLE public.organizations TO authenticated;
GRANT SELECT ON TABLE public.organizations TO service_role;

GRANT SELECT ON TABLE public.segment_pins TO authenticated;
GRANT SELECT ON TABLE public.segment_pins TO service_role;

GRANT SELECT ON TABLE public.tag_usage TO authenticated;
GRANT SELECT ON TABLE public.tag_usage TO service_role;

GRANT SELECT ON TABLE public.whatsapp_events TO authenticated;
GRANT SELECT ON TABLE public.whatsapp_events TO service_role;

