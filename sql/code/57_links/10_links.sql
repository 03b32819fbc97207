-- Tracked links: making tokens and following them. Called by the feeding of campaigns, by templates sent from the inbox, and by the worker's
-- /t/{token}.
-- Must stay true: a recipient has one token a button, the same however often the campaign is fed; the same visitor within ten minutes is one
-- click; only people, not the programs that look at links before them, mark the ledger; every query answers with a destination first checked.

-- Why an address cannot be what a tracked button leads to; null when it can.
create or replace function private.destination_problem(p_url text)
returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_authority text;
    v_host text;
begin
    if p_url is null or p_url = '' then
        return 'The address is missing.';
    end if;
    if length(p_url) > 2000 then
        return 'The address is longer than 2,000 characters.';
    end if;
    if p_url !~* '^https://' then
        return 'The address must begin with https://.';
    end if;
    -- It goes into a header: nothing but what an address is written with.
    if p_url !~ '^[!#-;=?-\[\]_a-z{}~]+$' then
        return 'The address has characters that must be percent-encoded.';
    end if;
    v_authority := substring(p_url from '^[^:]+://([^/?#]*)');
    if position('@' in v_authority) > 0 then
        return 'The address must not carry a user name or password.';
    end if;
    v_host := lower(regexp_replace(v_authority, ':[0-9]{1,5}$', ''));
    -- A name that ends in letters is no number either, however it is written.
    if v_host !~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})$' or length(v_host) > 253 then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    -- Names that exist in private networks only (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
    if v_host ~ '(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$' then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    return null;
end
$$;

-- p_links: [{campaign_id?, contact_id, org_id, variant, message_id, button, destination}], each contact and button once, destinations checked.
create or replace function private.make_links(p_links jsonb)
returns table (contact_id uuid, button integer, token text)
language sql volatile
set search_path = ''
as $$
    insert into private.links as l (token, org_id, campaign_id, contact_id, message_id, variant, button, destination)
    select translate(left(encode(extensions.gen_random_bytes(16), 'base64'), 22), '+/', '-_'),
        x.org_id, x.campaign_id, x.contact_id, x.message_id, x.variant, x.button, x.destination
    from jsonb_to_recordset(p_links) as x (campaign_id uuid, contact_id uuid, org_id uuid, variant smallint, message_id uuid, button smallint, destination text)
    on conflict (contact_id, campaign_id, button) where not is_retired do update
    set message_id = excluded.message_id, variant = excluded.variant, destination = excluded.destination
    returning l.contact_id, l.button::integer, l.token
$$;
comment on function private.make_links(jsonb) is 'The token of each recipient and button; the one there is already, if there is.';

-- The first time a person follows a link. Not the message: its row has many indexes, and the link knows which message it was in.
create or replace function private.mark_clicked(p_token text, p_at timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_link record;
    v_contact_id uuid;
begin
    -- The ledger before links, as in a merge. One that held the row meanwhile has made it another contact's: then once more.
    for i in 1..2 loop
        select l.campaign_id, l.contact_id into v_link from private.links l where l.token = p_token;
        exit when v_link.contact_id is not distinct from v_contact_id;
        v_contact_id := v_link.contact_id;
        update public.campaign_recipients r set clicked_at = p_at
        where r.campaign_id = v_link.campaign_id and r.contact_id = v_contact_id and r.clicked_at is null;
        exit when found;
    end loop;
    update private.links l set clicked_at = p_at where l.token = p_token and l.clicked_at is null;
end
$$;

-- Plans are kept for the session, and the one made while there were no clicks yet would read them all.
create or replace function worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea)
returns text
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    v_now timestamptz := private.clock();
    -- Visitors that nothing is known of count as one.
    v_visitor bytea := coalesce(nullif(p_visitor, ''), '\x00');
    v_link record;
begin
    select l.token, l.org_id, l.campaign_id, l.contact_id, l.variant, l.button, l.destination, l.clicked_at, exists (
        select from private.link_clicks k
        where k.token = l.token and k.visitor = v_visitor and k.is_bot = p_is_bot and k.last_at > v_now - interval '10 minutes') as is_repeated
    into v_link
    from private.links l join public.organizations o on o.id = l.org_id and o.deleted_at is null
    where l.token = p_token;
    if not found then
        return null;
    end if;
    if v_link.contact_id is not null and not v_link.is_repeated then
        -- One person's link has a few visitors. Whoever asks under ever new names fills no disk: beyond a thousand they count as one.
        if (select count(*) from (select from private.link_clicks k where k.token = v_link.token limit 1000) x) = 1000 then
            v_visitor := '';
        end if;
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
        values (v_link.token, v_visitor, p_is_bot, v_link.org_id, v_link.campaign_id, v_link.variant, v_link.button, v_now, v_now)
        on conflict (token, visitor, is_bot) do update set clicks = k.clicks + 1, last_at = excluded.last_at
        where k.last_at <= excluded.last_at - interval '10 minutes';
        if not p_is_bot and v_link.clicked_at is null then
            perform private.mark_clicked(p_token, v_now);
        end if;
    end if;
    -- A shop that wants to tell us of a conversion gets the token where its address asks for it.
    return replace(v_link.destination, '{token}', v_link.token);
end
$$;
comment on function worker.follow_link(text, boolean, bytea) is
    'Records the click and says where the link leads; null for a token there is not. p_visitor: at most 64 bytes that tell visitors apart.';

create or replace function public.campaign_links(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
    perform private.campaign_to_read(p_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('variant', v.position, 'button', b.key::integer, 'destination', b.value,
            'people', coalesce(k.people, 0), 'clicks', coalesce(k.clicks, 0), 'bots', coalesce(k.bots, 0)) order by v.position, b.key::integer)
        from public.campaign_variants v
        cross join lateral jsonb_each_text(v.links) b
        left join (
            select c.variant, c.button, count(distinct c.token) filter (where not c.is_bot) as people,
                sum(c.clicks) filter (where not c.is_bot) as clicks, sum(c.clicks) filter (where c.is_bot) as bots
            from private.link_clicks c where c.campaign_id = p_id group by c.variant, c.button
        ) k on k.variant = v.position and k.button = b.key::integer
        where v.campaign_id = p_id), '[]');
end
$$;
comment on function public.campaign_links(uuid) is
    'Tracked buttons of a campaign: [{"variant", "button", "destination", "people", "clicks", "bots"}]. Errors: CAMPAIGN_001.';
