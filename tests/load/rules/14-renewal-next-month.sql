select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null
    and (c.custom_fields ->> 'renewal') collate "C" >= '{day:0}' and (c.custom_fields ->> 'renewal') collate "C" < '{day:30}'
