-- Tags of an organisation and of a contact (PRD §5.5).
-- Must stay true: at most 50 tags an organisation; names unique without regard to case.

create or replace function public.create_tag(p_org_id uuid, p_name text, p_color text default '#868e96')
returns public.tags
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.create_tag(uuid, text, text) is 'p_color: #rrggbb. Errors: AUTH_003, ORG_001, TAG_002 (limit), TAG_003 (name taken), TAG_004 (invalid).';

create or replace function private.tag_for(p_id uuid)
returns public.tags
language plpgsql stable
set search_path = ''
as $$
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

create or replace function public.update_tag(p_id uuid, p_name text, p_color text default null)
returns public.tags
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.update_tag(uuid, text, text) is 'p_color: #rrggbb, null leaves it. Errors: AUTH_003, TAG_001, TAG_003 (name taken), TAG_004 (invalid).';

create or replace function public.delete_tag(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.delete_tag(uuid) is 'Also takes it off every contact. Errors: AUTH_003, TAG_001.';

-- The contact, whose row the caller has locked, has exactly these tags afterwards; whether that changed anything.
create or replace function private.put_tags(p_contact public.contacts, p_tag_ids uuid[])
returns boolean
language plpgsql volatile
set search_path = ''
as $$
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

-- Locks the tags against deletion until the links are written. Error: TAG_001.
create or replace function private.check_tags(p_org_id uuid, p_tag_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform t.id from public.tags t where t.org_id = p_org_id and t.id = any (p_tag_ids) order by t.id for key share;
    if exists (select from unnest(p_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
end
$$;

create or replace function public.set_contact_tags(p_id uuid, p_tag_ids uuid[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    if private.put_tags(v_contact, p_tag_ids) then
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;
comment on function public.set_contact_tags(uuid, uuid[]) is
    'The contact has exactly these tags afterwards. Errors: AUTH_003, CONTACT_001, CONTACT_010, TAG_001.';

create or replace view public.tag_usage with (security_invoker = true) as
select t.id as tag_id, t.org_id, (
    select count(*) from public.contact_tags ct join public.contacts c on c.org_id = ct.org_id and c.id = ct.contact_id and c.deleted_at is null
    where ct.org_id = t.org_id and ct.tag_id = t.id) as contacts
from public.tags t;
comment on view public.tag_usage is 'How many contacts outside the trash carry each tag.';
