-- What contacts did with campaigns and flows, as compiled rules and private.segment_facts read it. Empty until campaigns and flows exist:
-- their rooms then replace these views, keep the columns, and put the contacts concerned into private.contact_changes.

create or replace view private.campaign_reactions as
select null::uuid as org_id, null::uuid as contact_id, null::uuid as campaign_id, null::timestamptz as received_at, null::timestamptz as read_at,
    null::timestamptz as replied_at, null::timestamptz as clicked_at
where false;

create or replace view private.flow_runs as
select null::uuid as org_id, null::uuid as contact_id, null::uuid as flow_id, null::text as status
where false;
comment on view private.flow_runs is 'status: in_progress or completed.';
