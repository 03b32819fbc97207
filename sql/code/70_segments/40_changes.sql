-- Every write that may move a contact into or out of a segment leaves a line in private.contact_changes: one a contact and statement,
-- in the transaction of the write. Statement triggers with transition tables; row triggers cost 40 times as much (design §10).
-- Must stay true: whatever compiled rules read of a contact is watched here. Comparing with EXCEPT and never with a join: the plan is
-- kept for the session, and one made for a single row must not meet ten thousand.

create or replace function private.queue_new_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select n.org_id, n.id from new_rows n;
    return null;
end
$$;

create or replace function private.queue_changed_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
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

create or replace function private.queue_deleted_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select o.org_id, o.id from old_rows o;
    return null;
end
$$;

-- Rows that come or go whole: of contact_tags and conversations.
create or replace function private.queue_contacts_of_new_rows()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct n.org_id, n.contact_id from new_rows n;
    return null;
end
$$;

create or replace function private.queue_contacts_of_old_rows()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_contacts_of_moved_tags()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select n.org_id, n.contact_id from new_rows n union select o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_contacts_of_changed_conversations()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
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

-- Of the ledgers of campaigns, when a rule asks for what people did with them: few organisations have one, and a ledger changes a million times.
create or replace function private.queue_contacts_of_reactions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
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

-- What rules are compiled with: a line without a contact stands for the whole organisation.
create or replace function private.queue_changed_definitions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
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

create or replace function private.queue_removed_definitions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id) select distinct o.org_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_changed_time_zones()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id)
    select x.id from (select n.id, n.time_zone from new_rows n except select o.id, o.time_zone from old_rows o) x;
    return null;
end
$$;

-- In place of keys, whose checks cost more than writing the members.
create or replace function private.forget_deleted_segments()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    delete from public.segment_members m using old_rows o where m.segment_id = o.id;
    delete from private.segment_events e using old_rows o where e.segment_id = o.id;
    return null;
end
$$;

create or replace trigger segments_insert after insert on public.contacts
    referencing new table as new_rows for each statement execute function private.queue_new_contacts();
create or replace trigger segments_update after update on public.contacts
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_contacts();
create or replace trigger segments_delete after delete on public.contacts
    referencing old table as old_rows for each statement execute function private.queue_deleted_contacts();

create or replace trigger segments_insert after insert on public.contact_tags
    referencing new table as new_rows for each statement execute function private.queue_contacts_of_new_rows();
create or replace trigger segments_update after update on public.contact_tags
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_moved_tags();
create or replace trigger segments_delete after delete on public.contact_tags
    referencing old table as old_rows for each statement execute function private.queue_contacts_of_old_rows();

create or replace trigger segments_insert after insert on public.conversations
    referencing new table as new_rows for each statement execute function private.queue_contacts_of_new_rows();
create or replace trigger segments_update after update on public.conversations
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_changed_conversations();
create or replace trigger segments_delete after delete on public.conversations
    referencing old table as old_rows for each statement execute function private.queue_contacts_of_old_rows();

create or replace trigger segments_update after update on public.custom_field_definitions
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_definitions();
create or replace trigger segments_delete after delete on public.custom_field_definitions
    referencing old table as old_rows for each statement execute function private.queue_removed_definitions();
create or replace trigger segments_update after update on public.organizations
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_time_zones();
create or replace trigger segments_delete after delete on public.segments
    referencing old table as old_rows for each statement execute function private.forget_deleted_segments();
create or replace trigger segments_update after update on public.campaign_recipients
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_reactions();
