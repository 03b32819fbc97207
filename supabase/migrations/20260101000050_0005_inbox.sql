-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Conversations and messages (PRD §6; design §7).
-- Must stay true: one conversation per (number, contact); a Meta message id exists once per number;
-- unread_count = inbound messages with created_at > last_read_at; window_expires_at follows Meta's clock, all else ours.

create table public.conversations (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null,
    whatsapp_account_id uuid not null,
    contact_id uuid not null,
    status text not null default 'open' check (status in ('open', 'pending', 'resolved', 'expired')),
    -- A thread that only carries campaign messages stays out of the lists until the contact replies.
    is_quiet boolean not null default false,
    folder text not null generated always as (
        case when status = 'resolved' then 'resolved' when is_quiet then 'quiet' else 'active' end
    ) stored,
    assigned_to uuid references auth.users (id) on delete set null,
    window_expires_at timestamptz,
    window_warned_at timestamptz,
    snoozed_until timestamptz,
    unread_count integer not null default 0 check (unread_count >= 0),
    last_read_at timestamptz not null default '-infinity',
    last_inbound_at timestamptz,
    last_message_id uuid,
    last_message_at timestamptz not null default now(),
    last_message_preview text,
    last_message_type text,
    last_message_direction text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id),
    unique (whatsapp_account_id, contact_id),
    foreign key (org_id, whatsapp_account_id) references public.whatsapp_accounts (org_id, id) on delete cascade,
    foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade
);
comment on table public.conversations is 'The thread of a contact with one of our numbers. Read it through the view conversation_list.';
comment on column public.conversations.window_expires_at is 'Free-form messages may be sent until then: Meta''s time of the contact''s last message + 24 h.';
comment on column public.conversations.folder is 'active | resolved | quiet: the list a conversation is shown in; leads every list index.';
create index conversations__list__idx on public.conversations (org_id, folder, last_message_at desc, id desc);
create index conversations__assigned__idx on public.conversations (org_id, folder, assigned_to, last_message_at desc, id desc);
create index conversations__contact__idx on public.conversations (org_id, contact_id);
create index conversations__account__idx on public.conversations (org_id, whatsapp_account_id);
create index conversations__assigned_to__idx on public.conversations (assigned_to) where assigned_to is not null;
create index conversations__window__idx on public.conversations (window_expires_at) where status in ('open', 'pending');
create index conversations__snoozed__idx on public.conversations (snoozed_until) where snoozed_until is not null;
create index conversations__unread__idx on public.conversations (org_id) where unread_count > 0 and status <> 'resolved';
alter table public.conversations set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

create table public.messages (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null,
    conversation_id uuid not null,
    whatsapp_account_id uuid not null,
    contact_id uuid not null,
    direction text not null check (direction in ('inbound', 'outbound', 'internal')),
    type text not null check (type in ('text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts',
        'interactive', 'button', 'reaction', 'order', 'template', 'system', 'note', 'unsupported')),
    body text check (length(body) <= 10000),
    payload jsonb,
    wa_message_id text check (length(wa_message_id) <= 512),
    reply_to_wa_message_id text,
    reply_to_message_id uuid,
    status text not null check (status in ('received', 'pending', 'sent', 'failed', 'delivered', 'read')),
    is_uncertain boolean not null default false,
    error_code text,
    error_message text,
    client_key text check (length(client_key) between 8 and 100),
    -- Counts a person's retries: it travels to Meta with the id, so that a late status of an earlier try cannot settle this one.
    send_try smallint not null default 0,
    sent_by uuid references auth.users (id) on delete set null,
    reactions jsonb not null default '{}',
    occurred_at timestamptz not null default clock_timestamp(),
    accepted_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    foreign key (org_id, conversation_id) references public.conversations (org_id, id) on delete cascade,
    constraint messages__direction_status__check check ((direction = 'outbound') <> (status = 'received')),
    constraint messages__internal_type__check check ((direction = 'internal') = (type in ('system', 'note')) or direction = 'inbound')
);
comment on table public.messages is 'Everything said in a conversation, notes and system lines included. Ordered by (occurred_at, id).';
comment on column public.messages.occurred_at is 'Meta''s time for inbound messages, ours for the rest.';
comment on column public.messages.is_uncertain is 'Handed to Meta, but the answer was lost: settled by a status webhook, never sent again by itself.';
comment on column public.messages.client_key is 'The caller''s idempotency key: the same key again returns the same message.';
comment on column public.messages.error_code is 'A code of the error catalogue, or Meta''s numeric code as text.';
create index messages__conversation__idx on public.messages (conversation_id, occurred_at desc, id desc);
create unique index messages__wa_message_id__idx on public.messages (whatsapp_account_id, wa_message_id) where wa_message_id is not null;
create unique index messages__client_key__idx on public.messages (org_id, client_key) where client_key is not null;
create index messages__org_conversation__idx on public.messages (org_id, conversation_id);
create index messages__sent_by__idx on public.messages (sent_by) where sent_by is not null;
create index messages__uncertain__idx on public.messages (created_at) where is_uncertain;
create index messages__text__idx on public.messages using gin (to_tsvector('simple', coalesce(body, '')));
alter table public.messages set (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

alter table public.conversations enable row level security;
alter table public.messages enable row level security;

insert into private.schema_migrations (version, name, hash) values (5, '0005_inbox', '3dc71fc18eee65742b5ac4bb04f2cbd42b57c6bf1f1ab43ffa0110637b2c3b75');
