-- The feed and the bells of the demo. Run once, as postgres, after 40_inbox.sql in the same transaction.

insert into public.activity_log (org_id, kind, contact_id, data, created_at)
select c.org_id, 'contact.created', c.id, jsonb_build_object('source', c.source), c.created_at
from public.contacts c
where c.org_id = '0192de30-0000-7000-8000-000000000001' and c.created_at > now() - interval '60 days';

insert into public.activity_log (org_id, kind, actor_id, contact_id, conversation_id, data, created_at)
select t.org_id, 'conversation.assigned', '0192de30-0000-7000-8000-0000000000a2', t.contact_id, t.conversation_id,
    jsonb_build_object('user_id', t.assignee), t.last_inbound_at
from demo_threads t where t.assignee is not null and t.age < interval '20 days';

insert into public.activity_log (org_id, kind, actor_id, contact_id, conversation_id, created_at)
select t.org_id, 'conversation.resolved', coalesce(t.assignee, '0192de30-0000-7000-8000-0000000000a4'), t.contact_id, t.conversation_id,
    least(t.last_inbound_at + interval '25 minutes', now() - interval '1 second')
from demo_threads t where t.status = 'resolved' and t.age < interval '20 days';

insert into public.notifications (org_id, user_id, kind, priority, data, read_at, created_at)
select t.org_id, t.assignee, 'conversation.assigned', 'high',
    jsonb_build_object('conversation_id', t.conversation_id, 'contact_id', t.contact_id, 'by', '0192de30-0000-7000-8000-0000000000a2'),
    case when t.age > interval '10 hours' then now() - interval '1 hour' end, t.last_inbound_at + interval '1 minute'
from demo_threads t where t.assignee is not null and t.age < interval '3 days';

insert into public.notifications (org_id, user_id, kind, priority, data, created_at)
select t.org_id, u.user_id, 'conversation.window_closing', 'high',
    jsonb_build_object('conversation_id', t.conversation_id, 'contact_id', t.contact_id), t.last_inbound_at + interval '23 hours'
from demo_threads t
cross join (values ('0192de30-0000-7000-8000-0000000000a1'::uuid), ('0192de30-0000-7000-8000-0000000000a2'::uuid)) as u (user_id)
where t.age between interval '23 hours' and interval '24 hours';

-- The planner's figures of a database that was filled in one go; only the owner of the tables may ask for them.
analyze public.contacts, public.conversations, public.messages, public.contact_tags, public.activity_log, public.notifications;
