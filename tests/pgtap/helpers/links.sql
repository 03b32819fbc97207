-- Campaigns that have been received, with their links: rows as launching and sending leave them. Included by the tests of links.

-- A campaign of an organisation, launched p_ago before now, whose only button leads to the shop.
create function tests.make_launched(p_org text, p_name text, p_ago interval, p_days integer default 7)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into public.campaigns (id, org_id, name, status, attribution_days, launched_at, started_at)
    values (tests.id(p_name), tests.id(p_org), initcap(p_name), 'sending', p_days, private.clock() - p_ago, private.clock() - p_ago);
    insert into public.campaign_variants (campaign_id, position, org_id, links)
    values (tests.id(p_name), 1, tests.id(p_org), jsonb_build_object('0', 'https://shop.example.com/' || p_name || '?ref={token}'));
    return tests.id(p_name);
end
$$;

-- A contact's row in the ledger of a campaign; delivered when it was launched unless it is held out. With a message in p_conversation.
create function tests.make_recipient(p_campaign text, p_contact text, p_conversation text default null, p_status text default 'delivered')
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := (select c from public.campaigns c where c.id = tests.id(p_campaign));
    v_message_id uuid := case when p_conversation is not null then tests.id(p_campaign || p_contact) end;
begin
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, campaign_id, occurred_at)
    select v_message_id, c.org_id, c.id, c.whatsapp_account_id, c.contact_id, 'outbound', 'template', 'Look at this', 'delivered',
        v_campaign.id, v_campaign.launched_at
    from public.conversations c where c.id = tests.id(p_conversation);
    insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, message_id, sent_at, delivered_at)
    values (v_campaign.id, tests.id(p_contact), v_campaign.org_id, 1, case when p_status <> 'held_out' then 1 end, p_status, v_message_id,
        case when p_status <> 'held_out' then v_campaign.launched_at end, case when p_status <> 'held_out' then v_campaign.launched_at end);
end
$$;

-- The token of a recipient's button, made as feeding a campaign makes it.
create function tests.make_token(p_campaign text, p_contact text, p_button integer default 0)
returns text
language sql volatile security definer
set search_path = ''
as $$
    select m.token from private.make_links(jsonb_build_array(jsonb_build_object('campaign_id', tests.id(p_campaign), 'contact_id', tests.id(p_contact),
        'org_id', (select c.org_id from public.contacts c where c.id = tests.id(p_contact)), 'variant', 1,
        'message_id', (select r.message_id from public.campaign_recipients r where r.campaign_id = tests.id(p_campaign) and r.contact_id = tests.id(p_contact)),
        'button', p_button, 'destination', 'https://shop.example.com/' || p_campaign || '?ref={token}'))) m
$$;

create function tests.recipient(p_campaign text, p_contact text)
returns public.campaign_recipients
language sql stable security definer
set search_path = ''
as $$ select r from public.campaign_recipients r where r.campaign_id = tests.id(p_campaign) and r.contact_id = tests.id(p_contact) $$;

-- Where a tap leads.
create function tests.follow(p_token text, p_visitor text default 'a phone', p_is_bot boolean default false)
returns text
language sql volatile
as $$ select tests.worker_says(format('select worker.follow_link(%L, %L, convert_to(%L, ''UTF8''))', p_token, p_is_bot, p_visitor)) $$;

create function tests.clicks(p_token text, p_is_bot boolean default false)
returns bigint
language sql stable security definer
set search_path = ''
as $$ select coalesce(sum(k.clicks), 0) from private.link_clicks k where k.token = p_token and k.is_bot = p_is_bot $$;
