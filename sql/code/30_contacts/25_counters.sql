-- messages_sent and last_message_at of contacts as we write to them; what they write is folded by worker.apply_messages, which holds them.
-- Messages of campaigns are counted within a minute (worker.fold_sent_messages): writing to every index of a contact costs as much as sending.
-- Must stay true: messages_sent + what waits in private.sent_messages equals a recount of outbound messages; whoever sends holds a
-- conversation already and never waits for a contact (lock order: contacts before conversations).

create or replace function private.count_sent()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if not exists (select from new_messages m where m.direction = 'outbound') then
        return null;
    end if;
    with sent as materialized (
        select m.org_id, m.contact_id, count(*)::integer as sent, max(m.occurred_at) as last_at, bool_or(m.campaign_id is not null) as is_campaign
        from new_messages m where m.direction = 'outbound' group by m.org_id, m.contact_id
    ), free as materialized (
        -- With the counts: the planner takes sent for a row or two, and would look through it for each of hundreds of contacts.
        select c.id, s.sent, s.last_at from sent s join public.contacts c on c.id = s.contact_id where not s.is_campaign
        order by c.id for no key update of c skip locked
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from free f where c.id = f.id
    )
    insert into private.sent_messages (org_id, contact_id, sent, last_at)
    select s.org_id, s.contact_id, s.sent, s.last_at from sent s where s.contact_id not in (select f.id from free f);
    return null;
end
$$;

create or replace trigger messages__count_sent after insert on public.messages
    referencing new table as new_messages for each statement execute function private.count_sent();

-- Counts what waits, for contacts nobody holds. Called by the maintenance role, every minute.
create or replace function worker.fold_sent_messages(p_limit integer)
returns integer
language sql volatile security definer
set search_path = ''
-- The queue is empty when it is analysed, and a plan for that would read all of it for each contact.
set enable_seqscan = off
as $$
    with lines as materialized (
        select x.contact_id from private.sent_messages x order by x.id limit p_limit
    ), waiting as materialized (
        select distinct l.contact_id from lines l
    ), free as materialized (
        select c.id from public.contacts c where c.id in (select w.contact_id from waiting w) order by c.id for no key update skip locked
    ), taken as (
        delete from private.sent_messages w
        where w.contact_id = any (array(
            select f.id from free f
            union all
            -- Gone with its organisation.
            select x.contact_id from waiting x where not exists (select from public.contacts c where c.id = x.contact_id)))
        returning w.contact_id, w.sent, w.last_at
    ), folded as (
        -- What was taken back before it was sent was no last message.
        select t.contact_id, sum(t.sent)::integer as sent, case when sum(t.sent) > 0 then max(t.last_at) end as last_at
        from taken t group by t.contact_id
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from folded f where c.id = f.contact_id
    )
    -- Those that others hold count as looked at: one of them among the first must not end the sweep, all of them must.
    select case when exists (select from taken) then (select count(*)::integer from lines) else 0 end
$$;
comment on function worker.fold_sent_messages(integer) is 'Counts about p_limit messages that wait. Fewer than p_limit: that was all for now.';
