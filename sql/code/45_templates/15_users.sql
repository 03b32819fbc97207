-- What uses a template: what deletion and edits ask, and what the detail page lists.
-- Must stay true: a campaign that is scheduled, sending or paused keeps its templates as they are.

-- Campaigns that use it or did, the newest first.
create or replace function private.template_campaigns(p_template_id uuid)
returns table (id uuid, name text, status text)
language sql stable
set search_path = ''
as $$
    select c.id, c.name, c.status
    from public.templates t
    join public.campaigns c on c.org_id = t.org_id
        and c.id in (select v.campaign_id from public.campaign_variants v where v.org_id = t.org_id and v.template_id = t.id)
    where t.id = p_template_id order by c.created_at desc, c.id desc
$$;

create or replace function private.template_users(p_template_id uuid)
returns table (kind text, id uuid, name text, status text)
language sql stable
set search_path = ''
as $$
    select 'campaign', c.id, c.name, c.status from private.template_campaigns(p_template_id) c where c.status in ('scheduled', 'sending', 'paused')
$$;
comment on function private.template_users(uuid) is 'What would break without the template, or with another content.';
