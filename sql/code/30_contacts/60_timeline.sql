-- What happened with a contact, newest first (PRD §5.7). Called by the contact's page, 20 lines at a time.
-- Must stay true: everything is here once (what a message or a consent tells is not told again by the feed); a page costs the same for a
-- contact with three messages and one with fifty thousand: each source gives at most a page, by its index.

create or replace function public.contact_timeline(p_contact_id uuid, p_limit integer default 20, p_before text default null)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
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
comment on function public.contact_timeline(uuid, integer, text) is
    'Messages, notes, consent, tags, edits and assignments, newest first: message.received | message.sent | campaign.received | note.added | consent.changed | link.clicked | opportunity.* | contact.* | conversation.*. p_before: next of the page before. Errors: AUTH_002, AUTH_003, CONTACT_001, CONTACT_007, CONTACT_010.';
