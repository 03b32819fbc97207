select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.messages_received >= 15 and c.messages_sent between 5 and 20
    and c.last_message_at >= timestamptz '{ago:84}'
