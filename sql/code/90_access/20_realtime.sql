-- Who may listen to which private topic, and show presence on it. Nobody may broadcast from a browser: what is heard comes from the database.

create or replace function private.may_hear(p_topic text)
returns boolean
language sql stable security definer
set search_path = ''
as $$
    select case
        when p_topic !~ '^(org|conversation|user):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
        when p_topic like 'org:%' then split_part(p_topic, ':', 2)::uuid = any (private.my_org_ids())
        when p_topic like 'user:%' then split_part(p_topic, ':', 2)::uuid = (select auth.uid())
        else exists (
            select from public.conversations c
            where c.id = split_part(p_topic, ':', 2)::uuid and c.org_id = any (private.my_org_ids()))
    end
$$;

create policy octopush_topic_select on realtime.messages for select to authenticated
    using (extension in ('broadcast', 'presence') and private.may_hear((select realtime.topic())));
create policy octopush_presence_insert on realtime.messages for insert to authenticated
    with check (extension = 'presence' and private.may_hear((select realtime.topic())));
