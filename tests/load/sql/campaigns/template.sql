-- The sandbox's order_update as a sync with Meta leaves it; the workers' own may have come first.
insert into public.templates (org_id, waba_id, name, language, category, components, status, meta_status, wa_template_id, synced_at)
values ($1, '200000000000001', 'order_update', 'en', 'utility',
    '[{"type": "BODY", "text": "Hi {{1}}, your order {{2}} is now {{3}}. Thank you for shopping with us.",
        "example": {"body_text": [["Aina", "A-100", "ready"]]}}]',
    'approved', 'APPROVED', '400000000000002', clock_timestamp())
on conflict (org_id, waba_id, name, language) where deleted_at is null do update set status = 'approved'
returning id
