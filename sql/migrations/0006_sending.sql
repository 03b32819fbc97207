-- The outbox and the leases of phone numbers (design §8).
-- Must stay true: a row is here exactly while the fate of its message at Meta is open. ready: to be handed over. sending: the intent is on
-- record and its holder lives. uncertain: the answer was lost; only a status webhook or a late answer of the same attempt settles it, it is
-- never handed out again. Only the holder of a number's lease may claim.

create table private.outbox (
    message_id uuid primary key references public.messages (id) on delete cascade,
    seq bigint generated always as identity,
    org_id uuid not null,
    -- No key to the number or the conversation: the message has them, and the row goes with it.
    whatsapp_account_id uuid not null,
    conversation_id uuid not null,
    -- 0 replies, 1 flows, 2 campaigns: replies leave first.
    lane smallint not null default 0 check (lane between 0 and 2),
    state text not null default 'ready' check (state in ('ready', 'sending', 'uncertain')),
    attempt integer not null default 0,
    ready_at timestamptz not null default now(),
    holder uuid,
    intent_at timestamptz,
    constraint outbox__sending__check check ((state = 'ready') = (holder is null and intent_at is null))
);
comment on table private.outbox is 'Messages ready to be sent now. Small by construction: rows leave when Meta has answered.';
create index outbox__ready__idx on private.outbox (whatsapp_account_id, lane, seq) where state = 'ready';
create index outbox__ready_at__idx on private.outbox (whatsapp_account_id, ready_at) where state = 'ready';
create index outbox__sending__idx on private.outbox (whatsapp_account_id) where state = 'sending';
create index outbox__conversation__idx on private.outbox (conversation_id, seq) where state <> 'uncertain';
alter table private.outbox set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

create table private.phone_leases (
    whatsapp_account_id uuid primary key references public.whatsapp_accounts (id) on delete cascade,
    holder uuid not null,
    -- The holder's session keeps pg_advisory_lock(lock_class, lock_key): when the process dies the lock goes, and with it the lease.
    lock_key integer not null,
    lease_until timestamptz not null
);

create table private.parked_statuses (
    id bigint generated always as identity primary key,
    phone_number_id text not null,
    wa_message_id text not null,
    status jsonb not null,
    created_at timestamptz not null default clock_timestamp()
);
comment on table private.parked_statuses is 'Statuses that overtook the record of their own message; applied when it is written, dropped after a day.';
create index parked_statuses__message__idx on private.parked_statuses (wa_message_id);
create index parked_statuses__created_at__idx on private.parked_statuses (created_at);

alter table private.outbox enable row level security;
alter table private.phone_leases enable row level security;
alter table private.parked_statuses enable row level security;
