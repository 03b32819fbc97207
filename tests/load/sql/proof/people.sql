-- Contacts of organisation $1 as $3 [{"id", "facts"}] says, facts as private.segment_facts has them; conversations with number $2.
-- What the facts say of segments is left to the caller.
with people as materialized (
    select (x ->> 'id')::uuid as id, x -> 'facts' as facts from jsonb_array_elements($3) x
), contacts as (
    insert into public.contacts (id, org_id, phone, wa_id, username, full_name, email, company, job_title, address, notes, source, opt_in_status,
        opt_in_at, last_message_at, last_inbound_at, birthday, lifecycle_stage, custom_fields, messages_received, messages_sent, created_at)
    select p.id, $1, r.phone, r.wa_id, r.username, r.full_name, r.email, r.company, r.job_title, r.address, r.notes, r.source, r.opt_in_status,
        r.opt_in_at, r.last_message_at, r.last_inbound_at, r.birthday, r.lifecycle_stage, r.custom_fields, r.messages_received, r.messages_sent, r.created_at
    from people p, jsonb_populate_record(null::public.contacts, p.facts -> 'contact') r
    returning id
), tagged as (
    insert into public.contact_tags (org_id, contact_id, tag_id)
    select $1, p.id, t::uuid from people p, jsonb_array_elements_text(p.facts -> 'tags') t
), threads as (
    insert into public.conversations (org_id, whatsapp_account_id, contact_id, status)
    select $1, $2, p.id, case when (p.facts ->> 'has_active_conversation')::boolean then 'open' else 'resolved' end
    from people p where (p.facts ->> 'has_conversation')::boolean
), reactions as (
    insert into private.proof_reactions
    select $1, p.id, (r ->> 'id')::uuid, case when (r ->> 'received')::boolean then now() end, case when (r ->> 'read')::boolean then now() end,
        case when (r ->> 'replied')::boolean then now() end, case when (r ->> 'clicked')::boolean then now() end
    from people p, jsonb_array_elements(p.facts -> 'campaigns') r
)
insert into private.proof_runs
select $1, p.id, (r ->> 'id')::uuid, s.status
from people p, jsonb_array_elements(p.facts -> 'flows') r, unnest(array['in_progress', 'completed']) s (status)
where (r ->> s.status)::boolean
