-- Takes away what helpers/sessions.sql committed.

reset role;
select dblink_disconnect(name) from tests.sessions;
delete from public.organizations;
delete from auth.users u where u.email like '%@people.test';
-- Tables without a key to the organisation.
delete from private.erasures;
delete from private.sent_messages;
delete from private.contact_changes;
delete from private.segment_events;
delete from private.template_deltas;
delete from private.campaign_deltas;
delete from private.send_effects;
delete from private.portfolio_users;
delete from private.portfolio_minutes;
delete from private.links;
delete from private.link_clicks;
select set_config('storage.allow_delete_query', 'true', false);
delete from storage.objects;
delete from private.webhook_events;
delete from private.parked_statuses;
delete from vault.secrets s where s.name like 'tests:%' or s.name like 'conversions:%' or s.name like 'whatsapp:%';
delete from realtime.messages;
set client_min_messages = warning;
drop schema tests cascade;
:real_clock;
