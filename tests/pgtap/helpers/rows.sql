-- Rows in every table of public and private for acme and globex, on top of tests.make_world().

create function tests.make_rows(p_org text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid := tests.id(p_org);
    v_phone_number_id text := (select a.phone_number_id from public.whatsapp_accounts a where a.id = tests.id(p_org || '.number'));
    v_extra uuid := tests.add_member(p_org, 'agent', p_org || '.extra');
begin
    insert into public.org_invitations (id, org_id, email, role, token_hash, invited_by, expires_at)
    values (tests.id(p_org || '.invitation'), v_org_id, p_org || '.invited@people.test', 'agent',
        extensions.digest('token-of-' || p_org, 'sha256'), tests.id(p_org || '.owner'), now() + interval '7 days');
    perform tests.make_contact(p_org, p_org || '.ravi', '+6017000' || v_phone_number_id);
    perform tests.make_contact(p_org, p_org || '.trashed', '+6018000' || v_phone_number_id);
    update public.contacts set deleted_at = now() where id = tests.id(p_org || '.trashed');
    insert into public.custom_field_definitions (id, org_id, key, label, type)
    values (tests.id(p_org || '.field'), v_org_id, 'tier', 'Tier', 'text');
    insert into public.contact_consents (org_id, contact_id, old_status, new_status, source)
    values (v_org_id, tests.id(p_org || '.siti'), 'pending', 'opted_in', 'form');
    insert into private.sent_messages (org_id, contact_id, sent, last_at) values (v_org_id, tests.id(p_org || '.siti'), 1, now());
    insert into private.erasures (job_id, org_id, needles, done_id, last_id) values (tests.id(p_org || '.erasure'), v_org_id, '{}', 0, 0);
    insert into public.tags (id, org_id, name) values (tests.id(p_org || '.tag'), v_org_id, 'VIP');
    insert into public.contact_tags (org_id, contact_id, tag_id) values (v_org_id, tests.id(p_org || '.siti'), tests.id(p_org || '.tag'));
    insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, body_hash)
    values (v_org_id, tests.id(p_org || '.number'), 'account_update', '{}', '\x00');
    insert into public.activity_log (org_id, kind) values (v_org_id, 'organization.created');
    insert into public.notifications (id, org_id, user_id, kind)
    select tests.id(p_org || '.notification.' || m.role || m.user_id), v_org_id, m.user_id, 'conversation.unassigned'
    from public.org_memberships m where m.org_id = v_org_id;
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, wa_message_id, status)
    values
        (tests.id(p_org || '.hello'), v_org_id, tests.id(p_org || '.thread'), tests.id(p_org || '.number'), tests.id(p_org || '.siti'),
            'inbound', 'text', 'hello from siti', 'wamid.' || p_org, 'received'),
        (tests.id(p_org || '.failed'), v_org_id, tests.id(p_org || '.thread'), tests.id(p_org || '.number'), tests.id(p_org || '.siti'),
            'outbound', 'text', 'it failed', null, 'failed'),
        (tests.id(p_org || '.waiting'), v_org_id, tests.id(p_org || '.thread'), tests.id(p_org || '.number'), tests.id(p_org || '.siti'),
            'outbound', 'text', 'it waits', null, 'pending');
    update public.conversations set unread_count = 1 where id = tests.id(p_org || '.thread');
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id)
    values (tests.id(p_org || '.waiting'), v_org_id, tests.id(p_org || '.number'), tests.id(p_org || '.thread'));
    insert into private.phone_leases (whatsapp_account_id, holder, lock_key, lease_until)
    values (tests.id(p_org || '.number'), tests.id(p_org || '.holder'), 1, now());
    insert into private.parked_statuses (phone_number_id, wa_message_id, status) values (v_phone_number_id, 'wamid.early', '{}');
    insert into private.webhook_events (body) values ('{}');
    insert into storage.objects (bucket_id, name) values ('imports', v_org_id || '/upload/people.csv');
    insert into public.jobs (id, org_id, kind, status, input) values
        (tests.id(p_org || '.import'), v_org_id, 'import', 'waiting', jsonb_build_object('path', v_org_id || '/upload/people.csv')),
        (tests.id(p_org || '.export'), v_org_id, 'export', 'running', '{}');
    insert into private.import_files (job_id, size, head)
    values (tests.id(p_org || '.import'), 24, convert_to(E'Phone,Name\n+60123456789,Mei\n', 'UTF8'));
    insert into private.import_rows (job_id, line, cells, outcome, reason)
    values (tests.id(p_org || '.import'), 2, '{x}', 'failed', 'This is no phone number.');
    insert into private.job_items (job_id, position, contact_id) values (tests.id(p_org || '.export'), 1, tests.id(p_org || '.siti'));
    insert into private.job_leases (job_id, holder, lock_key, lease_until)
    values (tests.id(p_org || '.export'), tests.id(p_org || '.holder'), 1, now());
    perform tests.make_segment_rows(p_org);
    perform tests.make_template_rows(p_org);
    perform tests.make_campaign_rows(p_org);
end
$$;
