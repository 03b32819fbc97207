-- Everything we hold about one person, for that person (right of access). Called by the contact's page.
-- Must stay true: a table that comes to hold personal data of contacts is added here and to erase_contact.

create or replace function public.export_contact(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.export_contact(uuid) is
    'One person''s data as JSON: contact, tags, segments, consents, conversations with messages, links followed, sales opportunities, activity. Errors: AUTH_003, CONTACT_001, CONTACT_010.';
