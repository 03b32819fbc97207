-- Campaigns in every state, as the calls of helpers/calls.sql and the isolation matrix need them. tests.make_rows() asks for them.

-- A campaign to two people, in p_status, of the template {org}.news with its tracked button.
create function tests.make_campaign(p_org text, p_name text, p_status text, p_test jsonb default null)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into public.campaigns (id, org_id, name, status, whatsapp_account_id, audience, scheduled_at, time_zone, test, is_marketing, launched_at, started_at,
        finished_at)
    values (tests.id(p_name), tests.id(p_org), p_name, p_status, tests.id(p_org || '.number'),
        jsonb_build_object('ids', jsonb_build_array(tests.id(p_org || '.siti'), tests.id(p_org || '.ravi'))),
        case when p_status = 'scheduled' then now() + interval '1 day' end, 'Asia/Kuala_Lumpur', p_test, true,
        case when p_status not in ('draft', 'scheduled') then now() - interval '1 hour' end,
        case when p_status not in ('draft', 'scheduled') then now() - interval '1 hour' end,
        case when p_status in ('completed', 'cancelled', 'failed') then now() end);
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links)
    select tests.id(p_name), n, tests.id(p_org), tests.id(p_org || '.news'), '{"body.1": {"source": "static", "value": "there"}}',
        '{"0": "https://shop.example.com/new?ref={token}"}'
    from generate_series(1, case when p_test is null then 1 else 2 end) n;
    return tests.id(p_name);
end
$$;

-- {org}.campaign is sending: Siti has her message and followed its link, Ravi's has failed. Of the others only the state matters.
create function tests.make_campaign_rows(p_org text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid := tests.id(p_org);
    v_waba_id text := (select a.waba_id from public.whatsapp_accounts a where a.id = tests.id(p_org || '.number'));
    v_campaign_id uuid := tests.id(p_org || '.campaign');
begin
    perform tests.make_template(p_org || '.news', 'approved', 'marketing',
        '[{"type": "BODY", "text": "Hello {{1}}, see what is new today.", "example": {"body_text": [["Mei"]]}},
          {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Have a look", "url": "https://links.example.com/t/{{1}}", "example": ["https://links.example.com/t/abc"]}]}]');
    update public.templates t set links = '{"0": "https://shop.example.com/new?ref={token}"}' where t.id = tests.id(p_org || '.news');
    update public.contacts set opt_in_status = 'opted_in' where id = tests.id(p_org || '.ravi');
    insert into public.campaign_settings (org_id, marketing_cap) values (v_org_id, '{"messages": 100, "days": 7}');
    perform tests.make_campaign(p_org, p_org || '.' || v.name, v.status) from (values ('plan', 'draft'), ('scheduled', 'scheduled'), ('paused', 'paused'), ('completed', 'completed')) v (name, status);
    perform tests.make_campaign(p_org, p_org || '.campaign', 'sending');
    perform tests.make_campaign(p_org, p_org || '.trial', 'sending', '{"percent": 20, "hours": 2, "measure": "read", "choose": "manual"}');
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, template_id, campaign_id, wa_message_id)
    values (tests.id(p_org || '.blast'), v_org_id, tests.id(p_org || '.thread'), tests.id(p_org || '.number'), tests.id(p_org || '.siti'), 'outbound', 'template',
        'Hello there, see what is new today.', 'delivered', tests.id(p_org || '.news'), v_campaign_id, 'wamid.blast.' || p_org);
    insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, message_id, attempts, queued_at, sent_at, delivered_at, failed_at,
        error_code)
    values
        (v_campaign_id, tests.id(p_org || '.siti'), v_org_id, 1, 1, 'delivered', tests.id(p_org || '.blast'), 1, now(), now(), now(), null, null),
        (v_campaign_id, tests.id(p_org || '.ravi'), v_org_id, 2, 1, 'failed', null, 1, now(), null, null, now(), '131000'),
        (tests.id(p_org || '.completed'), tests.id(p_org || '.ravi'), v_org_id, 1, 1, 'failed', null, 1, now(), null, null, now(), '131000');
    insert into private.campaign_counts (campaign_id, variant, total) values (tests.id(p_org || '.completed'), 1, 0) on conflict do nothing;
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked, opportunities, failed,
        uncertain, held_out_replied, held_out_opportunities)
    values (v_campaign_id, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, code, occurred_at)
    values (v_org_id, 'not_on_whatsapp', tests.id(p_org || '.ravi'), v_campaign_id, '131026', now());
    insert into private.portfolio_users (portfolio, contact_id, used_at) values ('waba ' || v_waba_id, tests.id(p_org || '.siti'), now());
    insert into private.portfolio_minutes (portfolio, minute, users) values ('waba ' || v_waba_id, date_trunc('minute', now()), 1);

    insert into private.links (token, org_id, campaign_id, contact_id, message_id, variant, button, destination, clicked_at)
    values (left(translate(encode(extensions.digest(p_org, 'sha256'), 'base64'), '+/', '-_'), 22), v_org_id, v_campaign_id, tests.id(p_org || '.siti'),
        tests.id(p_org || '.blast'), 1, 0, 'https://shop.example.com/new?ref={token}', now());
    insert into private.link_clicks (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
    select l.token, '\x01', false, l.org_id, l.campaign_id, l.variant, l.button, now(), now() from private.links l where l.org_id = v_org_id;
    insert into public.opportunities (id, org_id, contact_id, campaign_id, source, amount, currency, external_id, occurred_at)
    values (tests.id(p_org || '.opportunity'), v_org_id, tests.id(p_org || '.siti'), v_campaign_id, 'callback', 10, 'MYR', 'order 1', now());
    insert into private.conversion_receipts (org_id, external_hash) values (v_org_id, extensions.digest('order 1', 'sha256'));
    insert into private.conversion_secrets (org_id, secret_id) values (v_org_id, vault.create_secret('conversions-of-' || p_org, 'tests:conversions:' || p_org, ''));
end
$$;
