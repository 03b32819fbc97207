-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Contacts, complete: custom fields, counters, consent on record, erasure, and the indexes of the list (PRD §5; design §6).
-- Must stay true: an erased contact keeps its row and has no identity; custom fields are at most 100 an organisation;
-- messages_received and messages_sent + what waits in private.sent_messages equal a recount.

create table public.custom_field_definitions (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    key text not null check (key ~ '^[a-z][a-z0-9_]{0,49}$'),
    label text not null check (length(label) between 1 and 80 and label = btrim(label)),
    type text not null check (type in ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice')),
    options text[] not null default '{}' check (cardinality(options) <= 100),
    position integer not null default 0,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint custom_field_definitions__options__check check ((type in ('choice', 'multi_choice')) = (cardinality(options) > 0))
);
comment on table public.custom_field_definitions is
    'What an organisation keeps about contacts beside our own fields. The key stands in contacts.custom_fields and in rules, and never changes.';
comment on column public.custom_field_definitions.archived_at is 'Archived: values stay and are shown, new ones are refused.';
create unique index custom_field_definitions__key__idx on public.custom_field_definitions (org_id, key);
create unique index custom_field_definitions__label__idx on public.custom_field_definitions (org_id, lower(label)) where archived_at is null;

alter table public.contacts
    add column messages_received integer not null default 0 check (messages_received >= 0),
    add column messages_sent integer not null default 0 check (messages_sent >= 0),
    add column last_inbound_at timestamptz,
    add column erased_at timestamptz,
    drop constraint contacts__identity__check,
    add constraint contacts__identity__check check (
        case when erased_at is null then coalesce(phone, wa_id, bsuid) is not null else coalesce(phone, wa_id, bsuid) is null end),
    add constraint contacts__erased__check check (erased_at is null or deleted_at is not null);
comment on column public.contacts.erased_at is 'The person was erased for good: nothing but counts is left.';
comment on column public.contacts.messages_sent is 'Messages we queued for this person, whatever became of them; see private.sent_messages.';

update public.contacts p set
    messages_received = m.received, messages_sent = m.sent, last_inbound_at = m.last_inbound_at,
    last_message_at = greatest(p.last_message_at, m.last_message_at)
from (
    select m.contact_id, count(*) filter (where m.direction = 'inbound') as received, count(*) filter (where m.direction = 'outbound') as sent,
        max(m.occurred_at) filter (where m.direction = 'inbound') as last_inbound_at,
        max(m.occurred_at) filter (where m.direction <> 'internal') as last_message_at
    from public.messages m group by m.contact_id
) m
where p.id = m.contact_id;

-- For the sort by last message, and for what moves out of "in the last N days" with no write.
create index contacts__last_message__idx on public.contacts (org_id, last_message_at desc, id desc) where deleted_at is null;
create index contacts__last_inbound__idx on public.contacts (org_id, last_inbound_at) where deleted_at is null and last_inbound_at is not null;
create index contacts__opt_in_at__idx on public.contacts (org_id, opt_in_at) where deleted_at is null and opt_in_at is not null;
create index contacts__trash__idx on public.contacts (org_id, deleted_at desc, id desc) where deleted_at is not null and erased_at is null;
-- Every message updates a row: room for it on the page, and early vacuums for index-only counts.
alter table public.contacts set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- What a search reads: narrow, of contacts that are not in the trash, and untouched by the messages that update contacts all day. The trigram
-- index on contacts itself cost every inbound message a third of its update and a search four times the pages.
create table private.contact_search (
    org_id uuid not null,
    contact_id uuid not null,
    created_at timestamptz not null,
    -- A blank, then name, phone, e-mail, company, user name and wa_id in small letters: '% ab%' finds the beginnings of words.
    search_text text collate "C" not null,
    -- No key: the triggers that keep the rows also take them away, and an import need not look up a hundred thousand contacts again.
    primary key (org_id, contact_id)
);
comment on table private.contact_search is 'Kept by triggers on contacts (sql/code/30_contacts/40_search.sql).';
insert into private.contact_search (org_id, contact_id, created_at, search_text)
select c.org_id, c.id, c.created_at, ' ' || c.search_text || coalesce(' ' || c.wa_id, '') from public.contacts c where c.deleted_at is null;
-- 512 kB: what waits in the pending list is read by every search.
create index contact_search__text__idx on private.contact_search using gin (search_text extensions.gin_trgm_ops) with (gin_pending_list_limit = 512);
drop index public.contacts__search__idx;

-- What private.contact_filter makes of a search: text of a source and of conditions, and the values they refer to.
create type private.contact_filter as (source text, condition text, rule_values text[], patterns text[]);

create table public.contact_consents (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null,
    contact_id uuid not null,
    old_status text check (old_status in ('opted_in', 'opted_out', 'pending')),
    new_status text not null check (new_status in ('opted_in', 'opted_out', 'pending')),
    source text not null check (source in ('form', 'whatsapp', 'import', 'manual')),
    evidence text check (length(evidence) <= 500),
    actor_id uuid references auth.users (id) on delete set null,
    -- When the person decided: Meta's time of a keyword, else the time of the record.
    decided_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade
);
comment on table public.contact_consents is 'Every change of a contact''s consent to marketing: who, when, from what to what, on what ground. Append-only.';
comment on column public.contact_consents.evidence is 'What shows it: a form''s name, a file, or the word and id of the message.';
create index contact_consents__contact__idx on public.contact_consents (org_id, contact_id, created_at desc, id desc);
create index contact_consents__actor_id__idx on public.contact_consents (actor_id) where actor_id is not null;

create table public.consent_keywords (
    org_id uuid not null references public.organizations (id) on delete cascade,
    kind text not null check (kind in ('stop', 'start')),
    word text not null check (length(word) between 1 and 40 and word = upper(word)),
    -- As it is compared: private.bare_word(word).
    bare text not null check (bare <> ''),
    primary key (org_id, bare)
);
comment on table public.consent_keywords is 'A message that is nothing but such a word withdraws or gives consent to marketing.';

create table private.sent_messages (
    id bigint generated always as identity primary key,
    org_id uuid not null,
    contact_id uuid not null,
    sent integer not null,
    last_at timestamptz not null
);
comment on table private.sent_messages is
    'Counts of sent messages whose contact was locked by somebody else at that moment. Whoever sends holds the conversation and must not wait for the contact, so there is no key to it either.';
create index sent_messages__contact__idx on private.sent_messages (contact_id);

create table private.erasures (
    -- No key: jobs come in a later migration, and the row goes when its work is done.
    job_id uuid primary key,
    org_id uuid not null,
    -- What names the person in raw webhooks and files. Gone with the row.
    needles text[] not null,
    -- Webhooks up to here are looked through; those after last_id came later.
    done_id bigint not null,
    last_id bigint not null,
    blanked integer not null default 0
);
comment on table private.erasures is 'What the background part of an erasure still looks for; worker.blank_webhooks works it off.';

-- The timeline of a contact skips what its messages tell already, by index: thousands of rows for somebody who writes a lot.
create index activity_log__timeline__idx on public.activity_log (org_id, contact_id, created_at desc, id desc)
    where contact_id is not null and kind not in ('message.received', 'conversation.created', 'conversation.note_added', 'contact.consent_changed');

alter table public.custom_field_definitions enable row level security;
alter table public.contact_consents enable row level security;
alter table public.consent_keywords enable row level security;
alter table private.sent_messages enable row level security;
alter table private.contact_search enable row level security;
alter table private.erasures enable row level security;

-- Gains p_evidence.
drop function if exists public.set_contact_consent(uuid, text, text);

insert into private.schema_migrations (version, name, hash) values (8, '0008_contacts', '1bd541397dfa0ac976b164284cbdb4b18c43df57146e460dd29df762111ac59d');
