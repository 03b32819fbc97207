-- Links and opportunities of contacts that are merged, erased or simply forgotten with time. Called by 30_contacts/70_merge.sql and
-- 80_erase.sql, and by the maintenance role of the worker.
-- Must stay true: every token that was ever sent goes on leading somewhere; counts and amounts stay; of an erased person nothing else does.

-- By the two indexes there are: together they have every link of a contact, and a third one would cost every link that is made.
create or replace function private.tokens_of(p_contact_id uuid)
returns text[]
language sql stable
set search_path = ''
as $$
    select array(
        select l.token from private.links l where l.contact_id = p_contact_id and not l.is_retired
        union all
        select l.token from private.links l where l.contact_id = p_contact_id and l.is_retired)
$$;

-- All of p_from is p_to's. Both contacts are locked, their messages and ledger have moved.
create or replace function private.move_links(p_from uuid, p_to uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    -- Where both were recipients of a campaign, each has a token of every button in a message of their own.
    update private.links l set
        contact_id = p_to,
        is_retired = l.is_retired or exists (
            select from private.links o
            where o.contact_id = p_to and o.campaign_id = l.campaign_id and o.button = l.button and not o.is_retired)
    where l.token = any (private.tokens_of(p_from));
    update public.opportunities o set contact_id = p_to
    from public.contacts c where c.id = p_to and o.org_id = c.org_id and o.contact_id = p_from;
    -- Of two rows of a campaign one is left: what the other's person did is theirs.
    update public.campaign_recipients r set clicked_at = least(r.clicked_at, d.clicked_at), opportunity_at = least(r.opportunity_at, d.occurred_at)
    from (
        select x.campaign_id, min(x.clicked_at) as clicked_at, min(x.occurred_at) as occurred_at
        from (
            select l.campaign_id, l.clicked_at, null::timestamptz as occurred_at from private.links l
            where l.contact_id = p_to and l.clicked_at is not null
            union all
            select a.id, null, o.occurred_at from public.contacts c join public.opportunities o on o.org_id = c.org_id and o.contact_id = c.id
            cross join unnest(array[o.campaign_id, o.held_out_campaign_id]) a (id)
            where c.id = p_to
        ) x
        group by x.campaign_id
    ) d
    where r.campaign_id = d.campaign_id and r.contact_id = p_to
        and (coalesce(d.clicked_at < coalesce(r.clicked_at, 'infinity'), false) or coalesce(d.occurred_at < coalesce(r.opportunity_at, 'infinity'), false));
end
$$;

-- Visitors of these links who were last there before p_before become one row a link; at most p_limit of them, null: all.
create or replace function private.forget_visitors(p_tokens text[], p_before timestamptz, p_limit integer default null)
returns integer
language sql volatile
set search_path = ''
as $$
    with gone as (
        delete from private.link_clicks k using (
            select x.token, x.visitor, x.is_bot from private.link_clicks x
            where x.token = any (p_tokens) and x.visitor <> '' and x.last_at < p_before limit p_limit
        ) o
        where k.token = o.token and k.visitor = o.visitor and k.is_bot = o.is_bot and k.last_at < p_before returning k.*
    ), kept as (
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, clicks, first_at, last_at)
        select g.token, '', g.is_bot, g.org_id, g.campaign_id, g.variant, g.button, sum(g.clicks), min(g.first_at), max(g.last_at)
        from gone g group by g.token, g.is_bot, g.org_id, g.campaign_id, g.variant, g.button
        on conflict (token, visitor, is_bot) do update
        set clicks = k.clicks + excluded.clicks, first_at = least(k.first_at, excluded.first_at), last_at = greatest(k.last_at, excluded.last_at)
    )
    select count(*)::integer from gone
$$;

create or replace function private.erase_links(p_contact_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_tokens text[] := array(select t from unnest(p_contact_ids) c cross join unnest(private.tokens_of(c)) t);
begin
    update private.links l set contact_id = null where l.token = any (v_tokens);
    perform private.forget_visitors(v_tokens, 'infinity');
    update public.opportunities o set note = null, external_id = null
    from public.contacts c where c.id = any (p_contact_ids) and o.org_id = c.org_id and o.contact_id = c.id;
end
$$;

create or replace function worker.purge_link_clicks(p_limit integer)
returns integer
language sql volatile security definer
set search_path = ''
as $$
    -- 90 days, as raw webhooks.
    select private.forget_visitors(array(
        select k.token from private.link_clicks k
        where k.last_at < private.clock() - interval '90 days' and k.visitor <> '' order by k.last_at limit p_limit
    ), private.clock() - interval '90 days', p_limit)
$$;
