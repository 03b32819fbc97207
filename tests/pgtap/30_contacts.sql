-- Contacts: create, edit, trash (PRD §5.1, §5.2).

begin;
\ir helpers/load.sql
select plan(59);
select tests.make_world();

create function tests.make(p_fields jsonb, p_user text default 'acme.agent') returns text language sql as $$
    select tests.error_for(p_user, format('select create_contact(%L, %L)', tests.id('acme'), p_fields))
$$;
create function tests.change(p_fields jsonb, p_expected timestamptz default null, p_contact text default 'acme.siti') returns text language sql as $$
    select tests.error_for('acme.agent', format('select update_contact(%L, %L, %L)', tests.id(p_contact), p_fields,
        coalesce(p_expected, (tests.contact(p_contact)).updated_at)))
$$;
create function tests.details_for(p_user text, p_sql text) returns jsonb language plpgsql as $$
declare
    v_details jsonb;
begin
    perform tests.login_as(p_user);
    v_details := tests.details_of(p_sql);
    perform tests.logout();
    return v_details;
end
$$;

-- Creating.
select is(tests.make('{"phone": "012-345 6789", "full_name": " Aina ", "email": "aina@example.test", "company": "Kedai", "job_title": "Boss",
    "notes": "likes tea", "birthday": "1990-02-28", "lifecycle_stage": "customer", "address": {"city": "Ipoh"},
    "avatar_url": "https://example.test/a.png"}'), null, 'a contact with everything is made');
select results_eq(
    $$ select phone, full_name, email, company, job_title, notes, birthday::text, lifecycle_stage, address, source, opt_in_status, wa_id
        from public.contacts where email = 'aina@example.test' $$,
    $$ values ('+60123456789', 'Aina', 'aina@example.test', 'Kedai', 'Boss', 'likes tea', '1990-02-28', 'customer', '{"city": "Ipoh"}'::jsonb,
        'manual', 'pending', null::text) $$,
    'the phone is E.164 by the organisation''s country, texts are trimmed, consent is pending'
);
select is(tests.make('{"phone": "+65 9123 4567"}'), null, 'an international number needs nothing else');
select is(tests.make('{"full_name": "No Phone"}'), 'CONTACT_003', 'a phone is required');
select is(tests.make('{"phone": null}'), 'CONTACT_003', 'null is none');
select is(tests.make('{"phone": "12345"}'), 'CONTACT_003', 'a short number is none');
select is(tests.make('{"phone": "+60 12-345 67890123"}'), 'CONTACT_003', 'nor a long one');
select is(tests.make('{"phone": "  "}'), 'CONTACT_003', 'nor blanks');
select is(tests.make('{"phone": 60123456789}'), 'CONTACT_007', 'a phone is text');
select is(tests.make('{"phone": "+60123456789"}'), 'CONTACT_002', 'the same number again is a duplicate');
select is(
    tests.details_for('acme.agent', format($$ select create_contact(%L, '{"phone": "0123456789"}') $$, tests.id('acme'))) ->> 'contact_id',
    (select id::text from public.contacts where email = 'aina@example.test'), 'however it is written, and the details say of whom'
);
select is(
    tests.error_for('globex.agent', format($$ select create_contact(%L, '{"phone": "0123456789"}') $$, tests.id('globex'))), null,
    'another organisation may know the same person'
);
select is(tests.make(fields::jsonb), 'CONTACT_007', 'refused: ' || fields) from (values
    ('[]'), ('null'), ('"text"'), ('{"phone": "+60123456700", "org_id": "x"}'), ('{"phone": "+60123456700", "id": "x"}'),
    ('{"phone": "+60123456700", "opt_in_status": "yes"}'), ('{"phone": "+60123456700", "deleted_at": null}'),
    ('{"phone": "+60123456700", "birthday": "1990-02-30"}'), ('{"phone": "+60123456700", "birthday": "soon"}'),
    ('{"phone": "+60123456700", "email": "no address"}'), ('{"phone": "+60123456700", "lifecycle_stage": "friend"}'),
    ('{"phone": "+60123456700", "address": "Ipoh"}'), ('{"phone": "+60123456700", "address": ["Ipoh"]}'),
    ('{"phone": "+60123456700", "full_name": {"first": "A"}}'), ('{"phone": "+60123456700", "notes": 7}')
) v (fields);
select is(tests.make(jsonb_build_object('phone', '+60123456700', 'full_name', repeat('x', 201))), 'CONTACT_007', 'a name has 200 characters at most');
select is(
    tests.details_for('acme.agent', format('select create_contact(%L, %L)', tests.id('acme'),
        jsonb_build_object('phone', '+60123456700', 'notes', repeat('x', 10001)))) ->> 'field',
    'notes', 'the details name the field'
);
select is((select count(*) from public.contacts where phone = '+60123456700'), 0::bigint, 'nothing that was refused was kept');

-- Editing.
select is(tests.change('{"company": "Acme", "notes": "x"}'), null, 'fields change');
select is((select row (company, full_name, notes)::text from public.contacts where id = tests.id('acme.siti')), '(Acme,Acme.Siti,x)', 'the others stay');
select is(tests.change('{"notes": null, "company": "  "}'), null, 'null and blanks');
select is((select row (company, notes)::text from public.contacts where id = tests.id('acme.siti')), '(,)', 'clear a field');
select is(tests.change('{"lifecycle_stage": null}'), null, 'a stage that is cleared');
select is((tests.contact('acme.siti')).lifecycle_stage, 'lead', 'is a lead again');
select is(tests.change('{"company": "Late"}', now() - interval '1 day'), 'CONTACT_006', 'a stale edit is refused');
select is(tests.error_for('acme.agent', $$ select update_contact(tests.id('acme.siti'), '{}', null) $$), 'CONTACT_006', 'one that does not say what it saw too');
select is(
    tests.details_for('acme.agent', $$ select update_contact(tests.id('acme.siti'), '{"company": "Late"}', '2000-01-01') $$) #>> '{contact,full_name}',
    'Acme.Siti', 'with the other person''s version in the details'
);
select is(tests.change('{"phone": "0123456789"}'), 'CONTACT_002', 'a number of another contact is refused');
select is(tests.change('{"phone": "nonsense"}'), 'CONTACT_003', 'so is no number');
select is(tests.change('{"phone": null}'), 'CONTACT_003', 'a contact known by the number alone keeps it');
select is(tests.change('{"phone": "+60 12-999 8888"}'), null, 'a number changes');
select is((select row (phone, wa_id)::text from public.contacts where id = tests.id('acme.siti')), '(+60129998888,)', 'and with it who answers on WhatsApp');
update public.contacts set wa_id = '60129998888', bsuid = 'MY.1234567' where id = tests.id('acme.siti');
select is(tests.change('{"company": "Acme", "phone": "+60129998888"}'), null, 'the same number again');
select is((tests.contact('acme.siti')).wa_id, '60129998888', 'changes nothing about that');
select is(tests.change('{"phone": null}'), null, 'who has a BSUID may lose the number');
select is(
    (tests.activities('acme'))[1:3], array['contact.created', 'contact.created', 'contact.updated'], 'creating and editing are in the feed'
);
select is(
    (select l.data -> 'fields' from public.activity_log l where l.kind = 'contact.updated' order by l.id limit 1) @> '["company", "notes"]', true,
    'by the names of the fields, without what they say'
);

-- Trash.
select tests.make_contact('acme', 'acme.ravi', '+60131112222');
select is(tests.error_for('acme.campaign_manager', $$ select delete_contact(tests.id('acme.siti')) $$), null, 'a contact is put into the trash');
select is(tests.error_for('acme.campaign_manager', $$ select delete_contact(tests.id('acme.siti')) $$), null, 'twice is as good as once');
select is((select count(*) from public.activity_log where kind = 'contact.deleted'), 1::bigint, 'and told once');
select is(tests.count_for('acme.agent', $$ select from public.contacts where id = tests.id('acme.siti') $$), 0::bigint, 'agents do not see it');
select is(tests.count_for('acme.admin', $$ select from public.contacts where id = tests.id('acme.siti') $$), 1::bigint, 'admins do');
select is(tests.change('{"company": "X"}'), 'CONTACT_004', 'it cannot be edited there');
select is(tests.error_for('acme.admin', $$ select create_contact(tests.id('acme'), '{"phone": "+60131112222"}') $$), 'CONTACT_002', 'a living duplicate is named');
select tests.error_for('acme.owner', $$ select delete_contact(tests.id('acme.ravi')) $$);
select is(tests.make('{"phone": "+60131112222"}'), 'CONTACT_004', 'one in the trash is called that');
select is(tests.error_for('acme.admin', $$ select restore_contact(tests.id('acme.siti')) $$), null, 'an admin restores it');
select is(tests.count_for('acme.agent', $$ select from public.contacts where id = tests.id('acme.siti') $$), 1::bigint, 'and everybody sees it again');

select * from finish();
rollback;
