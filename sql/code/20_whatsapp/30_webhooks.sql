-- Webhooks: stored as received, then claimed and applied. Called by the webhook and apply roles of the worker.
-- Must stay true: store_webhooks returns only after every body is a row of the transaction; claiming and applying are one transaction,
-- so a crash gives the rows back; a row that cannot be understood is kept as rejected with its problem.

create or replace function worker.store_webhooks(p_bodies bytea[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.webhook_events (body) select b from unnest(p_bodies) b;
    -- Once for the whole batch: NOTIFY serialises commits (reference/model-codebases.md §3.1).
    perform pg_catalog.pg_notify('octopush_apply', '');
end
$$;
comment on function worker.store_webhooks(bytea[]) is 'Keeps raw bodies, many requests in one commit. Called before Meta is answered.';

create or replace function worker.claim_webhooks(p_limit integer)
returns table (id bigint, body bytea)
language sql volatile security definer
set search_path = ''
as $$
    select e.id, e.body from private.webhook_events e
    where e.state = 'received' order by e.id limit p_limit for update skip locked
$$;

create or replace function worker.finish_webhooks(p_ids bigint[])
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.webhook_events set state = 'applied', applied_at = clock_timestamp(), problem = null where id = any (p_ids)
$$;

create or replace function worker.reject_webhook(p_id bigint, p_problem text)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.webhook_events set state = 'rejected', applied_at = clock_timestamp(), attempts = attempts + 1, problem = left(p_problem, 2000)
    where id = p_id
$$;
comment on function worker.reject_webhook(bigint, text) is 'Kept, not understood: listed by worker.rejected_webhooks, tried again by worker.replay_webhooks.';

create or replace function worker.rejected_webhooks(p_limit integer)
returns table (id bigint, received_at timestamptz, problem text, bytes integer)
language sql stable security definer
set search_path = ''
as $$
    select e.id, e.received_at, e.problem, length(e.body) from private.webhook_events e
    where e.state = 'rejected' order by e.id desc limit p_limit
$$;

create or replace function worker.replay_webhooks(p_ids bigint[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_count integer;
begin
    -- Safe for applied rows too: applying is idempotent. null: everything that was rejected.
    update private.webhook_events e set state = 'received'
    where case when p_ids is null then e.state = 'rejected' else e.id = any (p_ids) end;
    get diagnostics v_count = row_count;
    perform pg_catalog.pg_notify('octopush_apply', '');
    return v_count;
end
$$;

create or replace function worker.record_account_events(p_events jsonb)
returns void
language sql volatile security definer
set search_path = ''
as $$
    -- An item about a WABA concerns every organisation that receives for one of its numbers.
    insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, webhook_event_id, body_hash)
    select a.org_id, a.id, left(coalesce(e.field, ''), 200), coalesce(e.payload, 'null'), e.webhook_event_id, decode(e.body_hash, 'hex')
    from jsonb_to_recordset(p_events) as e (waba_id text, phone_number_id text, field text, payload jsonb, webhook_event_id bigint, body_hash text)
    join lateral (
        select x.org_id, x.id from public.whatsapp_accounts x
        where x.is_receiving
            and case when e.phone_number_id is not null then x.phone_number_id = e.phone_number_id else x.waba_id = e.waba_id end
        limit 100
    ) a on true
    on conflict do nothing
$$;
comment on function worker.record_account_events(jsonb) is '[{waba_id, phone_number_id?, field, payload, webhook_event_id, body_hash (hex)}]: kept for people to see.';
