-- The ledger as people read it: page by page, searched, filtered, and as a file. Called by the campaign's page, and by the jobs worker through
-- 65_jobs/50_exports.sql.
-- Must stay true: members of the organisation only; a page is found by the ledger's key, whatever its size.

create or replace function private.recipient_row(p_recipient public.campaign_recipients, p_full_name text, p_phone text)
returns jsonb
language sql immutable
set search_path = ''
as $$ select to_jsonb(p_recipient) - array['org_id', 'campaign_id'] || jsonb_build_object('full_name', p_full_name, 'phone', p_phone) $$;

create or replace function public.list_recipients(
    p_id uuid, p_search text default null, p_statuses text[] default null, p_limit integer default 50, p_after text default null
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
    v_after uuid;
    v_ids uuid[];
    v_rows jsonb;
    v_search text := nullif(btrim(p_search), '');
begin
    begin
        v_after := coalesce(p_after, '00000000-0000-0000-0000-000000000000')::uuid;
    exception when data_exception then
        perform private.refuse_campaign_field('after', 'wrong_value', 'This is not the end of a page');
    end;
    if v_search is null then
        v_ids := array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_id and r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    else
        v_ids := array(
            select r.contact_id from private.found_contacts(v_campaign.org_id, v_search) f (id)
            join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = f.id
            where r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    end if;
    select coalesce(jsonb_agg(private.recipient_row(r, c.full_name, coalesce(c.phone, '+' || c.wa_id)) order by i.place), '[]') into v_rows
    from unnest(v_ids) with ordinality i (id, place)
    join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = i.id
    left join public.contacts c on c.id = r.contact_id
    where i.place <= v_limit;
    return jsonb_build_object('recipients', v_rows, 'next', case when cardinality(v_ids) > v_limit then v_ids[v_limit] end);
end
$$;
comment on function public.list_recipients(uuid, text, text[], integer, text) is
    'The ledger, oldest contact first: {"recipients": [columns + "full_name", "phone"], "next"}; p_after: next of the page before. Errors: AUTH_002, CAMPAIGN_001, CAMPAIGN_009.';

-- Contacts outside the trash that a search finds.
create or replace function private.found_contacts(p_org_id uuid, p_search text)
returns setof uuid
language sql stable rows 1000
set search_path = ''
as $$ select s from private.selected_contacts(p_org_id, jsonb_build_object('search', p_search)) s $$;

create or replace function public.export_recipients(p_id uuid)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
begin
    perform private.require_permission(v_campaign.org_id, 'contacts.bulk');
    return private.create_job(v_campaign.org_id, 'export', jsonb_build_object('campaign_id', p_id));
end
$$;
comment on function public.export_recipients(uuid) is
    'Writes the ledger of a campaign into a CSV file; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, CAMPAIGN_001, JOB_005.';

create or replace function private.recipient_header()
returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select array['Phone', 'Name', 'Status', 'Variant', 'Left out because', 'Queued', 'Sent', 'Delivered', 'Read', 'Replied', 'Clicked', 'Opportunity',
        'Failed', 'Error', 'Uncertain']
$$;

-- Cells of these recipients, by contact; a contact that was merged since has none.
create or replace function private.recipient_cells(p_campaign_id uuid, p_contact_ids uuid[], p_zone text)
returns table (contact_id uuid, cells text[])
language sql stable
set search_path = ''
as $$
    select r.contact_id, array[coalesce(c.phone, '+' || c.wa_id, ''), coalesce(c.full_name, ''), r.status, coalesce(r.variant::text, ''),
        coalesce(r.exclusion_reason, '')] || array(
            select coalesce(to_char(t at time zone p_zone, 'YYYY-MM-DD HH24:MI:SS'), '')
            from unnest(array[r.queued_at, r.sent_at, r.delivered_at, r.read_at, r.replied_at, r.clicked_at, r.opportunity_at, r.failed_at])
                with ordinality x (t, place) order by x.place)
        || array[coalesce(r.error_code, ''), case when r.is_uncertain then 'yes' else '' end]
    from public.campaign_recipients r
    left join public.contacts c on c.id = r.contact_id
    where r.campaign_id = p_campaign_id and r.contact_id = any (p_contact_ids)
$$;
