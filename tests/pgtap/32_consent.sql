-- Consent to marketing (PRD §5.6): on record with who, old, new and source.

begin;
\ir helpers/load.sql
select plan(13);
select tests.make_world();

create function tests.consent(p_status text, p_source text) returns text language sql as $$
    select tests.error_for('acme.agent', format('select set_contact_consent(%L, %L, %L)', tests.id('acme.siti'), p_status, p_source))
$$;

select is(tests.consent('yes', 'form'), 'CONTACT_007', 'an unknown status is refused');
select is(tests.consent(null, 'form'), 'CONTACT_007', 'null too');
select is(tests.consent('opted_in', 'rumour'), 'CONTACT_007', 'an unknown source is refused');
select is(tests.consent('opted_in', null), 'CONTACT_007', 'null too');
select is((tests.contact('acme.siti')).opt_in_status, 'pending', 'nothing changed');

select is(tests.consent('opted_in', 'form'), null, 'consent is recorded');
select results_eq(
    $$ select opt_in_status, opt_in_source, opt_in_at from public.contacts where id = tests.id('acme.siti') $$,
    $$ values ('opted_in', 'form', now()) $$, 'with source and time'
);
select is(tests.consent('opted_out', 'whatsapp'), null, 'and taken back');
select results_eq(
    $$ select opt_in_status, opt_in_source, opt_in_at from public.contacts where id = tests.id('acme.siti') $$,
    $$ values ('opted_out', 'whatsapp', now()) $$, 'which keeps when it had been given'
);
select results_eq(
    $$ select actor_id, contact_id, data from public.activity_log where kind = 'contact.consent_changed' order by id $$,
    $$ values
        (tests.id('acme.agent'), tests.id('acme.siti'), '{"old": "pending", "new": "opted_in", "source": "form"}'::jsonb),
        (tests.id('acme.agent'), tests.id('acme.siti'), '{"old": "opted_in", "new": "opted_out", "source": "whatsapp"}') $$,
    'the feed keeps who changed what, from what, on what ground'
);
select is(tests.consent('opted_out', 'manual'), null, 'the same again');
select is((select count(*) from public.activity_log where kind = 'contact.consent_changed'), 2::bigint, 'is not told');
select is(tests.error_for('acme.agent', $$ select set_contact_consent(tests.id('globex.siti'), 'opted_in', 'form') $$), 'CONTACT_001',
    'strangers have no contact here');

select * from finish();
rollback;
