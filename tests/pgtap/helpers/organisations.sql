-- Organisations with members of every role and a connected number.

create function tests.make_org(p_name text, p_country text default 'MY')
returns uuid
language sql volatile security definer
set search_path = ''
as $$
    insert into public.organizations (id, name, country) values (tests.id(p_name), initcap(p_name), p_country) returning id
$$;

create function tests.add_member(p_org text, p_role text, p_name text default null)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_name text := coalesce(p_name, p_org || '.' || p_role);
begin
    perform tests.create_user(v_name, v_name || '@people.test');
    insert into public.profiles (user_id, full_name, email) values (tests.id(v_name), initcap(v_name), v_name || '@people.test');
    insert into public.org_memberships (org_id, user_id, role) values (tests.id(p_org), tests.id(v_name), p_role);
    return tests.id(v_name);
end
$$;

-- As connecting a number and the worker's check with Meta leave it.
create function tests.make_account(p_org text, p_name text, p_phone_number_id text, p_status text default 'connected')
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into public.whatsapp_accounts (id, org_id, waba_id, phone_number_id, display_phone_number, status, connected_at)
    values (tests.id(p_name), tests.id(p_org), '9' || p_phone_number_id, p_phone_number_id, '+60 3-' || p_phone_number_id, p_status,
        case when p_status = 'connected' then now() end);
    insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id, checked_at, check_attempts)
    values (tests.id(p_name), vault.create_secret('secret-of-' || p_name, 'tests:' || p_name, ''), '9' || p_phone_number_id,
        case when p_status <> 'connecting' then now() end, 1);
    return tests.id(p_name);
end
$$;

-- Two organisations, acme and globex, each with a member of every role (acme.owner, acme.viewer, …), a number, a contact who wrote an
-- hour ago and their conversation: acme.number, acme.siti, acme.thread.
create function tests.make_world()
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org text;
    v_role text;
    v_number integer := 1000;
begin
    foreach v_org in array array['acme', 'globex'] loop
        v_number := v_number + 1;
        perform tests.make_org(v_org);
        foreach v_role in array array['owner', 'admin', 'campaign_manager', 'agent', 'viewer'] loop
            perform tests.add_member(v_org, v_role);
        end loop;
        perform tests.make_account(v_org, v_org || '.number', v_number::text);
        perform tests.make_contact(v_org, v_org || '.siti', '+6012345' || v_number);
        perform tests.make_conversation(v_org, v_org || '.thread', v_org || '.number', v_org || '.siti', interval '23 hours');
    end loop;
    perform tests.create_user('stranger');
end
$$;
