-- One organisation with an agent and a connected number, as if onboarding and the check with Meta were done.
insert into auth.users (id, aud, role, email, email_confirmed_at) values (:agent_id, 'authenticated', 'authenticated', 'agent@workers.test', now());
insert into public.organizations (id, name) values (:org_id, 'Workers Test');
insert into public.profiles (user_id, full_name, email) values (:agent_id, 'Agent Test', 'agent@workers.test');
insert into public.org_memberships (org_id, user_id, role) values (:org_id, :agent_id, 'agent');
insert into public.whatsapp_accounts (id, org_id, waba_id, phone_number_id, status, messages_per_second)
values (:account_id, :org_id, '200000000000001', '100000000000001', 'connected', 1000);
insert into private.whatsapp_credentials (whatsapp_account_id, waba_id, secret_id, checked_at)
values (:account_id, '200000000000001', vault.create_secret('sandbox-token', 'test:' || :account_id, ''), now());
