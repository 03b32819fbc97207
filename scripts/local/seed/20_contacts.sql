-- 360 contacts with tags. Numbers are +60 12-000 0xxx: valid in form, in a block that is given to nobody.
-- Run once, as postgres; everything follows from the row number, so that every demo looks the same.

create temporary table demo_contacts on commit drop as
select
    i,
    case
        when i % 5 in (0, 1) then
            (array['Aisyah', 'Nurul', 'Farid', 'Hafiz', 'Siti', 'Azman', 'Zulaikha', 'Faizal', 'Norliza', 'Iskandar', 'Hanis', 'Rashid'])[1 + i % 12]
            || (array[' binti ', ' bin '])[1 + (i % 12 in (2, 3, 5, 7, 9, 11))::integer]
            || (array['Rahman', 'Ismail', 'Abdullah', 'Yusof', 'Hamzah', 'Kassim', 'Osman', 'Salleh', 'Mahmud', 'Bakar', 'Latif'])[1 + i / 5 % 11]
        when i % 5 in (2, 3) then
            (array['Tan', 'Lim', 'Wong', 'Ng', 'Lee', 'Chong', 'Teoh', 'Goh', 'Yap', 'Ong', 'Khoo'])[1 + i / 5 % 11] || ' '
            || (array['Wei Ling', 'Jia Hui', 'Kah Wai', 'Mei Yee', 'Chee Keong', 'Siew Ching', 'Yong Sheng', 'Hui Min', 'Boon Huat', 'Xin Yi', 'Zhi Hao', 'Poh Leng', 'Kai Xuan'])[1 + i % 13]
        when i % 10 = 4 then
            (array['Priya', 'Kavitha', 'Arjun', 'Suresh', 'Deepa', 'Vijay', 'Meena', 'Ganesh', 'Shanti'])[1 + i / 10 % 9]
            || (array[' a/p ', ' a/l '])[1 + (i / 10 % 9 in (2, 3, 5, 7))::integer]
            || (array['Subramaniam', 'Krishnan', 'Muthu', 'Raman', 'Nair', 'Pillai', 'Govindasamy'])[1 + i / 10 % 7]
        else
            (array['Melissa Anak Jugah', 'Jonathan Gilbert', 'Rachel Anak Belaja', 'Fiona Kinabalu', 'Alvin Majimbun', 'Stephanie Lojikim', 'Benedict Anak Unggat'])[1 + i / 10 % 7]
    end as full_name,
    '6012000' || lpad(i::text, 4, '0') as digits,
    now() - interval '400 days' + interval '26 hours' * i as created_at
from generate_series(1, 360) i;

insert into public.contacts (org_id, phone, wa_id, bsuid, username, full_name, email, company, job_title, address, notes, source, opt_in_status,
    opt_in_at, opt_in_source, birthday, lifecycle_stage, deleted_at, created_at, updated_at)
select
    '0192de30-0000-7000-8000-000000000001',
    -- The last two hide their number: Meta names them by a business-scoped id only.
    case when i <= 358 then '+' || digits end,
    case when i <= 358 then digits end,
    case when i > 358 then 'MY.demo' || lpad(i::text, 10, '0') end,
    case when i > 358 then 'angsana_fan_' || i end,
    full_name,
    case when i % 5 <> 3 then lower(split_part(full_name, ' ', 1)) || i || '@example.test' end,
    case when i % 4 = 1 then (array['Bayu Logistik', 'Seri Mawar Events', 'Teratai Dental', 'Cempaka Academy', 'Pelangi Print', 'Meranti Homes'])[1 + i / 4 % 6] end,
    case when i % 4 = 1 then (array['Office manager', 'Owner', 'Procurement', 'HR executive'])[1 + i / 4 % 4] end,
    case when i % 3 <> 2 then jsonb_build_object(
        'line1', (1 + i * 7 % 88) || ', Jalan ' || (array['Kenanga', 'Melur', 'Cempaka', 'Teratai', 'Dahlia', 'Raya'])[1 + i % 6] || ' ' || (1 + i % 19),
        'city', (array['Petaling Jaya', 'Shah Alam', 'Kuala Lumpur', 'George Town', 'Johor Bahru', 'Kota Kinabalu', 'Kuching', 'Ipoh'])[1 + i % 8],
        'state', (array['Selangor', 'Selangor', 'WP Kuala Lumpur', 'Pulau Pinang', 'Johor', 'Sabah', 'Sarawak', 'Perak'])[1 + i % 8],
        'country', 'MY') end,
    case when i % 23 = 5 then 'Prefers messages after 3 pm. Allergic to peanuts.' when i % 29 = 7 then 'Orders for the office every Friday.' end,
    (array['whatsapp', 'whatsapp', 'manual', 'import', 'whatsapp', 'ad'])[1 + i % 6],
    (array['opted_in', 'opted_in', 'opted_in', 'pending', 'opted_in', 'pending', 'opted_out'])[1 + i % 7],
    case when i % 7 not in (3, 5) then created_at + interval '3 days' end,
    case when i % 7 not in (3, 5) then (array['whatsapp', 'form', 'manual', 'import'])[1 + i % 4] end,
    case when i % 3 = 0 then date '1972-02-03' + i * 37 end,
    (array['customer', 'customer', 'lead', 'prospect', 'customer', 'lead', 'customer', 'churned'])[1 + i % 8],
    case when i in (355, 356, 357) then now() - interval '2 days' end,
    created_at,
    created_at + interval '5 days'
from demo_contacts;

insert into public.tags (org_id, name, color, created_at)
select '0192de30-0000-7000-8000-000000000001', t.name, t.color, now() - interval '390 days'
from (
    values ('VIP', '#E0143F'), ('Wholesale', '#1C7ED6'), ('Catering', '#2B8A3E'), ('Corporate', '#5F3DC4'), ('Gift box', '#D9480F'),
        ('Follow up', '#E67700'), ('Complaint', '#C92A2A'), ('Halal certificate asked', '#0B7285')
) as t (name, color);

insert into public.contact_tags (org_id, contact_id, tag_id, created_at)
select c.org_id, c.id, t.id, c.created_at + interval '4 days'
from demo_contacts d
join public.contacts c on c.org_id = '0192de30-0000-7000-8000-000000000001' and (c.wa_id = d.digits or c.username = 'angsana_fan_' || d.i)
join public.tags t on t.org_id = c.org_id
where (t.name = 'VIP' and d.i % 14 = 3) or (t.name = 'Wholesale' and d.i % 11 = 2) or (t.name = 'Catering' and d.i % 6 = 1)
    or (t.name = 'Corporate' and d.i % 4 = 1) or (t.name = 'Gift box' and d.i % 9 = 4) or (t.name = 'Follow up' and d.i % 17 = 8)
    or (t.name = 'Complaint' and d.i % 31 = 11) or (t.name = 'Halal certificate asked' and d.i % 43 = 9);

-- Fields of the bakery's own; one is archived and keeps what it holds.
insert into public.custom_field_definitions (org_id, key, label, type, options, position, archived_at, created_at)
select '0192de30-0000-7000-8000-000000000001', d.key, d.label, d.type, d.options, d.position, d.archived_at, now() - interval '380 days'
from (
    values ('membership', 'Membership', 'choice', array['Bronze', 'Silver', 'Gold'], 0, null::timestamptz),
        ('allergies', 'Allergies', 'multi_choice', array['Nuts', 'Gluten', 'Milk', 'Egg'], 1, null),
        ('loyalty_points', 'Loyalty points', 'number', '{}', 2, null),
        ('first_order', 'First order', 'date', '{}', 3, null),
        ('wholesale_account', 'Wholesale account', 'boolean', '{}', 4, null),
        ('delivery_hint', 'Delivery hint', 'text', '{}', 5, null),
        ('newsletter_2024', 'Newsletter 2024', 'boolean', '{}', 6, now() - interval '100 days')
) as d (key, label, type, options, position, archived_at);

update public.contacts c set custom_fields = jsonb_strip_nulls(jsonb_build_object(
    'membership', case when d.i % 3 <> 2 then (array['Bronze', 'Silver', 'Gold'])[1 + d.i / 3 % 3] end,
    'allergies', case d.i % 19 when 4 then '["Nuts"]'::jsonb when 9 then '["Gluten", "Milk"]' when 15 then '["Egg"]' end,
    'loyalty_points', case when d.i % 3 <> 2 then d.i * 37 % 900 end,
    'first_order', case when d.i % 4 <> 3 then to_char(d.created_at + interval '6 days', 'YYYY-MM-DD') end,
    'wholesale_account', case when d.i % 11 = 2 then true when d.i % 7 = 1 then false end,
    'delivery_hint', case d.i % 27 when 3 then 'Leave it with the guard house' when 14 then 'Call from the lobby, the bell is broken' end,
    'newsletter_2024', case when d.i % 13 = 6 then true end))
from demo_contacts d
where c.org_id = '0192de30-0000-7000-8000-000000000001' and (c.wa_id = d.digits or c.username = 'angsana_fan_' || d.i);

-- How consent came about: once for most, given and withdrawn by those who are out.
insert into public.contact_consents (org_id, contact_id, old_status, new_status, source, evidence, decided_at, created_at)
select c.org_id, c.id, x.old_status, x.new_status, x.source, x.evidence, x.at, x.at
from public.contacts c
cross join lateral (
    values
        ('pending', 'opted_in', coalesce(c.opt_in_source, 'form'), case coalesce(c.opt_in_source, 'form') when 'form' then 'Order form, tick box' when 'import' then 'customers-2025.csv' end,
            coalesce(c.opt_in_at, c.created_at + interval '3 days')),
        ('opted_in', 'opted_out', 'whatsapp', 'BERHENTI', c.created_at + interval '60 days')
) as x (old_status, new_status, source, evidence, at)
where c.org_id = '0192de30-0000-7000-8000-000000000001' and c.opt_in_status <> 'pending' and x.at < now()
    and (x.new_status = 'opted_in' or c.opt_in_status = 'opted_out');
