-- Every message of a campaign is one insert and some updates of these tables: indexes that nobody needs for them are left out.

-- Texts of campaigns are not searched in the inbox (40_inbox/40_search.sql): a hundred thousand copies would hide what people wrote.
drop index public.messages__text__idx;
create index messages__text__idx on public.messages using gin (to_tsvector('simple'::regconfig, coalesce(body, ''))) where campaign_id is null;

-- The keys they served are found by messages__conversation__idx and by the unique (whatsapp_account_id, contact_id).
drop index public.messages__org_conversation__idx;
drop index public.conversations__account__idx;

-- Only what Meta put off waits for a moment that is still to come.
drop index private.outbox__ready_at__idx;
create index outbox__retry__idx on private.outbox (whatsapp_account_id, ready_at) where state = 'ready' and attempt > 0;

-- Now worker.fold_sent_messages: the maintenance role calls it by itself.
drop function if exists private.fold_sent_messages(integer);
comment on table private.sent_messages is
    'Messages to contacts, not yet counted in contacts.messages_sent: those of campaigns, which a worker adds up every minute, and those whose contact was locked by somebody else. Whoever sends holds the conversation and must not wait for the contact, so there is no key to it either.';
