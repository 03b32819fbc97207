-- What onboarding and the check with Meta leave behind. Earlier runs' claim on the number is taken away.
insert into auth.users (id, aud, role, email, email_confirmed_at)
values (:agent_id, 'authenticated', 'authenticated', :agent_id || '@load.test', now()) on conflict (id) do nothing;
update public.whatsapp_accounts set status = 'disconnected' where phone_number_id = :phone_number_id;
delete from private.outbox o using public.whatsapp_accounts a where a.id = o.whatsapp_account_id and a.status = 'disconnected';
insert into public.organizations (id, name) values (:org_id, 'Load Test');
insert into public.profiles (user_id, full_name, email) values (:agent_id, 'Load Agent', :agent_id || '@load.test') on conflict (user_id) do nothing;
insert into public.org_memberships (org_id, user_id, role) values (:org_id, :agent_id, 'agent');
insert into public.whatsapp_accounts (id, org_id, waba_id, phone_number_id, status, messages_per_second)
values (:account_id, :org_id, '200000000000001', :phone_number_id, 'connected', :messages_per_second);
insert into private.whatsapp_credentials (whatsapp_account_id, waba_id, secret_id, checked_at)
values (:account_id, '200000000000001', vault.create_secret('sandbox-token', 'load:' || :account_id, ''), now());
