-- What a sync with Meta makes of the template $2, whose button is tracked.
insert into public.templates (org_id, waba_id, name, language, category, components, links, status, meta_status, wa_template_id, synced_at)
values ($1, '200000000000001', 'spring_sale', 'en', 'marketing', $3, '{"1": "https://shop.example.com/spring"}', 'approved', 'APPROVED', $2, clock_timestamp())
returning id
