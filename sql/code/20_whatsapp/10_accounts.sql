-- Connecting a WhatsApp number. The UI gives ids and a token; a worker proves them with Meta and records the outcome.
-- Must stay true: the token goes to Vault and leaves it only through worker functions; a number speaks for one organisation at a time.

create or replace function private.disconnect_account(p_account_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_secret_id uuid;
    v_org_id uuid;
begin
    update public.whatsapp_accounts set status = 'disconnected', status_reason = null, connected_at = null, updated_at = now()
    where id = p_account_id returning org_id into v_org_id;
    delete from private.whatsapp_credentials where whatsapp_account_id = p_account_id returning secret_id into v_secret_id;
    if v_secret_id is not null then
        delete from vault.secrets where id = v_secret_id;
    end if;
    perform private.fail_outbox(p_account_id, 'WA_006');
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

create or replace function public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_account_id uuid;
    v_secret_id uuid;
    v_old_secret_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if coalesce(p_waba_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "waba_id"}');
    end if;
    if coalesce(p_phone_number_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "phone_number_id"}');
    end if;
    if p_access_token is null or length(p_access_token) not between 8 and 2000 or p_access_token !~ '^[[:graph:]]+$' then
        perform private.raise_error('WA_010', '{"field": "access_token"}');
    end if;
    if exists (
        select from public.whatsapp_accounts a
        where a.phone_number_id = p_phone_number_id and a.status = 'connected' and a.org_id <> p_org_id
    ) then
        perform private.raise_error('WA_009');
    end if;
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- Again after the wait: the organisation may be gone, or the right.
    perform private.require_permission(p_org_id, 'settings.manage');
    select a.id into v_account_id from public.whatsapp_accounts a
    where a.org_id = p_org_id and a.phone_number_id = p_phone_number_id order by a.created_at limit 1;
    if v_account_id is null then
        insert into public.whatsapp_accounts (org_id, waba_id, phone_number_id) values (p_org_id, p_waba_id, p_phone_number_id)
        returning id into v_account_id;
    else
        update public.whatsapp_accounts set status = 'connecting', status_reason = null, updated_at = now()
        where id = v_account_id;
    end if;
    v_secret_id := vault.create_secret(p_access_token, 'whatsapp:' || v_account_id || ':' || octopush.uuid_v7(), 'WhatsApp access token');
    select c.secret_id into v_old_secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = v_account_id;
    insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id) values (v_account_id, v_secret_id, p_waba_id)
    on conflict (whatsapp_account_id) do update
    set secret_id = excluded.secret_id, waba_id = excluded.waba_id, checked_at = null, check_attempts = 0, check_after = private.clock();
    delete from vault.secrets where id = v_old_secret_id;
    perform private.record_activity(p_org_id, 'whatsapp_account.connecting', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', v_account_id));
    perform private.broadcast('org:' || p_org_id, 'account', jsonb_build_object('whatsapp_account_id', v_account_id));
    perform pg_catalog.pg_notify('octopush_maintenance', '');
    return v_account_id;
end
$$;
comment on function public.connect_whatsapp_account(uuid, text, text, text) is
    'Stores the token and asks a worker to check it with Meta: status connecting, then connected or error. Calling again replaces the token. Errors: AUTH_003, ORG_001, WA_009, WA_010 (details.field).';

create or replace function public.disconnect_whatsapp_account(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select a.org_id into v_org_id from public.whatsapp_accounts a where a.id = p_id and a.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('WA_006');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    perform private.disconnect_account(p_id);
    perform private.record_activity(v_org_id, 'whatsapp_account.disconnected', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', p_id));
end
$$;
comment on function public.disconnect_whatsapp_account(uuid) is 'Forgets the token, fails what waits to be sent (WA_006), keeps the history. Errors: AUTH_003, WA_006.';
