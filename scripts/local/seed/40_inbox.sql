-- 242 conversations in every state the inbox knows, with their messages. Times count back from now, so that the windows of a fresh demo
-- stand at every colour. Run once, as postgres, after 30_scripts.sql in the same transaction.

-- One row a conversation: how long ago the customer wrote last, and what became of it.
create temporary table demo_threads on commit drop as
select
    t.*,
    now() - t.age as last_inbound_at,
    case t.i % 3 when 1 then '0192de30-0000-7000-8000-0000000000a4'::uuid when 2 then '0192de30-0000-7000-8000-0000000000a5'::uuid end as assignee,
    octopush.uuid_v7() as conversation_id
from (
    select
        c.id as contact_id, c.org_id, c.i, (c.i * 5 + c.i / 14) % 14 as script,
        case
            when c.i <= 12 then interval '3 minutes' * c.i
            when c.i <= 40 then interval '40 minutes' * (c.i - 11)
            when c.i <= 52 then interval '20 hours' + interval '14 minutes' * (c.i - 40)
            when c.i <= 60 then interval '23 hours' + interval '6 minutes' * (c.i - 52)
            else interval '25 hours' + interval '7 hours' * (c.i - 60)
        end as age,
        case
            when c.i between 13 and 40 and c.i % 5 = 0 then 'resolved'
            when c.i between 13 and 40 and c.i % 4 = 1 then 'pending'
            when c.i <= 60 then 'open'
            when c.i % 5 < 2 then 'expired'
            else 'resolved'
        end as status,
        -- The customer has the last word, and nobody has read it.
        c.i <= 12 or (c.i between 41 and 60 and c.i % 2 = 0) or (c.i between 61 and 90 and c.i % 9 = 0) as is_unread
    from (
        select c.*, substring(coalesce(c.wa_id, '6012000' || right(c.username, 3)) from 8)::integer as i
        from public.contacts c where c.org_id = '0192de30-0000-7000-8000-000000000001' and c.deleted_at is null
    ) c
    where c.i <= 240 or c.wa_id is null
) t;

-- An unread thread ends at a customer's word, every other one where its script ends. Some have older episodes, one a long history.
create temporary table demo_lines on commit drop as
with episodes as (
    select t.*, e.episode, (t.script + e.episode * 3) % 14 as episode_script
    from demo_threads t
    cross join lateral generate_series(0, case when t.i = 5 then 30 when t.i % 4 = 0 then 1 when t.i % 11 = 0 then 3 else 0 end) as e (episode)
), lines as (
    select
        e.conversation_id, e.org_id, e.contact_id, e.i, e.is_unread, e.assignee, e.episode, s.seq, s.side, s.type, s.body, s.payload,
        e.last_inbound_at - interval '9 days' * e.episode as anchor,
        max(s.seq) filter (where s.side = 'c') over (partition by e.conversation_id, e.episode) as last_customer_seq,
        max(s.seq) filter (where s.side = 'a') over (partition by e.conversation_id, e.episode) as last_agent_seq,
        max(s.seq) over (partition by e.conversation_id, e.episode) as last_seq
    from episodes e join demo_scripts s on s.script = e.episode_script
)
select
    l.*,
    octopush.uuid_v7() as message_id,
    -- Whole conversations take minutes; what follows the customer's last word follows quickly.
    l.anchor + (l.seq - l.last_customer_seq) * interval '1 second' * (50 + l.i % 90) as occurred_at,
    'wamid.DEMO' || upper(md5(l.i || ':' || l.episode || ':' || l.seq)) as wa_message_id
from lines l
where not (l.is_unread and l.episode = 0 and l.seq > l.last_customer_seq);

insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, assigned_to, window_expires_at, window_warned_at, snoozed_until,
    last_inbound_at, last_message_at, created_at, updated_at)
select
    t.conversation_id, t.org_id, a.id, t.contact_id, t.status, t.assignee, t.last_inbound_at + interval '24 hours',
    case when t.age > interval '22 hours' then now() end,
    case when t.status = 'pending' then now() + interval '1 hour' * (2 + t.i % 20) end,
    t.last_inbound_at, t.last_inbound_at, t.last_inbound_at - interval '30 days', t.last_inbound_at
from demo_threads t
join public.whatsapp_accounts a on a.org_id = t.org_id;

insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, wa_message_id, status,
    error_code, error_message, sent_by, reactions, occurred_at, accepted_at, sent_at, delivered_at, read_at, failed_at, created_at)
select
    l.message_id, l.org_id, l.conversation_id, v.whatsapp_account_id, l.contact_id,
    case l.side when 'c' then 'inbound' when 'a' then 'outbound' else 'internal' end,
    l.type, l.body, l.payload,
    case when l.side <> 'n' and o.status is distinct from 'failed' then l.wa_message_id end,
    coalesce(o.status, 'received'),
    case when o.status = 'failed' then o.error_code end,
    case when o.status = 'failed' then (array['Message undeliverable', 'Re-engagement message', 'Media upload error'])[1 + l.i % 3] end,
    case when l.side <> 'c' then coalesce(l.assignee, '0192de30-0000-7000-8000-0000000000a4'::uuid) end,
    case when o.status = 'read' and l.i % 8 = 3 then jsonb_build_object('contact', jsonb_build_object('emoji', '❤️', 'at', l.occurred_at + interval '2 minutes')) else '{}' end,
    l.occurred_at,
    case when o.status in ('sent', 'delivered', 'read') then l.occurred_at + interval '400 milliseconds' end,
    case when o.status in ('sent', 'delivered', 'read') then l.occurred_at + interval '1 second' end,
    case when o.status in ('delivered', 'read') then l.occurred_at + interval '2 seconds' end,
    case when o.status = 'read' then l.occurred_at + interval '20 seconds' end,
    case when o.status = 'failed' then l.occurred_at + interval '1 second' end,
    l.occurred_at + interval '300 milliseconds'
from demo_lines l
join public.conversations v on v.id = l.conversation_id
left join lateral (
    select
        case
            when l.episode > 0 or l.seq < l.last_agent_seq then 'read'
            when l.i % 13 = 0 then 'failed'
            when l.i % 7 = 0 then 'sent'
            when l.i % 7 = 1 then 'delivered'
            else 'read'
        end as status,
        (array['131026', '131047', '131053'])[1 + l.i % 3] as error_code
    where l.side = 'a'
) o on true;

-- Every fifth answer quotes what it answers.
update public.messages m set reply_to_message_id = q.message_id, reply_to_wa_message_id = q.wa_message_id
from demo_lines l
join demo_lines q on q.conversation_id = l.conversation_id and q.episode = l.episode and q.seq = l.seq - 1 and q.side = 'c'
where m.id = l.message_id and l.side = 'a' and l.i % 5 = 2;

-- The lines the product itself writes.
insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, payload, status, sent_by, occurred_at, created_at)
select t.org_id, t.conversation_id, v.whatsapp_account_id, t.contact_id, 'internal', 'system', e.payload, 'received',
    '0192de30-0000-7000-8000-0000000000a2', e.at, e.at
from demo_threads t
join public.conversations v on v.id = t.conversation_id
cross join lateral (
    select jsonb_build_object('event', 'assigned', 'user_id', t.assignee) as payload,
        (select min(l.occurred_at) from demo_lines l where l.conversation_id = t.conversation_id and l.episode = 0) + interval '20 seconds' as at
    where t.assignee is not null
    union all
    select jsonb_build_object('event', 'resolved'), least(t.last_inbound_at + interval '25 minutes', now() - interval '1 second')
    where t.status = 'resolved'
    union all
    select jsonb_build_object('event', 'snoozed', 'until', v.snoozed_until), least(t.last_inbound_at + interval '12 minutes', now() - interval '1 second')
    where t.status = 'pending'
) e;

-- What the product keeps about each thread, recounted from its messages.
update public.conversations c set
    last_read_at = s.read_until,
    unread_count = (
        select count(*) from public.messages m where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at > s.read_until
    ),
    last_message_id = s.id,
    last_message_at = s.occurred_at,
    last_message_preview = left(s.body, 160),
    last_message_type = s.type,
    last_message_direction = s.direction,
    created_at = least(c.created_at, s.first_at),
    updated_at = s.occurred_at
from (
    select t.conversation_id, last.*,
        (select min(l.occurred_at) from demo_lines l where l.conversation_id = t.conversation_id) as first_at,
        case when t.is_unread then coalesce(
            (select max(m.created_at) from public.messages m where m.conversation_id = t.conversation_id and m.direction = 'outbound'), '-infinity')
            else now() end as read_until
    from demo_threads t
    cross join lateral (
        select m.id, m.occurred_at, m.body, m.type, m.direction from public.messages m
        where m.conversation_id = t.conversation_id and m.direction <> 'internal' order by m.occurred_at desc, m.id desc limit 1
    ) last
) s
where c.id = s.conversation_id;

-- What was said outwards is counted by the database as it is written.
update public.contacts p set last_message_at = greatest(p.last_message_at, t.last_inbound_at), last_inbound_at = t.last_inbound_at,
    messages_received = (select count(*) from public.messages m where m.conversation_id = t.conversation_id and m.direction = 'inbound')
from demo_threads t where p.id = t.contact_id;
