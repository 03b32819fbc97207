select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null
    and date_part('month', c.birthday) * 100 + date_part('day', c.birthday)
        = any (array[{anniversaries:7}]::double precision[])
