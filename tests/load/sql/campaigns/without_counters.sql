-- The ledger goes on being written; nobody counts.
alter table public.campaign_recipients disable trigger campaign_recipients__count_insert;
alter table public.campaign_recipients disable trigger campaign_recipients__count_update;
alter table public.campaign_recipients disable trigger campaign_recipients__count_delete
