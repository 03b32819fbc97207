-- How often a template was sent, delivered and read. Triggers append, workers add up.
-- Must stay true: private.template_counts + private.template_deltas equals a recount of messages, and templates.sent_count, delivered_count
-- and read_count + private.template_deltas do, too; whoever sends waits for no other sender (nobody touches a template's row at a send).

-- A function for each kind of trigger: each knows only the rows it has.
create or replace function private.count_new_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    -- Most are made before they are sent, and change nothing yet.
    if not exists (select from new_messages m where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), count(*),
        count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), count(m.read_at), max(m.created_at)
    from new_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

create or replace function private.count_gone_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), -count(*),
        -count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), -count(m.read_at)
    from old_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

create or replace function private.count_changed_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if not exists (select from new_messages m where m.template_id is not null) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select x.org_id, x.template_id, date_bin('15 minutes', x.created_at, '2000-01-01'), sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered),
        sum(x.sign * x.is_read), max(x.created_at) filter (where x.sign * x.is_sent > 0)
    from (
        select 1 as sign, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer as is_sent,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer as is_delivered, (m.read_at is not null)::integer as is_read
        from new_messages m where m.template_id is not null
        union all
        select -1, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer, (m.read_at is not null)::integer
        from old_messages m where m.template_id is not null
    ) x
    group by 1, 2, 3
    having (sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered), sum(x.sign * x.is_read)) <> (0, 0, 0);
    return null;
end
$$;

create or replace trigger messages__count_template_insert after insert on public.messages
    referencing new table as new_messages for each statement execute function private.count_new_template_messages();
create or replace trigger messages__count_template_update after update on public.messages
    referencing old table as old_messages new table as new_messages for each statement execute function private.count_changed_template_messages();
create or replace trigger messages__count_template_delete after delete on public.messages
    referencing old table as old_messages for each statement execute function private.count_gone_template_messages();

-- Adds up what was appended, for templates nobody holds.
create or replace function private.fold_template_counts()
returns void
language sql volatile
set search_path = ''
as $$
    with waiting as materialized (
        select d.id, d.template_id from private.template_deltas d order by d.id limit 20000
    ), free as materialized (
        select t.id from public.templates t where t.id in (select w.template_id from waiting w) order by t.id for no key update skip locked
    ), taken as materialized (
        delete from private.template_deltas d using waiting w
        where d.id = w.id and (d.template_id in (select f.id from free f)
            -- Gone with its organisation.
            or not exists (select from public.templates t where t.id = d.template_id))
        returning d.*
    ), slots as (
        insert into private.template_counts as c (template_id, slot, org_id, sent, delivered, read)
        select t.template_id, t.slot, t.org_id, sum(t.sent), sum(t.delivered), sum(t.read) from taken t join free f on f.id = t.template_id
        group by 1, 2, 3
        on conflict (template_id, slot) do update
        set sent = c.sent + excluded.sent, delivered = c.delivered + excluded.delivered, read = c.read + excluded.read
    )
    update public.templates t set sent_count = t.sent_count + s.sent, delivered_count = t.delivered_count + s.delivered,
        read_count = t.read_count + s.read, last_used_at = greatest(t.last_used_at, s.last_used_at)
    from (
        select k.template_id, sum(k.sent) as sent, sum(k.delivered) as delivered, sum(k.read) as read, max(k.last_used_at) as last_used_at
        from taken k group by 1
    ) s
    where t.id = s.template_id
$$;
