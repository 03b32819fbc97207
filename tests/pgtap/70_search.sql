-- Search of the inbox: names, phones, e-mail, company and message text (PRD §6.2).

begin;
\ir helpers/load.sql
select plan(33);
select tests.make_world();

create function tests.find(p_query text, p_user text default 'acme.viewer', p_limit integer default 30) returns text[] language plpgsql as $$
declare
    v_found text[];
begin
    perform tests.login_as(p_user);
    select coalesce(array_agg(p.full_name || ' by ' || s.matched order by s.nth), '{}') into v_found
    from search_conversations(tests.id(split_part(p_user, '.', 1)), p_query, p_limit)
        with ordinality as s (conversation_id, matched, snippet, message_id, occurred_at, nth)
    join public.conversations c on c.id = s.conversation_id
    join public.contacts p on p.id = c.contact_id;
    perform tests.logout();
    return v_found;
end
$$;
create function tests.person(p_name text, p_phone text, p_email text, p_company text) returns void language plpgsql as $$
begin
    perform tests.make_contact('acme', p_name, p_phone);
    update public.contacts set full_name = p_name, email = p_email, company = p_company, username = 'u_' || lower(left(p_name, 3)) where id = tests.id(p_name);
    perform tests.make_conversation('acme', p_name || '''s', 'acme.number', p_name, interval '1 hour');
end
$$;
select tests.person('Nurul Huda', '+60121110001', 'nurul@kedai.test', 'Kedai 100% Halal');
select tests.person('Tan Wei', '+60121110002', 'tan@wei.test', 'Under_score');
select tests.set_clock(now() - interval '1 minute');
select tests.receive('wamid.1', '{"wa_id": "60121110002", "body": "Where is my parcel? It should have come on Monday."}');
select tests.set_clock(now());
select tests.receive('wamid.2', '{"wa_id": "60121110001", "body": "PARCEL received, thank you"}');
select tests.receive('wamid.3', '{"wa_id": "60121110001", "body": "another parcel please"}');
insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, campaign_id)
select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'template', x.body, 'sent', x.campaign_id
from public.conversations v, (values ('Voucher for everybody', tests.id('campaign')), ('Voucher for you', null)) x (body, campaign_id) where v.contact_id = tests.id('Tan Wei');
select tests.receive('wamid.4', '{"phone_number_id": "1002", "body": "a parcel of globex", "wa_id": "60121110002"}');

select is(tests.find('voucher you'), array['Tan Wei by message'], 'what was said to one person');
select is(tests.find('everybody'), '{}', 'not what a campaign said to all');
select is(tests.find('nurul'), array['Nurul Huda by contact'], 'by name');
select is(tests.find('UL HU'), array['Nurul Huda by contact'], 'or a part of it, in any case');
select is(tests.find('1110002'), array['Tan Wei by contact'], 'by phone');
select is(tests.find('@kedai'), array['Nurul Huda by contact'], 'by e-mail');
select is(tests.find('halal'), array['Nurul Huda by contact'], 'by company');
select is(tests.find('u_tan'), array['Tan Wei by contact'], 'by WhatsApp name');
select is(tests.find('100%'), array['Nurul Huda by contact'], 'a percent sign is a percent sign');
select is(tests.find('r_s'), array['Tan Wei by contact'], 'an underscore an underscore');
select is(tests.find('\'), '{}', 'a backslash alone is too short');
select is(tests.find('\\'), '{}', 'two of them are found nowhere');
select is(tests.find('parcel'), array['Nurul Huda by message', 'Tan Wei by message'], 'by words of messages, each conversation once, the newest first');
select is(tests.find('parc'), array['Nurul Huda by message', 'Tan Wei by message'], 'the last word may be half typed');
select is(tests.find('monday parcel'), array['Tan Wei by message'], 'all words, in any order');
select is(tests.find('tan'), array['Tan Wei by contact'], 'who is found by name is not found again by message');
select is(tests.find('x'), '{}', 'one letter finds nothing');
select is(tests.find('  '), '{}', 'blanks find nothing');
select is(tests.find(null), '{}', 'null finds nothing');
select is(tests.find('?!'), '{}', 'punctuation finds no message');
select is(tests.find(''' | ! & ( :*'), '{}', 'nor do operators break anything');
select is(tests.find(repeat('parcel ', 100000)), array['Nurul Huda by message', 'Tan Wei by message'], 'a long question is cut');
select is(array_length(tests.find('parcel', 'acme.viewer', 1), 1), 1, 'as many as asked');
select is(array_length(tests.find('parcel', 'acme.viewer', 0), 1), 1, 'one at least');
select is(array_length(tests.find('parcel', 'acme.viewer', null), 1), 2, '30 by default');

select tests.login_as('acme.agent');
select results_eq(
    $$ select s.snippet, s.message_id, s.occurred_at from search_conversations(tests.id('acme'), 'received') s $$,
    $$ select m.body, m.id, m.occurred_at from public.messages m where m.wa_message_id = 'wamid.2' $$, 'a found message is shown'
);
select tests.logout();
select tests.receive('wamid.5', jsonb_build_object('wa_id', '60121110001', 'body', repeat('before ', 50) || 'needle' || repeat(' after', 100)));
select tests.login_as('acme.agent');
select matches((select s.snippet from search_conversations(tests.id('acme'), 'needle') s), '^.{40}needle.{114}$', 'with some words around it');
select tests.logout();

select is(tests.find('parcel', 'globex.viewer'), array['Siti by message'], 'other organisations find their own');
select is(
    tests.error_for('globex.viewer', $$ select search_conversations(tests.id('acme'), 'parcel') $$), 'ORG_001', 'and cannot search here'
);
update public.contacts set deleted_at = now() where full_name = 'Nurul Huda';
select is(tests.find('nurul'), '{}', 'a contact in the trash is not found');
select is(tests.find('parcel'), array['Tan Wei by message'], 'nor are their messages');
select is(tests.find('Siti'), array['Acme.Siti by contact'], 'a contact without messages is found');
select is(tests.error_for('nobody', $$ select search_conversations(tests.id('acme'), 'parcel') $$), 'ORG_001', 'a token of nobody finds nothing');

select * from finish();
rollback;
