-- A template as a message of the inbox. Called by send_message and retry_message.
-- Must stay true: what is kept as payload.template is what Meta is handed; the template's account is the one the conversation is on.

-- p_payload: {"template_id", "values"}.
create or replace function private.sendable_template(p_org_id uuid, p_payload jsonb)
returns public.templates
language plpgsql stable
set search_path = ''
as $$
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
$$;

-- {"message", "body"} for one contact, the tokens of tracked buttons made.
create or replace function private.template_content(p_template public.templates, p_values jsonb, p_contact_id uuid, p_message_id uuid)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
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
