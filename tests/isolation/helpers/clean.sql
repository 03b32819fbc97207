-- Takes away what helpers/sessions.sql committed.

reset role;
select dblink_disconnect(name) from tests.sessions;
delete from public.organizations;
delete from auth.users u where u.email like '%@people.test';
delete from private.webhook_events;
delete from private.parked_statuses;
delete from vault.secrets s where s.name like 'tests:%' or s.name like 'whatsapp:%';
delete from realtime.messages;
set client_min_messages = warning;
drop schema tests cascade;
:real_clock;
