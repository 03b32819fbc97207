-- What contacts did with campaigns and flows, as compiled rules and private.segment_facts read it: one row a contact and campaign. No flows
-- exist yet: their room replaces its view, keeps the columns, and puts the contacts concerned into private.contact_changes, as
-- private.queue_contacts_of_reactions does for campaigns.

create or replace view private.campaign_reactions as
select r.org_id, r.contact_id, r.campaign_id, coalesce(r.delivered_at, r.read_at) as received_at, r.read_at, r.replied_at, r.clicked_at
from public.campaign_recipients r
where coalesce(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) is not null and r.exclusion_reason is null;

create or replace view private.flow_runs as
select null::uuid as org_id, null::uuid as contact_id, null::uuid as flow_id, null::text as status
where false;
comment on view private.flow_runs is 'status: in_progress or completed.';
