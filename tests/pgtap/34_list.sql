-- The list of contacts: search, rules, sort, pages, selections (PRD §5.3).

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

-- Whose name is what they are found by.
insert into public.contacts (id, org_id, phone, full_name, email, company, username, last_message_at, created_at)
select tests.id(v.name), tests.id('acme'), v.phone, v.name, v.email, v.company, v.username, v.at, v.created
from (values
    ('Tan Wei Ling', '+60129876543', 'weiling@example.test', 'Kedai Emas', null, now() - interval '1 hour', now() - interval '1 day'),
    ('Abu Stanley', '+60198765432', null, null, 'abu_s', now() - interval '3 hours', now() - interval '2 days'),
    ('Zara', '+6591234567', 'z@tango.test', 'Bayu 100%', null, null, now() - interval '3 days'),
    (null, '+60127770001', null, null, null, null, now() - interval '4 days')
) v (name, phone, email, company, username, at, created) where v.name is not null;
insert into public.contacts (id, org_id, phone, created_at) values (tests.id('nameless'), tests.id('acme'), '+60127770001', now() - interval '4 days');
update public.contacts set created_at = now() - interval '5 days' where id = tests.id('acme.siti');

create function tests.found(p_search text, p_more text default '', p_user text default 'acme.viewer') returns text[] language plpgsql as $$
declare
    v_list jsonb;
begin
    perform tests.login_as(p_user);
    execute format('select list_contacts(%L, %L%s)', tests.id('acme'), p_search, p_more) into v_list;
    perform tests.logout();
    if (v_list ->> 'total')::integer < jsonb_array_length(v_list -> 'contacts') then
        raise exception 'the total is less than the page';
    end if;
    return array(select coalesce(c ->> 'full_name', 'nameless') from jsonb_array_elements(v_list -> 'contacts') with ordinality x (c, n) order by n);
end
$$;
create function tests.total(p_search text) returns integer language plpgsql as $$
declare
    v_total integer;
begin
    perform tests.login_as('acme.viewer');
    select (list_contacts(tests.id('acme'), p_search) ->> 'total')::integer into v_total;
    perform tests.logout();
    return v_total;
end
$$;

-- Search.
select is(tests.found(search), expected::text[], 'found by ' || coalesce(search, 'nothing')) from (values
    (null, '{Tan Wei Ling,Abu Stanley,Zara,nameless,Acme.Siti}'), ('', '{Tan Wei Ling,Abu Stanley,Zara,nameless,Acme.Siti}'),
    ('tan', '{Tan Wei Ling,Abu Stanley,Zara}'), ('TAN WEI', '{Tan Wei Ling}'), ('ling tan', '{Tan Wei Ling}'), ('kedai emas', '{Tan Wei Ling}'),
    ('weiling@', '{Tan Wei Ling}'), ('0129876543', '{Tan Wei Ling}'), ('012-987 6543', '{Tan Wei Ling}'), ('+60 12-987 6543', '{Tan Wei Ling}'),
    ('0060129876543', '{Tan Wei Ling}'), ('60129876543', '{Tan Wei Ling}'), ('9876', '{Tan Wei Ling,Abu Stanley}'), ('012987', '{Tan Wei Ling}'), ('012', '{Tan Wei Ling,nameless,Acme.Siti}'),
    ('(012) 987', '{Tan Wei Ling}'), ('+65', '{Zara}'), ('@abu_s', '{Abu Stanley}'), ('abu_', '{Abu Stanley}'), ('100%', '{Zara}'), ('bay%', '{}'), ('a_u', '{}'),
    ('ta', '{Tan Wei Ling}'), ('t', '{Tan Wei Ling}'), ('z', '{Zara}'), ('+', '{Tan Wei Ling,Abu Stanley,Zara,nameless,Acme.Siti}'), ('''; drop table public.contacts; --', '{}'), ('\', '{}'), ('nobody', '{}'), ('globex', '{}')
) v (search, expected);
select is(tests.found(repeat('tan ', 100)), '{Tan Wei Ling,Abu Stanley,Zara}', 'a search of 400 characters is cut');

-- It follows every change.
select tests.error_for('acme.agent', format('select update_contact(%L, %L, %L)', tests.id('Zara'), '{"company": "Melati", "email": null}', (tests.contact('Zara')).updated_at));
select is(tests.found('melati'), '{Zara}', 'a new company is found');
select is(tests.found('bayu'), '{}', 'the old one is not');
select tests.error_for('acme.admin', $$ select delete_contact(tests.id('Zara')) $$);
select is(tests.found('melati'), '{}', 'the trash is apart');
select is(tests.found('melati', ', p_trash => true', 'acme.admin'), '{Zara}', 'and searched by who may see it');
select is(tests.error_for('acme.campaign_manager', $$ select list_contacts(tests.id('acme'), p_trash => true) $$), 'AUTH_003', 'by nobody else');
select tests.error_for('acme.admin', $$ select restore_contact(tests.id('Zara')) $$);
select is(tests.found('melati'), '{Zara}', 'what is restored is found again');
select is(
    (select count(*) from private.contact_search s full join (select * from public.contacts where deleted_at is null) c on c.id = s.contact_id
        where s.search_text is distinct from private.contact_search_text(c.search_text, c.wa_id)),
    0::bigint, 'the search table says what the contacts say'
);

-- Sort and pages.
select is(tests.found(null, format(', p_sort => %L, p_descending => %L', sort, descending)), expected::text[], format('by %s, %s', sort, descending)) from (values
    ('name', false, '{Abu Stanley,Acme.Siti,Tan Wei Ling,Zara,nameless}'), ('name', true, '{Zara,Tan Wei Ling,Acme.Siti,Abu Stanley,nameless}'),
    ('last_message_at', true, '{Tan Wei Ling,Abu Stanley,Zara,nameless,Acme.Siti}'), ('phone', false, '{Acme.Siti,nameless,Tan Wei Ling,Abu Stanley,Zara}'),
    ('created_at', false, '{Acme.Siti,nameless,Zara,Abu Stanley,Tan Wei Ling}')
) v (sort, descending, expected) where sort <> 'last_message_at';
select is((tests.found(null, ', p_sort => ''last_message_at''', 'acme.viewer'))[1:2], '{Tan Wei Ling,Abu Stanley}', 'the latest message first, who never wrote last');
select is((tests.found(null, ', p_sort => ''last_message_at'', p_descending => false', 'acme.viewer'))[1:2], '{Abu Stanley,Tan Wei Ling}', 'the other way round they are last, too');
select is(tests.found('tan', ', p_limit => 1, p_offset => 1'), '{Abu Stanley}', 'a page');
select is(tests.total('tan'), 2, 'knows how many there are');
select is(tests.found(null, ', p_offset => 5'), '{}', 'behind the last page is nothing');
select is(tests.found(null, ', p_offset => -3, p_limit => 0'), '{Tan Wei Ling}', 'odd limits are put right');
select is(tests.error_for('acme.viewer', $$ select list_contacts(tests.id('acme'), p_sort => 'id; drop table public.tags') $$), 'CONTACT_007', 'an unknown sort is refused');

-- Many of them: walked and sorted pages say the same, from either end, for every sort.
insert into public.contacts (org_id, phone, full_name, last_message_at, created_at)
select tests.id('acme'), '+6011' || (10000000 + i), case when i % 7 > 0 then 'Crowd ' || md5(i::text) end,
    case when i % 3 > 0 then now() - interval '1 minute' * (i * 7919 % 3000) end, now() - interval '10 days' - interval '1 minute' * (i * 31 % 500)
from generate_series(1, 3000) i;
analyze private.contact_search;
create function tests.page_ids(p_sort text, p_descending boolean, p_offset integer, p_search text) returns text[] language plpgsql as $$
declare
    v_list jsonb;
begin
    perform tests.login_as('acme.viewer');
    v_list := list_contacts(tests.id('acme'), p_search, p_sort => p_sort, p_descending => p_descending, p_limit => 25, p_offset => p_offset);
    perform tests.logout();
    return array(select c ->> 'id' from jsonb_array_elements(v_list -> 'contacts') with ordinality x (c, n) order by n);
end
$$;
create function tests.expected_ids(p_key text, p_descending boolean, p_offset integer, p_search text) returns text[] language plpgsql as $$
declare
    v_ids text[];
begin
    execute format('select array(select id::text from public.contacts c where org_id = %L and deleted_at is null and search_text like %L
        order by %s %s nulls last, id %4$s limit 25 offset %s)', tests.id('acme'), '%' || p_search || '%', p_key, case when p_descending then 'desc' else 'asc' end, p_offset)
    into v_ids;
    return v_ids;
end
$$;
select is(tests.page_ids(s.sort, d, o, q), tests.expected_ids(s.key, d, o, q), format('%s %s from %s of %s', s.sort, d, o, q))
from (values ('name', 'lower(full_name)'), ('last_message_at', 'last_message_at'), ('created_at', 'created_at'), ('phone', 'phone')) s (sort, key)
cross join unnest(array[true, false]) d cross join unnest(array[0, 1000, 2100, 2560, 2990]) o cross join unnest(array['', '601', 'crowd', '7a3']) q;

-- A search that finds more than are counted says so, and its pages are the same as ever.
create or replace function private.search_count_limit() returns integer language sql immutable set search_path = '' as 'select 500';
select is(list_contacts.answer - 'contacts', expected::jsonb, format('counting %s', q)) from (values
    ('601', '{"total": 500, "total_is_minimum": true}'), ('7a3', (select jsonb_build_object('total', count(*), 'total_is_minimum', false)
        from public.contacts where org_id = tests.id('acme') and deleted_at is null and search_text like '%7a3%')::text)
) v (q, expected) cross join lateral (select tests.login_as('acme.viewer'), list_contacts(tests.id('acme'), q) as answer) list_contacts;
select tests.logout();
select is(tests.page_ids(s.sort, d, o, '601'), tests.expected_ids(s.key, d, o, '601'), format('%s %s from %s of more than are counted', s.sort, d, o))
from (values ('name', 'lower(full_name)'), ('last_message_at', 'last_message_at'), ('created_at', 'created_at'), ('phone', 'phone')) s (sort, key)
cross join unnest(array[true, false]) d cross join unnest(array[0, 1000, 2990]) o;
create or replace function private.search_count_limit() returns integer language sql immutable set search_path = '' as 'select 50000';

-- Rules find their page among the first of the sort when many match, and by looking at everybody when few do or the page lies deep.
create function tests.ruled_page(p_sort text, p_descending boolean, p_offset integer, p_name text) returns jsonb language plpgsql as $$
declare
    v_list jsonb;
begin
    perform tests.login_as('acme.viewer');
    v_list := list_contacts(tests.id('acme'), p_sort => p_sort, p_descending => p_descending, p_limit => 25, p_offset => p_offset,
        p_rules => jsonb_build_object('all', jsonb_build_array(jsonb_build_object('field', 'full_name', 'operator', 'contains', 'value', p_name))));
    perform tests.logout();
    return jsonb_build_object('total', v_list -> 'total', 'ids', array(select c ->> 'id' from jsonb_array_elements(v_list -> 'contacts') with ordinality x (c, n) order by n));
end
$$;
create function tests.expected_page(p_key text, p_descending boolean, p_offset integer, p_name text) returns jsonb language plpgsql as $$
declare
    v_page jsonb;
begin
    execute format('with matching as (select id, %2$s as key from public.contacts where org_id = %1$L and deleted_at is null and lower(full_name) like %3$L)
        select jsonb_build_object(''total'', (select count(*) from matching),
            ''ids'', array(select id::text from matching order by key %4$s nulls last, id %4$s limit 25 offset %5$s))',
        tests.id('acme'), p_key, '%' || p_name || '%', case when p_descending then 'desc' else 'asc' end, p_offset)
    into v_page;
    return v_page;
end
$$;
select is(tests.ruled_page(s.sort, d, o, q), tests.expected_page(s.key, d, o, q), format('contains %s, %s %s from %s', q, s.sort, d, o))
from (values ('name', 'lower(full_name)'), ('last_message_at', 'last_message_at'), ('created_at', 'created_at'), ('phone', 'phone')) s (sort, key)
cross join unnest(array[true, false]) d cross join unnest(array[0, 60, 990, 2560]) o cross join unnest(array['crowd', '7a', '7a3', 'nobody']) q;

-- Tags and columns.
insert into public.tags (id, org_id, name) values (tests.id('b'), tests.id('acme'), 'Beta'), (tests.id('a'), tests.id('acme'), 'alpha');
insert into public.contact_tags (org_id, contact_id, tag_id) select tests.id('acme'), tests.id('Zara'), tests.id(t) from unnest(array['a', 'b']) t;
select tests.login_as('acme.agent');
select is(list_contacts(tests.id('acme'), 'zara') #> '{contacts,0,tags}', jsonb_build_array(
    jsonb_build_object('id', tests.id('a'), 'name', 'alpha', 'color', '#868e96'), jsonb_build_object('id', tests.id('b'), 'name', 'Beta', 'color', '#868e96')),
    'with its tags by name');
select is(list_contacts(tests.id('acme'), 'zara') #> '{contacts,0}' ? 'search_text', false, 'without what only the search reads');
select tests.logout();

-- Rules.
create function tests.ruled(p_rules jsonb) returns text[] language sql as $$ select tests.found('', format(', p_rules => %L', p_rules)) $$;
select is(tests.ruled(jsonb_build_object('all', jsonb_build_array(jsonb_build_object('field', 'tags', 'operator', 'has_any_of', 'value', jsonb_build_array(tests.id('a')))))),
    '{Zara}', 'rules choose');
select is(tests.ruled('{"all": []}') = tests.found(''), true, 'all of nothing is everybody');
select is(tests.found('tan', ', p_rules => ''{"none": [{"field": "company", "operator": "contains", "value": "emas"}]}'''), '{Abu Stanley}', 'rules and search together');
select is(tests.error_for('acme.viewer', $$ select list_contacts(tests.id('acme'), p_rules => '{"all": [{"field": "x", "operator": "is", "value": 1}]}') $$),
    'SEGMENT_002', 'rules that are none are refused');

-- Selections.
create function tests.chosen(p_selection jsonb) returns text[] language sql as $$
    select coalesce(array_agg(c.full_name order by c.full_name), '{}') from private.selected_contacts(tests.id('acme'), p_selection) x (id) join public.contacts c using (id)
    where c.full_name not like 'Crowd%'
$$;
select is(tests.chosen('{}'), '{Abu Stanley,Acme.Siti,Tan Wei Ling,Zara}', 'nothing said is everybody');
select is(tests.chosen('{"search": "tan"}'), '{Abu Stanley,Tan Wei Ling}', 'a search');
select is(tests.chosen(jsonb_build_object('search', 'tan', 'except', jsonb_build_array(tests.id('Tan Wei Ling')))), '{Abu Stanley}', 'but for some');
select is(tests.chosen('{"rules": {"all": [{"field": "company", "operator": "is", "value": "kedai emas"}]}}'), '{Tan Wei Ling}', 'rules');
select is(tests.chosen(jsonb_build_object('ids', jsonb_build_array(tests.id('Zara'), tests.id('globex.siti'), tests.id('none')))), '{Zara}', 'ids, of ours only');
select is(tests.chosen('{"trash": true}'), '{}', 'the trash');
select is(tests.error_of(format('select private.selected_contacts(tests.id(''acme''), %L)', selection)), 'CONTACT_012', 'malformed: ' || coalesce(selection, 'null')) from (values
    (null), ('[]'), ('7'), ('{"who": 1}'), ('{"ids": "x"}'), ('{"ids": ["x"]}'), ('{"ids": [], "search": "x"}'), ('{"search": 7}'), ('{"trash": "yes"}'), ('{"except": ["x"]}'),
    ('{"rules": []}'), ('{"ids": null}')
) v (selection);

select is(tests.error_for('globex.owner', $$ select list_contacts(tests.id('acme')) $$), 'ORG_001', 'strangers get nothing');
select tests.login_anon();
select throws_ok($$ select list_contacts('00000000-0000-0000-0000-000000000000') $$, '42501', null, 'who is not signed in cannot even ask');
select tests.logout();

select * from finish();
rollback;
