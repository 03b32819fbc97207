-- Connecting a number: the token goes to Vault and is never readable; a worker proves it; a number speaks for one organisation.

begin;
\ir helpers/load.sql
select plan(50);
select tests.make_world();

create function tests.connect(p_user text, p_org text, p_waba text, p_number text, p_token text) returns text language sql as $$
    select tests.error_for(p_user, format('select connect_whatsapp_account(%L, %L, %L, %L)', tests.id(p_org), p_waba, p_number, p_token))
$$;
create function tests.account(p_org text, p_number text) returns public.whatsapp_accounts language sql stable security definer as $$
    select a from public.whatsapp_accounts a where a.org_id = tests.id(p_org) and a.phone_number_id = p_number
$$;
-- One round of the maintenance worker: claims what is due and reports the outcome for every number.
create function tests.check_accounts(p_outcome jsonb) returns text[] language plpgsql as $$
declare
    v_check record;
    v_tokens text[] := '{}';
begin
    perform tests.login_worker();
    for v_check in select * from worker.claim_account_checks(10) loop
        v_tokens := v_tokens || v_check.access_token;
        perform worker.record_account_check(v_check.whatsapp_account_id, v_check.secret_id, p_outcome);
    end loop;
    perform tests.logout();
    return v_tokens;
end
$$;

-- Input.
select is(tests.connect('acme.owner', 'acme', 'abc', '777', 'token-one'), 'WA_010', 'a WABA id is digits');
select is(tests.connect('acme.owner', 'acme', '900', null, 'token-one'), 'WA_010', 'a number id is needed');
select is(tests.connect('acme.owner', 'acme', '900', '777', 'short'), 'WA_010', 'a token has 8 characters at least');
select is(tests.connect('acme.owner', 'acme', '900', '777', 'token with spaces'), 'WA_010', 'and no spaces');
select is(tests.connect('acme.owner', 'acme', '900', '777', null), 'WA_010', 'null is no token');
select is((select count(*) from public.whatsapp_accounts), 2::bigint, 'what was refused left nothing');
select is(tests.connect('acme.owner', 'acme', '900', '1002', 'token-one'), 'WA_009', 'a number connected elsewhere is refused');

-- Connecting.
select is(tests.connect('acme.admin', 'acme', '900', '777', 'token-one'), null, 'an admin connects a number');
select is((tests.account('acme', '777')).status, 'connecting', 'it waits for the check');
select is(tests.receive('wamid.early', '{"phone_number_id": "777"}'), array['1: no connected number 777'], 'and receives nothing before it is proven');
select is(
    (select decrypted_secret from vault.decrypted_secrets s join private.whatsapp_credentials c on c.secret_id = s.id
        where c.whatsapp_account_id = (tests.account('acme', '777')).id),
    'token-one', 'the token is in Vault'
);
select is(
    (select count(*) from vault.secrets s where s.secret like '%token-one%' or s.description like '%token-one%' or s.name like '%token-one%'),
    0::bigint, 'encrypted'
);
select is_empty(
    $$
        select 1 from public.whatsapp_accounts a where a::text like '%token-one%'
        union all select 1 from public.activity_log l where l::text like '%token-one%'
        union all select 1 from realtime.messages m where m::text like '%token-one%'
        union all select 1 from private.whatsapp_credentials c where c::text like '%token-one%'
    $$,
    'and nowhere else'
);
select is(
    tests.error_for('acme.owner', format('select %s', what)), '42501', what || ': out of reach for the owner'
) from (values
    ('decrypted_secret from vault.decrypted_secrets'), ('secret from vault.secrets'), ('secret_id from private.whatsapp_credentials'),
    ('access_token from worker.claim_account_checks(1)'), ('access_token from worker.lease_numbers(null, 1, 1, 1)')
) v (what);

-- Meta cannot be reached, then says yes.
select is(tests.check_accounts('{"ok": false, "final": false, "reason": "network"}'), array['token-one'], 'the check gets the token');
select is((tests.account('acme', '777')).status_reason, 'network', 'the reason is shown meanwhile');
select is(tests.check_accounts('{"ok": true}'), '{}', 'and the next try waits');
select tests.set_clock(now() + interval '1 minute 1 second');
select is(
    tests.check_accounts('{"ok": true, "display_phone_number": "+60 3-777", "verified_name": "Acme", "quality_rating": "GREEN",
        "messaging_tier": "TIER_1K", "messages_per_second": 99999}'),
    array['token-one'], 'a minute'
);
select is(
    (select row (a.status, a.status_reason, a.display_phone_number, a.verified_name, a.quality_rating, a.messaging_tier, a.messages_per_second)::text
        from tests.account('acme', '777') a),
    '(connected,,"+60 3-777",Acme,GREEN,TIER_1K,5000)', 'then the number is connected, with what Meta says about it'
);
select tests.set_clock(now() + interval '1 day');
select is(tests.check_accounts('{"ok": true}'), '{}', 'and is not checked again');
select is(tests.receive('wamid.proven', '{"phone_number_id": "777", "wa_id": "60111112222"}'), '{}', 'it receives');

-- Replacing the token keeps receiving, and the outcome for the old one is not taken for the new one.
select secret_id as old_secret from private.whatsapp_credentials where whatsapp_account_id = (tests.account('acme', '777')).id \gset
select is(tests.connect('acme.owner', 'acme', '901', '777', 'token-two'), null, 'calling again replaces the token');
select is((tests.account('acme', '777')).waba_id, '900', 'but nothing that Meta has confirmed');
select is((select count(*) from public.whatsapp_accounts where phone_number_id = '777'), 1::bigint, 'of the same account');
select is((select count(*) from vault.secrets where name like 'whatsapp:%'), 1::bigint, 'the old token is gone from Vault');
select is(tests.receive('wamid.meanwhile', '{"phone_number_id": "777", "wa_id": "60111112222"}'), '{}', 'customers are heard meanwhile');
select tests.login_worker();
select worker.record_account_check((tests.account('acme', '777')).id, :'old_secret', '{"ok": false, "final": true, "reason": "expired"}');
select tests.logout();
select is((tests.account('acme', '777')).status, 'connecting', 'a late outcome of the old token changes nothing');
select is(tests.check_accounts('{"ok": false, "final": true, "reason": "refused by Meta"}'), array['token-two'], 'the new token is checked');
select is(
    (select row (a.status, a.status_reason, a.waba_id)::text from tests.account('acme', '777') a), '(error,"refused by Meta",900)',
    'a refused token leaves the reason'
);
select is(
    (select array_agg(distinct m.role order by m.role) from public.notifications n
        join public.org_memberships m on m.user_id = n.user_id and m.org_id = n.org_id where n.kind = 'whatsapp_account.error'),
    array['admin', 'owner'], 'and those who can mend it are told'
);
select is(tests.receive('wamid.error', '{"phone_number_id": "777", "wa_id": "60111112222"}'), '{}', 'customers are still heard');

select tests.set_clock(now() + interval '1 day 1 hour');
select tests.connect('acme.owner', 'acme', '901', '777', 'token-two-b'), tests.check_accounts('{"ok": true}');
select is((select row (a.status, a.waba_id)::text from tests.account('acme', '777') a), '(connected,901)', 'a good one confirms the WABA with it');
update public.whatsapp_accounts set status = 'error' where id = (tests.account('acme', '777')).id;

-- A number that another organisation proves.
select is(tests.connect('globex.owner', 'globex', '900', '777', 'token-three'), null, 'another organisation connects it while it does not work here');
select is(tests.check_accounts('{"ok": true}'), array['token-three'], 'and proves it');
select is((tests.account('globex', '777')).status, 'connected', 'it speaks for who proved it last');
select is(
    (select row (a.status, a.status_reason)::text from tests.account('acme', '777') a), '(disconnected,WA_009)', 'and no longer for the other'
);
select is(tests.connect('acme.owner', 'acme', '901', '777', 'token-four'), 'WA_009', 'who cannot take it back while it is connected');

-- Both began before either was proven.
select is(tests.connect('acme.owner', 'acme', '901', '888', 'token-five'), null, 'two organisations connect');
select is(tests.connect('globex.owner', 'globex', '901', '888', 'token-six'), null, 'the same number');
select tests.set_clock(now() + interval '2 days');
select is(array_length(tests.check_accounts('{"ok": true}'), 1), 2, 'both tokens are good');
select is(
    (select array_agg(a.status || coalesce(' ' || a.status_reason, '') order by a.status) from public.whatsapp_accounts a where a.phone_number_id = '888'),
    array['connected', 'error WA_009'], 'the first one has it'
);

-- Disconnecting.
select is(tests.error_for('acme.owner', $$ select disconnect_whatsapp_account(tests.id('globex.number')) $$), 'WA_006', 'a stranger''s number is not found');
select is(tests.error_for('acme.owner', $$ select disconnect_whatsapp_account(tests.id('acme.number')) $$), null, 'one''s own is disconnected');
select is_empty(
    $$ select 1 from vault.secrets where name = 'tests:acme.number' union all
        select 1 from private.whatsapp_credentials where whatsapp_account_id = tests.id('acme.number') $$,
    'its token is forgotten'
);
select is(tests.receive('wamid.late'), array['1: no connected number 1001'], 'it receives no more');
select is((select count(*) from public.conversations where id = tests.id('acme.thread')), 1::bigint, 'the history stays');

select * from finish();
rollback;
