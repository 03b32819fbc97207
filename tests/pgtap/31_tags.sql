-- Tags of an organisation and of a contact (PRD §5.5).

begin;
\ir helpers/load.sql
select plan(26);
select tests.make_world();

create function tests.make(p_name text, p_color text default '#ff2d55') returns text language sql as $$
    select tests.error_for('acme.campaign_manager', format('select create_tag(%L, %L, %L)', tests.id('acme'), p_name, p_color))
$$;
create function tests.tag(p_names text[], p_user text default 'acme.agent') returns text language sql as $$
    select tests.error_for(p_user, format('select set_contact_tags(%L, %L)', tests.id('acme.siti'),
        array(select t.id from public.tags t where t.name = any (p_names))))
$$;
create function tests.tags_of_siti() returns text[] language sql security definer as $$
    select coalesce(array_agg(t.name order by t.name), '{}') from public.contact_tags c join public.tags t on t.id = c.tag_id
    where c.contact_id = tests.id('acme.siti')
$$;

select is(tests.make(' VIP '), null, 'a tag is made');
select results_eq('select name, color from public.tags', $$ values ('VIP', '#ff2d55') $$, 'with a trimmed name');
select is(tests.make('vip'), 'TAG_003', 'names are unique without regard to case');
select is(
    tests.error_for('globex.owner', format('select create_tag(%L, %L)', tests.id('globex'), 'VIP')), null, 'within the organisation only'
);
select is(tests.make(''), 'TAG_004', 'a name is needed');
select is(tests.make(null), 'TAG_004', 'null is none');
select is(tests.make(repeat('x', 51)), 'TAG_004', '51 characters are too many');
select is(tests.make('Red', 'red'), 'TAG_004', 'a colour is #rrggbb');
select is(tests.make('Default', null), null, 'without a colour');
select is((select color from public.tags where name = 'Default'), '#868e96', 'it is grey');

select is(tests.tag(array['VIP', 'Default']), 'TAG_001', 'tags of another organisation are not found');
delete from public.tags where org_id = tests.id('globex');
select is(tests.tag(array['VIP', 'Default']), null, 'a contact gets tags');
select is(tests.tags_of_siti(), array['Default', 'VIP'], 'both');
select is(tests.tag(array['VIP', 'VIP']), null, 'the same twice');
select is(tests.tags_of_siti(), array['VIP'], 'is once, and what is not named goes');
select is(
    (select array_agg(jsonb_array_length(l.data -> 'added') || '+' || jsonb_array_length(l.data -> 'removed') || '-' order by l.id)
        from public.activity_log l where l.kind = 'contact.tags_changed'),
    array['2+0-', '0+1-'], 'the feed says what came and went'
);
select is(tests.tag(array['VIP']), null, 'no change');
select is((select count(*) from public.activity_log where kind = 'contact.tags_changed'), 2::bigint, 'is not told');
select is(
    tests.error_for('acme.agent', format('select set_contact_tags(%L, %L)', tests.id('acme.siti'), array[tests.id('none')])), 'TAG_001',
    'an unknown tag is refused'
);
select is(tests.error_for('acme.agent', $$ select set_contact_tags(tests.id('acme.siti'), null) $$), null, 'null');
select is(tests.tags_of_siti(), '{}', 'means none');
select is(tests.error_for('acme.agent', $$ select set_contact_tags(tests.id('globex.siti'), '{}') $$), 'CONTACT_001', 'strangers have no contact here');

select tests.tag(array['VIP']);
select is(tests.error_for('acme.owner', $$ select delete_tag((select id from public.tags where name = 'VIP')) $$), null, 'deleting a tag');
select is(tests.tags_of_siti(), '{}', 'takes it off every contact');

insert into public.tags (org_id, name) select tests.id('acme'), 'tag ' || i from generate_series(2, 50) i;
select is(tests.make('One too many'), 'TAG_002', 'the fifty-first tag is refused');
delete from public.tags where name = 'tag 50';
select is(tests.make('The fiftieth'), null, 'the fiftieth is not');

select * from finish();
rollback;
