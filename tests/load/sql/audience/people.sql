-- :count contacts of organisation :org_id, created evenly over two years, with tags and custom fields. Called by audience::seed.
-- Everything is a hash of the contact's number: every run has the same people. Leaves the temporary table seeded for messages.sql.
-- Must stay true: values are such as the RPCs would let in, because hand-written SQL of the bench relies on it.

insert into public.custom_field_definitions (org_id, key, label, type, options, position) values
    (:org_id, 'spend', 'Spend', 'number', '{}', 1),
    (:org_id, 'tier', 'Tier', 'choice', '{gold,silver,bronze}', 2),
    (:org_id, 'renewal', 'Renewal', 'date', '{}', 3),
    (:org_id, 'newsletter', 'Newsletter', 'boolean', '{}', 4),
    (:org_id, 'interests', 'Interests', 'multi_choice', '{food,travel,sport,music,books}', 5),
    (:org_id, 'remark', 'Remark', 'text', '{}', 6);

create temporary table seeded as
select n, octopush.uuid_v7() as id,
    now() - interval '730 days' * (1 - n / :count::double precision) as created_at,
    -- 60 of 100 have a conversation, of 1 to 49 messages, 17 on average.
    case when (hashint8extended(n, 1) & 1023) < 614 then 1 + floor(49 * power((hashint8extended(n, 2) & 65535) / 65536.0, 2))::integer else 0 end as messages,
    (hashint8extended(n, 3) & 65535) / 65536.0 as activity
from generate_series(1, :count::bigint) n;
alter table seeded add column last_at timestamptz;
-- Half of those who write wrote in the last fifth of the time since they are known.
update seeded set last_at = now() - (now() - created_at) * power(activity, 2.3) where messages > 0;

insert into public.contacts (id, org_id, phone, wa_id, full_name, email, company, job_title, address, source, opt_in_status, opt_in_at, opt_in_source,
    lifecycle_stage, birthday, custom_fields, messages_received, messages_sent, last_message_at, last_inbound_at, created_at, updated_at)
select s.id, :org_id, '+60' || p.digits, case when s.messages > 0 then '60' || p.digits end,
    p.given || ' ' || p.family, p.email, p.company, case when h.j < 300 then (array['Manager', 'Director', 'Engineer', 'Teacher', 'Nurse', 'Owner'])[1 + h.j % 6] end,
    case when h.k < 700 then jsonb_build_object('city', (array['Kuala Lumpur', 'George Town', 'Johor Bahru', 'Ipoh', 'Kuching', 'Petaling Jaya', 'Melaka',
        'Kota Kinabalu', 'Shah Alam', 'Seremban'])[1 + (h.k % 10) * (h.k % 7) / 7], 'country', 'MY', 'zip', lpad((h.k * 71 % 90000 + 5000)::text, 5, '0')) end,
    (array['import', 'import', 'import', 'import', 'whatsapp', 'whatsapp', 'whatsapp', 'manual', 'campaign', 'ad'])[1 + h.a % 10],
    case when h.b < 620 then 'opted_in' when h.b < 720 then 'opted_out' else 'pending' end,
    case when h.b < 620 then s.created_at + interval '1 hour' * (h.b % 50) end, case when h.b < 620 then 'form' end,
    case when h.c < 450 then 'lead' when h.c < 650 then 'prospect' when h.c < 900 then 'customer' else 'churned' end,
    case when h.d < 600 then date '1950-01-01' + (hashint8extended(s.n, 14) & 16383)::integer end,
    jsonb_strip_nulls(jsonb_build_object(
        'spend', case when h.e < 400 then round((power((hashint8extended(s.n, 15) & 65535) / 65536.0, 4) * 5000)::numeric, 2) end,
        'tier', case when h.f < 30 then 'gold' when h.f < 150 then 'silver' when h.f < 500 then 'bronze' end,
        'renewal', case when h.g < 350 then to_char(current_date + ((hashint8extended(s.n, 16) & 1023)::integer - 500), 'YYYY-MM-DD') end,
        'newsletter', case when h.h < 500 then h.h < 320 end,
        'interests', case when h.i < 300 then to_jsonb((array['food', 'travel', 'sport', 'music', 'books'])[1 + h.i % 3:1 + h.i % 3 + h.i % 2]) end,
        'remark', case when h.j < 120 then 'Met at the fair in ' || (array['Kuching', 'Ipoh', 'Penang'])[1 + h.j % 3] end)),
    (s.messages + 1) / 2, s.messages / 2, s.last_at,
    -- Messages of both directions take turns, the first is theirs, six hours between.
    case when s.messages > 0 then s.last_at - interval '6 hours' * ((s.messages + 1) % 2) end,
    s.created_at, s.created_at
from seeded s
cross join lateral (
    select (hashint8extended(s.n, 21) & 1023) as a, (hashint8extended(s.n, 22) & 1023) * 1000 / 1024 as b, (hashint8extended(s.n, 23) & 1023) * 1000 / 1024 as c,
        (hashint8extended(s.n, 24) & 1023) as d, (hashint8extended(s.n, 25) & 1023) as e, (hashint8extended(s.n, 26) & 1023) as f,
        (hashint8extended(s.n, 27) & 1023) as g, (hashint8extended(s.n, 28) & 1023) as h, (hashint8extended(s.n, 29) & 1023) as i,
        (hashint8extended(s.n, 30) & 1023) as j, (hashint8extended(s.n, 31) & 1023) as k
) h
cross join lateral (
    select '111' || lpad(s.n::text, 7, '0') as digits,
        (array['Siti', 'Ahmad', 'Wei Ming', 'Mei Ling', 'Ravi', 'Priya', 'Nurul', 'Hafiz', 'Jun Hao', 'Li Na', 'Kumar', 'Aisyah', 'Farid', 'Grace',
            'Daniel', 'Xin Yi', 'Zulkifli', 'Amirah', 'Chee Keong', 'Suresh'])[1 + (hashint8extended(s.n, 32) & 4095) % 20] as given,
        -- One in ten is a Tan.
        (array['Tan', 'Lim', 'Lee', 'Wong', 'Ismail', 'Abdullah', 'Rahman', 'Krishnan', 'Nair', 'Chong'])[1 + (hashint8extended(s.n, 33) & 8191) % 10]
            || case when (hashint8extended(s.n, 34) & 255) < 80 then ' bin ' || (array['Osman', 'Yusof', 'Hassan', 'Salleh'])[1 + (hashint8extended(s.n, 35) & 3)] else '' end
            as family,
        case when (hashint8extended(s.n, 36) & 1023) < 700 then 'person' || s.n || '@' || (array['gmail.com', 'gmail.com', 'gmail.com', 'yahoo.com', 'outlook.my',
            'company.com.my'])[1 + (hashint8extended(s.n, 37) & 4095) % 6] end as email,
        case when (hashint8extended(s.n, 38) & 1023) < 500 then (array['Maju', 'Sinar', 'Gemilang', 'Orchid', 'Harbour', 'Pelangi', 'Summit', 'Cahaya'])[1 + (hashint8extended(s.n, 39) & 7)]
            || ' ' || (array['Trading', 'Foods', 'Logistics', 'Motors', 'Textiles', 'Clinic'])[1 + (hashint8extended(s.n, 40) & 4095) % 6]
            || ' ' || (hashint8extended(s.n, 41) & 127) || ' Sdn Bhd' end as company
) p
order by s.n;

insert into public.tags (id, org_id, name)
select octopush.uuid_v7(), :org_id, name
from unnest(array['Newcomer', 'Retail', 'Wholesale', 'VIP', 'Fair 2025', 'Webinar', 'Refund', 'Referral', 'Partner', 'Press', 'Do not disturb', 'Founder']) name;

-- From 40 in a hundred down to 3 in ten thousand.
insert into public.contact_tags (org_id, contact_id, tag_id)
select :org_id, s.id, t.id
from public.tags t
join (values ('Newcomer', 4000), ('Retail', 2500), ('Wholesale', 1200), ('VIP', 500), ('Fair 2025', 400), ('Webinar', 300), ('Refund', 200), ('Referral', 150),
    ('Partner', 60), ('Press', 20), ('Do not disturb', 300), ('Founder', 3)) w (name, of_ten_thousand) on w.name = t.name
join seeded s on (hashint8extended(s.n, hashtext(t.name)) & 1048575) * 10000 / 1048576 < w.of_ten_thousand
where t.org_id = :org_id;
