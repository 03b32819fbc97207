-- The demo organisation and its people. The accounts exist already: octopush-local makes them through the Auth API under these ids.
-- Run as postgres, any number of times.

insert into public.organizations (id, name, country, time_zone, created_at)
values ('0192de30-0000-7000-8000-000000000001', 'Kopitiam Angsana Sdn Bhd', 'MY', 'Asia/Kuala_Lumpur', now() - interval '410 days')
on conflict (id) do nothing;

insert into public.profiles (user_id, full_name, email, created_at)
select u.id, u.raw_user_meta_data ->> 'full_name', u.email, now() - interval '400 days'
from auth.users u where u.email like '%@demo.octopush.test'
on conflict (user_id) do nothing;

insert into public.org_memberships (org_id, user_id, role, created_at)
select '0192de30-0000-7000-8000-000000000001', p.user_id, m.role, now() - interval '400 days'
from (
    values ('owner', 'owner'), ('admin', 'admin'), ('manager', 'campaign_manager'), ('agent', 'agent'), ('agent2', 'agent'), ('viewer', 'viewer')
) as m (mailbox, role)
join public.profiles p on p.email = m.mailbox || '@demo.octopush.test'
on conflict (org_id, user_id) do nothing;
